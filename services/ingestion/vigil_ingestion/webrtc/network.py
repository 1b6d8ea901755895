"""Where clients reach this worker by UDP: which ports, at which addresses, over which STUN and TURN servers. Pure."""

import ipaddress
import re
from dataclasses import dataclass

from vigil.runtime.process.ice_servers import IceServer

LEAST_PORT, MOST_PORT = 1_024, 65_535


@dataclass(frozen=True, slots=True)
class Network:
    """`ports` is empty where any free port will do. `advertised` are the addresses that clients are told instead of
    this machine's own, as in a container; none: its own. `video_kbps` is what a client is asked to send at most."""

    ports: range = range(0)
    advertised: tuple[str, ...] = ()
    servers: tuple[IceServer, ...] = ()
    video_kbps: int = 1_500


def port_range(text: str) -> range:
    """The ports of a text like `50000-50019`; none of an empty one. Raises `ValueError`."""
    if not text.strip():
        return range(0)
    found = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", text)
    first, last = map(int, found.groups()) if found else (0, 0)
    if not LEAST_PORT <= first <= last <= MOST_PORT:
        raise ValueError(f"give the first and the last port, from {LEAST_PORT} to {MOST_PORT}, like 50000-50019")
    return range(first, last + 1)


def addresses(text: str) -> tuple[str, ...]:
    """The addresses of a text, separated by commas: one IPv4 address, one IPv6 address or both. Raises `ValueError`."""
    given = [part.strip() for part in text.split(",")] if text.strip() else []
    try:
        found = [ipaddress.ip_address(part) for part in given]
    except ValueError:
        raise ValueError("give an IP address, or one of IPv4 and one of IPv6 separated by a comma") from None
    if len({address.version for address in found}) < len(found):
        raise ValueError("give one address of IPv4 and one of IPv6 at most")
    return tuple(str(address) for address in found)
