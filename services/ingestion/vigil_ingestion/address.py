"""Where a source is and whether it may be opened: schemes, files, and addresses that no camera has."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from vigil.core.address_policy import why_refused
from vigil.core.source import SourceKind
from vigil.runtime.process.redaction import redacted
from vigil_ingestion import login
from vigil_ingestion.faults import Fault, SourceError

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}

_NOT_LOCAL = "this tenant may not watch what is on it (VIGIL_LOCAL_SOURCE_TENANTS names the tenants that may)"
_IN_COMPOSE = (
    "where Vigil runs in containers, that is the container: Docker Compose has its host as host.docker.internal"
)

LookUp = Callable[..., Sequence[tuple[Any, ...]]]  # socket.getaddrinfo


@dataclass(frozen=True, slots=True)
class Address:
    """A source that the policy allows. `url` is what the demuxer opens; `shown` is safe to show.

    `hosts` are the IP addresses that its host name stands for, each allowed, and `port` is the port; a file has none.
    """

    kind: SourceKind
    url: str
    shown: str
    hosts: tuple[str, ...] = ()
    port: int = 0


def resolve(
    url: str, file_root: Path | None, look_up: LookUp = socket.getaddrinfo, *, allow_local: bool = True
) -> Address:
    """The address at `url` when the policy allows it, else `SourceError`. Looks the host up: call it off the loop.

    Without `allow_local` nothing of this host is opened: neither its own addresses, nor files outside `file_root`.
    """
    if not url.isprintable():
        raise SourceError(
            Fault.FORBIDDEN, "the source's address holds control characters: check that it was copied whole"
        )
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
            if file_root is None and not allow_local:
                raise SourceError(Fault.FORBIDDEN, f"{redacted(url)} is a file of this server, and {_NOT_LOCAL}")
            return _file(unquote(parts.path), url, file_root)
        case "rtsp" | "rtsps":
            return _network(SourceKind.RTSP, parts, port, look_up, allow_local)
        case "http" | "https":
            return _network(SourceKind.HTTP, parts, port, look_up, allow_local)
        case scheme:
            raise SourceError(
                Fault.FORBIDDEN,
                f"the scheme {scheme[:20]!r} is not allowed: use file:///path, rtsp://, rtsps://, http:// or https://",
            )


def _file(name: str, url: str, root: Path | None) -> Address:
    shown = redacted(url)
    if "\0" in name:
        raise SourceError(Fault.NOT_FOUND, f"{shown} holds a NUL, which no file's name has")
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


def _network(kind: SourceKind, parts: SplitResult, port: int | None, look_up: LookUp, allow_local: bool) -> Address:
    url, shown = parts.geturl(), redacted(parts.geturl())
    if not parts.hostname:
        raise SourceError(Fault.FORBIDDEN, f"{shown} names no host: write {parts.scheme}://host/path")
    port = port or DEFAULT_PORTS[parts.scheme]
    try:
        found = look_up(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceError(
            Fault.UNREACHABLE, f"the host of {shown} has no address: check its name and this server's DNS"
        ) from None
    hosts = tuple(dict.fromkeys(str(place[0]) for *_, place in found))
    for host in hosts:
        if why := _why_refused(host, allow_local):
            by_name = not _is_literal(parts.hostname)
            raise SourceError(Fault.FORBIDDEN, f"{shown} leads to {host}: {why}", by_name=by_name)
    return Address(kind, url, shown, hosts, port)


def _why_refused(host: str, allow_local: bool) -> str:
    if why := why_refused(host, allow_local=allow_local):
        return (
            f"{why}, and {_NOT_LOCAL}; {_IN_COMPOSE}" if "this host" in why else f"{why}; use the camera's own address"
        )
    if not allow_local and _is_of_this_host(host):
        return f"it is this host itself, and {_NOT_LOCAL}"
    return ""


def _is_of_this_host(host: str) -> bool:
    """Whether one of this machine's interfaces has the address: only such an address can be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


def _is_literal(host: str) -> bool:
    """Whether the host is an IP address, in any spelling (a single number too), and not a name."""
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    return True
