"""Source URLs: what may be shown of them, and the id that a camera gets from its address."""

import hashlib
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

HIDDEN = "***"
_SECRET = re.compile(r"pass|pwd|secret|token|key|auth|sig|cred|user|login", re.IGNORECASE)


def redacted(url: str) -> str:
    """The URL without its credentials: user information and secret-looking query values become `***`."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # A password with '/' or '#' in it breaks the parse; hide all that could be part of it.
        return _hide_up_to_last_at(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{HIDDEN}@{host}" if "@" in parts.netloc else host
    return urlunsplit(parts._replace(netloc=netloc, query=_hide_secrets(parts.query)))


def source_id(url: str) -> str:
    """`cam-` and 8 hex digits of the address without credentials: changing a password keeps the id."""
    return f"cam-{hashlib.sha256(redacted(url).replace(f'{HIDDEN}@', '').encode()).hexdigest()[:8]}"


def scrubbed(text: str, url: str) -> str:
    """`text` with any verbatim copy of `url` redacted."""
    return text.replace(url, redacted(url))


def _hide_up_to_last_at(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return HIDDEN
    before, at, after = rest.rpartition("@")
    return f"{scheme}://{HIDDEN}@{after}" if at and before else f"{scheme}://{HIDDEN}"


def _hide_secrets(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(_SECRET.search(name) for name, _ in pairs):
        return query
    return urlencode([(name, HIDDEN if _SECRET.search(name) else value) for name, value in pairs], safe="*")
