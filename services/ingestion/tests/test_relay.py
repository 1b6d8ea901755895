"""The relay to a camera on real sockets: redirects, TLS, names that change, and what ends with it."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vigil_ingestion.address import Address, resolve
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.media import Limits, opened
from vigil_ingestion.relay import Trust, relayed

LIMITS = Limits(open_s=3.0, read_s=2.0)

Answer = Callable[[bytes], bytes]


class Camera:
    """Answers each request by a function; keeps the first line of each."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.seen: list[bytes] = []
        self._answer = answer
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), self._secured(client) as connection:
            while request := connection.recv(4_096):
                self.seen.append(request.split(b"\r\n")[0])
                number = next((line for line in request.split(b"\r\n") if line.lower().startswith(b"cseq")), b"CSeq: 1")
                connection.sendall(self._answer(request).replace(b"@cseq", number))

    def _secured(self, client: socket.socket) -> socket.socket:
        return client if self._context is None else self._context.wrap_socket(client, server_side=True)


@contextmanager
def camera(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Camera]:
    made = Camera(answer, context)
    try:
        yield made
    finally:
        made.close()


def not_found(_request: bytes) -> bytes:
    return b"RTSP/1.0 404 Not Found\r\n@cseq\r\n\r\n"


def fault(url: str, limits: Limits = LIMITS) -> SourceError:
    with pytest.raises(SourceError) as caught, opened(resolve(url, None), limits):
        pass
    return caught.value


@pytest.mark.parametrize("method", [b"OPTIONS", b"DESCRIBE"])
@pytest.mark.parametrize("code", [301, 302, 307])
def test_a_redirect_is_not_followed_and_said(method: bytes, code: int) -> None:
    with camera(not_found) as inner:

        def moved(request: bytes) -> bytes:
            if not request.startswith(method):
                return b"RTSP/1.0 200 OK\r\n@cseq\r\nPublic: DESCRIBE\r\n\r\n"
            return b"RTSP/1.0 %d Moved\r\n@cseq\r\nLocation: rtsp://127.0.0.1:%d/in\r\n\r\n" % (code, inner.port)

        with camera(moved) as outer:
            error = fault(f"rtsp://user:s3cret@127.0.0.1:{outer.port}/cam")
        assert (error.fault, error.retryable) == (Fault.FORBIDDEN, False)
        assert "redirects" in error.message
        assert "s3cret" not in error.message
        assert outer.seen
        assert inner.seen == []


def test_an_answer_goes_through_as_it_is() -> None:
    with camera(not_found) as asked:
        assert fault(f"rtsp://127.0.0.1:{asked.port}/cam?x=1").fault is Fault.NOT_FOUND
        assert asked.seen[0].startswith(b"OPTIONS rtsp://127.0.0.1:")
        assert b"/cam?x=1" in asked.seen[0]


def test_http_is_told_the_name_and_the_camera_is_asked_at_the_address_that_was_looked_at() -> None:
    heads: list[bytes] = []

    def forbidden(request: bytes) -> bytes:
        heads.append(request)
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    with camera(forbidden) as asked:
        url = f"http://camera.invalid:{asked.port}/a.mp4"
        address = resolve(url, None, lambda *_, **__: [(0, 0, 0, "", ("127.0.0.1", asked.port))])
        with pytest.raises(SourceError) as caught, opened(address, LIMITS):
            pass
    assert caught.value.fault is Fault.NOT_FOUND
    assert b"\r\nHost: camera.invalid:%d\r\n" % asked.port in heads[0]


def test_something_else_than_rtsp_is_said() -> None:
    with camera(lambda _: b"RTSP/9 wrong\r\n\r\n") as asked:
        error = fault(f"rtsp://127.0.0.1:{asked.port}/cam")
    assert error.fault is Fault.NOT_A_VIDEO
    assert "does not speak RTSP" in error.message


def test_the_first_address_that_answers_is_taken(free_port: int) -> None:
    with camera(not_found) as asked:
        url = f"rtsp://127.0.0.1:{asked.port}/cam"
        two = Address(resolve(url, None).kind, url, "cam", ("127.0.0.2", "127.0.0.1"), asked.port)
        with pytest.raises(SourceError) as caught, opened(two, LIMITS):
            pass
    assert caught.value.fault is Fault.NOT_FOUND


def test_nothing_of_a_relay_is_left_when_its_block_ends() -> None:
    def relays() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "relay"]

    with camera(not_found) as asked:
        address = resolve(f"rtsp://127.0.0.1:{asked.port}/cam", None)
        for uses in (0, 1):
            with relayed(address, Trust(), 2.0) as endpoint:
                port = int(endpoint.url.rpartition(":")[2].partition("/")[0])
                if uses:
                    with socket.create_connection(("127.0.0.1", port)) as client:
                        client.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
                        assert client.recv(100).startswith(b"RTSP/1.0 404")
                threads = [thread for thread in threading.enumerate() if thread.name == "relay"]
            for thread in threads:
                thread.join(5)
            assert relays() == []
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), 1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of `localhost`, signed by itself."""
    path = tmp_path_factory.mktemp("tls") / "camera.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(path), "-out", str(path.with_suffix(".crt"))),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.mark.parametrize("scheme", ["rtsps", "https"])
def test_a_certificate_that_nobody_vouches_for_is_refused_in_words(certificate: Path, scheme: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    web = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    with camera(not_found if scheme == "rtsps" else lambda _: web, context) as asked:
        url = f"{scheme}://user:s3cret@localhost:{asked.port}/cam"
        error = fault(url)
        assert error.fault is Fault.UNTRUSTED
        assert "VIGIL_SOURCE_CA_FILE" in error.message
        assert "s3cret" not in error.message
        assert asked.seen == []
        trusted = Limits(3.0, 2.0, Trust(ca_file=certificate.with_suffix(".crt")))
        assert fault(url, trusted).fault is Fault.NOT_FOUND
        assert fault(url.replace("localhost", "127.0.0.1"), trusted).fault is Fault.UNTRUSTED
        assert fault(url, Limits(3.0, 2.0, Trust(verify=False))).fault is Fault.NOT_FOUND


@pytest.mark.parametrize("scheme", ["rtsps", "https"])
def test_a_camera_without_tls_is_said(scheme: str) -> None:
    with camera(not_found) as asked:
        error = fault(f"{scheme}://localhost:{asked.port}/cam")
    assert error.fault is Fault.UNREACHABLE
    assert "does not speak TLS" in error.message
