"""Which addresses Vigil connects to for others: cameras that a client names, and receivers of webhooks. Pure.

Whoever can name an address could otherwise reach services that trust this host: on the host itself, on its network
link, or a cloud's metadata service. Private networks are allowed: cameras and receivers live there. An IPv6 address
that stands for an IPv4 address is judged as both, for a router or this host would lead there.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

_METADATA = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
_LOW_32_BITS = (ip_network("::/96"), ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")  # the IPv4 address may stand behind a prefix of 48 bits, too (RFC 6052)


def why_refused(text: str, *, allow_local: bool = False) -> str:
    """Why nothing is sent to this IP address; empty when it may be. `allow_local` allows this host's loopback.

    Raises `ValueError` when the text is no IP address.
    """
    address = ip_address(text.partition("%")[0])
    reasons = (_why_refused(meant, allow_local) for meant in (address, *_embedded(address)))
    return next(filter(None, reasons), "")


def is_address(host: str) -> bool:
    """Whether a URL's host is an IP address and not a name."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _why_refused(address: Address, allow_local: bool) -> str:
    if address in _METADATA:
        return "it is a cloud's metadata service"
    if address.is_loopback:
        return "" if allow_local else "it is this host itself"
    if address.is_unspecified:
        return "it is this host itself"
    if address.is_link_local:
        return "it is link-local"
    if address.is_multicast or (address.is_reserved and not any(_embedded(address))):
        return "it is not the address of a single host"
    return ""


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 address may stand for: mapped, NAT64, 6to4, Teredo."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if any(address in network for network in _LOW_32_BITS) and number >> 32 << 32 != number and number > 1:
        yield IPv4Address(number & 0xFFFFFFFF)
    if address in _LOCAL_NAT64 and (behind := (number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF):
        yield IPv4Address(behind)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    yield from address.teredo or ()
