"""Relays a source: the media library connects to a port of this process, which is connected to the camera.

So the media library reaches the address that the policy checked and no other: neither an address that DNS gives for
the name later, nor one that a camera redirects it to. TLS ends here: a certificate is checked and its fault is named.
"""

import contextlib
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from vigil.core.source import SourceKind
from vigil.runtime.process.logs import get_log
from vigil_ingestion.address import Address
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.rtsp_replies import Redirected, Replies, Unreadable

log = get_log()

CHUNK = 65_536
LOOPBACK = "127.0.0.1"
PLAIN = {"rtsps": "rtsp", "https": "http"}


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose certificates are trusted. `ca_file` replaces the system's authorities; without `verify` nothing is."""

    verify: bool = True
    ca_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """For a connection to a camera."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(slots=True)
class Endpoint:
    """What the media library opens. `refusal` is why the relay ended its connection, if it did."""

    url: str
    options: dict[str, str] = field(default_factory=dict)
    refusal: SourceError | None = None


@contextmanager
def relayed(address: Address, trust: Trust, timeout_s: float) -> Iterator[Endpoint]:
    """Relay the source while the block runs; a file needs no relay.

    Raises `SourceError` when the camera cannot be reached or trusted.
    """
    if address.kind is SourceKind.FILE:
        yield Endpoint(address.url)
        return
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((LOOPBACK, 0)))
        relay = _Relay(address, trust, timeout_s, listener, _connected(address, trust, timeout_s))
        stack.callback(relay.close)
        threading.Thread(target=relay.run, name="relay", daemon=True).start()
        yield relay.endpoint


class _Relay:
    """Carries the media library's connections. The first finds the camera connected; HTTP opens further ones."""

    def __init__(
        self, address: Address, trust: Trust, timeout_s: float, listener: socket.socket, first: socket.socket
    ) -> None:
        self._address = address
        self._trust = trust
        self._timeout_s = timeout_s
        self._listener = listener
        self._first: socket.socket | None = first
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        self.endpoint = _endpoint(address, listener.getsockname()[1])

    def run(self) -> None:
        """What the thread runs: for RTSP one connection, for HTTP as many as come."""
        with contextlib.suppress(OSError):
            while not self._closed:
                client, _ = self._listener.accept()
                if self._address.kind is SourceKind.RTSP:
                    self._listener.close()
                    self._carry(client)
                    return
                threading.Thread(target=self._carry, args=(client,), name="relay", daemon=True).start()

    def close(self) -> None:
        """End every connection. Idempotent; callable from any thread."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends a wait for a connection
        if (first := self._first) is not None:
            first.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _carry(self, client: socket.socket) -> None:
        with client:
            try:
                with self._camera() as camera:
                    self._note(client, camera)
                    replies = Replies(camera.getpeername()[0]) if self._address.kind is SourceKind.RTSP else None
                    _carry(client, camera, replies)
                    self._forget(client, camera)
            except Redirected:
                self.endpoint.refusal = SourceError(
                    Fault.FORBIDDEN,
                    f"{self._address.shown} redirects to another address, which is not followed: give that address",
                )
            except Unreadable as error:
                self.endpoint.refusal = SourceError(
                    Fault.NOT_A_VIDEO, f"{self._address.shown} does not speak RTSP ({error}): check its port"
                )
            except SourceError as error:
                self.endpoint.refusal = error
            except OSError as error:
                log.debug("camera disconnected", reason=type(error).__name__)

    def _camera(self) -> socket.socket:
        first, self._first = self._first, None
        return first or _connected(self._address, self._trust, self._timeout_s)

    def _note(self, *connections: socket.socket) -> None:
        with self._lock:
            self._open.update(connections)
        if self._closed:
            self.close()

    def _forget(self, *connections: socket.socket) -> None:
        with self._lock:
            self._open.difference_update(connections)


def _endpoint(address: Address, port: int) -> Endpoint:
    parts = urlsplit(address.url)
    login, at, host = parts.netloc.rpartition("@")
    url = urlunsplit(
        parts._replace(scheme=PLAIN.get(parts.scheme, parts.scheme), netloc=f"{login}{at}{LOOPBACK}:{port}")
    )
    return Endpoint(url, {"headers": f"Host: {host}\r\n"} if address.kind is SourceKind.HTTP else {})


def _connected(address: Address, trust: Trust, timeout_s: float) -> socket.socket:
    """A connection to the first of the camera's addresses that answers."""
    parts = urlsplit(address.url)
    connection = _plain(address, timeout_s)
    if parts.scheme not in PLAIN:
        connection.settimeout(None)
        return connection
    if not trust.verify:
        log.warning("certificate not verified", source=address.shown, reason="VIGIL_SOURCE_TLS_VERIFY is false")
    try:
        secured = trust.context().wrap_socket(connection, server_hostname=parts.hostname)
    except (OSError, ValueError) as error:
        connection.close()
        raise _tls_error(address, error) from None
    secured.setblocking(False)  # TLS may have something to read that is not the camera's
    return secured


