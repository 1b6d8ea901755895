"""Whether an address's user and password can be told from its host. Pure.

A password may hold the characters that end it in a URL: `@ # ? /`. A URL parser then takes half of the password for a
host, which would be looked up, and connected to. Such an address is not guessed at: its owner is told how to write it.
"""

import ipaddress
import re

HOW = "write @ # ? / % in a user name, password or path as %40 %23 %3F %2F %25"
_ENDS_AUTHORITY = re.compile(r"[/?#]")
_PORT = re.compile(r":\d{0,5}\Z")


def is_ambiguous(url: str) -> bool:
    """Whether the address can be read in two ways: with an '@' in its path, or with one behind half a password.

    An '@' in a path or query is allowed where the part before it can only be a host.
    """
    _, separator, rest = url.partition("://")
    end = _ENDS_AUTHORITY.search(rest)
    if not separator or end is None or "@" not in rest[end.start() :]:
        return False
    if end[0] == "#":  # nothing of an address that follows '#' is ever sent, so it belongs to a password
        return True
    _, login, place = rest[: end.start()].rpartition("@")
    host, other = _PORT.sub("", place), _host_after_last_at(rest)
    if ":" in host and not host.startswith("["):  # a user and a password, for no port is written so
        return True
    if login:
        return not _is_plain(host) or _is_plain(other)
    return not _is_plain(host) and _is_plain(other)


def _host_after_last_at(rest: str) -> str:
    last = rest.rpartition("@")[2]
    return _PORT.sub("", _ENDS_AUTHORITY.split(last, maxsplit=1)[0])


def _is_plain(host: str) -> bool:
    """Whether it is plainly a host: an IP address, a name with a dot, or this machine."""
    if host.lower() == "localhost":
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\.?", host) is not None
    return True
