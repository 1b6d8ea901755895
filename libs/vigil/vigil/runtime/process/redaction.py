"""What may be shown of an address: never its credentials, even when it is badly written.

A password may hold the characters that end it in a URL (`/`, `#`, `?`, `@`), so no parser is trusted here. Whatever
could be part of a credential is hidden, even if too much of an unreadable address is hidden. Nothing here raises.
"""

import re
from urllib.parse import unquote, urlsplit

HIDDEN = "***"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}")
_SECRET = re.compile(r"pass|pwd|secret|token|key|auth|sig|cred|user|login", re.IGNORECASE)
_NAME_BEGINS = re.compile(r"[/?;]")


def redacted(address: str) -> str:
    """The address without user and password, secret-looking query values, and fragment."""
    scheme, separator, rest = address.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        return _of_no_scheme(address)
    return f"{scheme}://{hide_values(_hide_user(scheme, rest))}"


def redacted_list(addresses: str) -> str:
    """`redacted`, for several addresses of one scheme that are separated by commas."""
    scheme, separator, _ = addresses.partition("://")
    if not separator:
        return redacted(addresses)
    first, *more = addresses.split(f",{scheme}://")
    return ",".join(map(redacted, (first, *(f"{scheme}://{rest}" for rest in more))))


def scrubbed(text: str, address: str) -> str:
    """`text` with any verbatim copy of `address` redacted."""
    return text.replace(address, redacted(address)) if address else text


def hide_values(text: str) -> str:
    """`name=value` pairs with the values of secret-looking names hidden, up to the fragment."""
    return "&".join(map(_hide_value, text.partition("#")[0].split("&")))


def _of_no_scheme(address: str) -> str:
    """A path stays as it is; anything else may hold a user and a password before its last '@'."""
    _, at, after = address.rpartition("@")
    return address if not at or address.startswith("/") else f"{HIDDEN}@{hide_values(after)}"


def _hide_user(scheme: str, rest: str) -> str:
    if scheme.lower() == "file" and rest.startswith("/"):
        return rest  # no host, so no user: '@' is part of a name
    _, at, after = rest.rpartition("@")
    if at:
        return f"{HIDDEN}@{after}"
    return rest if _has_a_port(f"{scheme}://{rest}") else HIDDEN


def _has_a_port(url: str) -> bool:
    """Whether what follows the host can be a port, or nothing does: `user:password` without a host cannot."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        return False
    return True


def _hide_value(part: str) -> str:
    """Hide everything after the first name that looks like that of a secret."""
    start = 0
    while (end := part.find("=", start)) >= 0:
        if _SECRET.search(unquote(_NAME_BEGINS.split(part[start:end])[-1])):
            return part[: end + 1] + HIDDEN
        start = end + 1
    return part