def _plain(address: Address, timeout_s: float) -> socket.socket:
    reason: OSError | None = None
    for host in address.hosts:
        try:
            connection = socket.create_connection((host, address.port), timeout_s / len(address.hosts))
        except OSError as error:
            reason = error
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    if isinstance(reason, TimeoutError):
        raise SourceError(Fault.TIMED_OUT, f"{address.shown} stopped answering: check the camera and the network to it")
    why = reason.strerror if reason is not None else "no address"
    raise SourceError(Fault.UNREACHABLE, f"{address.shown} cannot be reached ({why}): check host, port and cable")


def _tls_error(address: Address, error: Exception) -> SourceError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceError(
            Fault.UNTRUSTED,
            f"the certificate of {address.shown} is not trusted ({error.verify_message}): give its authority by "
            "VIGIL_SOURCE_CA_FILE, or do without by VIGIL_SOURCE_TLS_VERIFY=false",
        )
    if isinstance(error, TimeoutError):
        return SourceError(Fault.TIMED_OUT, f"{address.shown} did not answer over TLS: check its scheme and port")
    return SourceError(Fault.UNREACHABLE, f"{address.shown} does not speak TLS: check its scheme and port")


def _carry(client: socket.socket, camera: socket.socket, replies: Replies | None) -> None:
    """Carry bytes both ways until one side ends."""
    with selectors.DefaultSelector() as selector:
        for connection in (client, camera):
            selector.register(connection, selectors.EVENT_READ)
        while True:
            ready = [camera] if _pending(camera) else [key.fileobj for key, _ in selector.select()]
            if camera in ready and (data := _received(camera)) is not None:
                if not data:
                    return
                client.sendall(data if replies is None else replies.feed(data))
            if client in ready:
                data = client.recv(CHUNK)
                if not data:
                    return
                _send(camera, data)


def _received(camera: socket.socket) -> bytes | None:
    """What the camera sent; None when what came was of TLS itself."""
    try:
        return camera.recv(CHUNK)
    except ssl.SSLWantReadError:
        return None


def _send(camera: socket.socket, data: bytes) -> None:
    if not isinstance(camera, ssl.SSLSocket):
        camera.sendall(data)
        return
    while data:
        try:
            data = data[camera.send(data) :]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError) as error:
            with selectors.DefaultSelector() as selector:
                wants_to_read = isinstance(error, ssl.SSLWantReadError)
                selector.register(camera, selectors.EVENT_READ if wants_to_read else selectors.EVENT_WRITE)
                selector.select()


def _pending(camera: socket.socket) -> bool:
    """Whether TLS holds bytes that were read and not taken."""
    return isinstance(camera, ssl.SSLSocket) and camera.pending() > 0
