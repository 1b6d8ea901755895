"""Whose connection a proxy passes on: the PROXY protocol, version 2, and the proxies whose word is taken. Pure.

A proxy that only passes bytes on cannot add a header to a request, which it may not even be able to read (TLS). It
writes the client's address before the first byte of the connection: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

import ipaddress
import struct
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from vigil_gateway.http.client_limit import plain_address

HEAD_BYTES = 16
# Addresses take 36 bytes; whatever a proxy says beside them is read and not used.
MAX_BODY_BYTES = 2_048

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_VERSION = 0x20
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_LAYOUTS = {_TCP4: struct.Struct("!4s4sHH"), _TCP6: struct.Struct("!16s16sHH")}

Address = tuple[str, int]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class HeaderInvalid(ValueError):
    """A connection of a proxy does not begin with a header that can be read."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks of the proxies. Whoever is in one of them says whose connection it brings, and is believed."""

    networks: tuple[Network, ...] = ()

    def __contains__(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(plain_address(host))
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def __bool__(self) -> bool:
        return bool(self.networks)


NO_PROXIES = Proxies()


def proxies_of(text: str) -> Proxies:
    """The proxies of VIGIL_TRUSTED_PROXIES; none for an empty text. Raises `PydanticCustomError`."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    try:
        return Proxies(tuple(ipaddress.ip_network(word) for word in words))
    except ValueError as error:
        raise PydanticCustomError(
            "proxies", f"give addresses and networks, separated by commas, such as 10.0.0.7,172.16.0.0/12 ({error})"
        ) from None


def readable(text: str) -> str:
    """`text` when `proxies_of` can read it. Raises `PydanticCustomError`."""
    proxies_of(text)
    return text


def body_bytes(head: bytes) -> int:
    """How many bytes follow the first `HEAD_BYTES` of a header. Raises `HeaderInvalid`."""
    if len(head) != HEAD_BYTES or not head.startswith(_SIGNATURE) or head[12] & 0xF0 != _VERSION:
        raise HeaderInvalid("the connection does not begin with a PROXY header of version 2")
    (size,) = struct.unpack("!H", head[14:])
    if size > MAX_BODY_BYTES:
        raise HeaderInvalid(f"a PROXY header of {size} bytes, more than {MAX_BODY_BYTES}")
    return int(size)


def client_of(head: bytes, body: bytes) -> Address | None:
    """The client's address; None where the proxy speaks for itself (its health checks). Raises `HeaderInvalid`."""
    if head[12] == _LOCAL:
        return None
    layout = _LAYOUTS.get(head[13])
    if head[12] != _PROXY or layout is None or len(body) < layout.size:
        raise HeaderInvalid("a PROXY header without the address of a TCP client")
    source, _, port, _ = layout.unpack_from(body)
    return str(ipaddress.ip_address(source)), int(port)
