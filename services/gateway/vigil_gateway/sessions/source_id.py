"""The id that a camera gets from its address when its user gives it none."""

import hashlib
from urllib.parse import urlsplit, urlunsplit

from vigil.runtime.process.redaction import hide_values, redacted


def source_id(url: str) -> str:
    """`cam-` and 8 hex digits of the address without credentials: changing a password keeps the id."""
    return f"cam-{hashlib.sha256(_place(url).encode()).hexdigest()[:8]}"


def _place(url: str) -> str:
    """The address as it is opened, and so only up to its host's '@': a path with an '@' in it tells cameras apart."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return redacted(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query=hide_values(parts.query), fragment=""))
