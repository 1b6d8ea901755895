"""Where a source is and whether it may be opened: schemes, file root, and addresses that no camera has."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from vigil.core.source import SourceKind
from vigil.runtime.process.redaction import redacted
from vigil_ingestion import login
from vigil_ingestion.faults import Fault, SourceError

# The cloud metadata services that do not live on a link-local address.
METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}

LookUp = Callable[..., Sequence[tuple[Any, ...]]]  # socket.getaddrinfo


@dataclass(frozen=True, slots=True)
class Address:
    """A source that the policy allows. `url` is what the demuxer opens; `shown` is safe to show."""

    kind: SourceKind
    url: str
    shown: str


def resolve(url: str, file_root: Path | None, look_up: LookUp = socket.getaddrinfo) -> Address:
    """The address at `url` when the policy allows it, else `SourceError`. Looks the host up: call it off the loop."""
    if not url.lower().startswith("file:") and login.is_ambiguous(url):
        raise SourceError(
            Fault.WRONG_CREDENTIALS, f"it cannot be told where the password of {redacted(url)} ends: {login.HOW}"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SourceError(Fault.FORBIDDEN, f"{redacted(url)} is not a URL: check its brackets and port") from None
    match parts.scheme:
        case "file":
            return _file(unquote(parts.path), url, file_root)
        case "rtsp" | "rtsps":
            return _network(SourceKind.RTSP, parts, port, look_up)
        case "http" | "https":
            return _network(SourceKind.HTTP, parts, port, look_up)
        case scheme:
            raise SourceError(
                Fault.FORBIDDEN,
                f"the scheme {scheme[:20]!r} is not allowed: use file:///path, rtsp://, rtsps://, http:// or https://",
            )


def _file(name: str, url: str, root: Path | None) -> Address:
    shown = redacted(url)
    path = Path(name).resolve()
    if root is not None and not path.is_relative_to(root.resolve()):
        raise SourceError(
            Fault.FORBIDDEN, f"{shown} is outside the folder that holds this server's files: move it there"
        )
    try:
        size = path.stat().st_size
    except OSError:
        raise SourceError(
            Fault.NOT_FOUND, f"no file at {shown} that ingestion can read: check path and rights"
        ) from None
    if not path.is_file():
        raise SourceError(Fault.NOT_A_VIDEO, f"{shown} is not a regular file: give the path of a video file")
    if size == 0:
        raise SourceError(Fault.EMPTY, f"{shown} has no bytes: check that its recording or copy was finished")
    return Address(SourceKind.FILE, f"file:{path}", shown)


def _network(kind: SourceKind, parts: SplitResult, port: int | None, look_up: LookUp) -> Address:
    url, shown = parts.geturl(), redacted(parts.geturl())
    if not parts.hostname:
        raise SourceError(Fault.FORBIDDEN, f"{shown} names no host: write {parts.scheme}://host/path")
    try:
        found = look_up(parts.hostname, port or DEFAULT_PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceError(
            Fault.UNREACHABLE, f"the host of {shown} has no address: check its name and this server's DNS"
        ) from None
    # FFmpeg looks the name up again when it connects, and the owner of the name's DNS may then answer otherwise. The
    # address cannot be pinned: TLS, HTTP and RTSP servers need the name. Where clients are not trusted, a network
    # policy must keep this process away from addresses that are not cameras.
    for *_, place in found:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        _refuse_internal(address, shown, by_name=not _is_literal(parts.hostname))
    return Address(kind, url, shown)


def _is_literal(host: str) -> bool:
    """Whether the host is an IP address, in any spelling (a single number too), and not a name."""
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    return True


def _refuse_internal(address: ipaddress.IPv4Address | ipaddress.IPv6Address, shown: str, *, by_name: bool) -> None:
    """Refuse addresses that no camera has and that lead into the cluster."""
    plain = getattr(address, "ipv4_mapped", None) or address
    if plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain in METADATA:
        raise SourceError(
            Fault.FORBIDDEN,
            f"{shown} leads to {plain}, which is not a camera's address: use the camera's own",
            by_name=by_name,
        )
