"""Which addresses a webhook may be sent to. Pure.

Whoever can name an endpoint could otherwise reach services that trust this host: on the host itself, on its network
link, or a cloud's metadata service. Private networks are allowed: the receiver often lives next to the camera.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

_METADATA = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
_NAT64 = ip_network("64:ff9b::/96")


def why_forbidden(text: str) -> str:
    """Why nothing is sent to this IP address; empty when it may be."""
    address = _embedded(ip_address(text.partition("%")[0]))
    if address in _METADATA:
        return "it is a cloud's metadata service"
    if address.is_loopback or address.is_unspecified:
        return "it is this host itself"
    if address.is_link_local:
        return "it is link-local"
    if address.is_multicast or address.is_reserved:
        return "it is not the address of a single host"
    return ""


def is_address(host: str) -> bool:
    """Whether a URL's host is an IP address and not a name."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _embedded(address: Address) -> Address:
    """The IPv4 address inside an IPv6 address, if there is one, else the address itself."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
