"""How many connections each client address has open, and the bound on that. Pure."""

import ipaddress
from collections import Counter

_IPV6_SITE_BITS = 64  # what one household or one machine gets: it can use any address of it


class ClientConnections:
    """At most `limit` connections an address, of this process."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: Counter[str] = Counter()

    def enter(self, host: str) -> bool:
        """Count one more connection of the address; False, and not counted, when it has as many as it may."""
        site = site_of(host)
        if self._open[site] >= self.limit:
            return False
        self._open[site] += 1
        return True

    def leave(self, host: str) -> None:
        """A counted connection is closed."""
        site = site_of(host)
        self._open[site] -= 1
        if self._open[site] <= 0:
            del self._open[site]

    def __len__(self) -> int:
        return self._open.total()


def plain_address(host: str) -> str:
    """The address without its zone, and an IPv4 address without its IPv6 form."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    return str(address.ipv4_mapped or address) if address.version == 6 else str(address)


def site_of(host: str) -> str:
    """The address as it is counted: an IPv4 address, or the /64 of an IPv6 address."""
    plain = plain_address(host)
    return str(ipaddress.ip_network((plain, _IPV6_SITE_BITS), strict=False)) if ":" in plain else plain
