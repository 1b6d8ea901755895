"""The gateway's endpoints over TLS: HTTP, WebSockets and gRPC, and a certificate that is renewed meanwhile."""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from vigil.runtime.process.config import ConfigInvalid, load
from vigil.runtime.process.service import Service
from vigil.runtime.process.startup import StartupError
from vigil.testing.certificates import Authority, Certificate
from vigil.testing.eventually import DEADLINE_S
from vigil_client.api import Client
from vigil_client.errors import ClientError, Unreachable
from vigil_gateway.config import GatewaySettings
from vigil_gateway.http.app import routes
from vigil_gateway.http.server import Listening, serve
from vigil_gateway.main import build

DEMO = "a-key-of-demo"
KEY = {"Authorization": f"Bearer {DEMO}"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def certificate(tmp_path: Path, authority: Authority) -> Certificate:
    """The files that the gateway is told of."""
    files = Certificate(tmp_path / "tls.crt", tmp_path / "tls.key")
    files.replace_with(authority.certificate("first"))
    return files


@pytest.fixture
def settings(settings: GatewaySettings, certificate: Certificate) -> GatewaySettings:
    """A gateway with a certificate."""
    return settings.model_copy(update={"tls_cert_file": certificate.cert, "tls_key_file": certificate.key})


def url_of(settings: GatewaySettings) -> str:
    return f"https://localhost:{settings.http_port}"


def shown_http(port: int) -> bytes:
    """The certificate that the server shows a new connection."""
    return ssl.get_server_certificate(("127.0.0.1", port)).encode()


async def test_http_websockets_and_grpc_over_tls(
    gateway: Service[GatewaySettings], authority: Authority, workers: None
) -> None:
    settings = gateway.settings
    trust = ssl.create_default_context(cafile=str(authority.ca))
    async with aiohttp.ClientSession(url_of(settings), headers=KEY) as http:
        body = {"source": {"kind": "pushed"}}
        async with http.post("/v1/sessions", json=body, ssl=trust) as answer:
            assert answer.status == 201, await answer.text()
            session = (await answer.json())["id"]
        async with http.ws_connect(f"/v1/sessions/{session}/ws", ssl=trust) as websocket:
            await websocket.send_json({"type": "end", "id": 1})
            async with asyncio.timeout(DEADLINE_S):
                while (await websocket.receive_json())["type"] != "accepted":
                    pass
    await _call(settings.grpc_port, authority.ca.read_bytes())


async def _call(port: int, ca: bytes) -> None:
    """Ask the gRPC server for its health."""
    async with grpc.aio.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(ca)) as channel:
        found = await HealthStub(channel).Check(HealthCheckRequest(), timeout=DEADLINE_S)
    assert found.status == HealthCheckResponse.SERVING


async def test_there_is_no_way_in_without_tls(gateway: Service[GatewaySettings]) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"http://127.0.0.1:{gateway.settings.http_port}/healthz")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.settings.grpc_port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await HealthStub(channel).Check(HealthCheckRequest(), timeout=2)
    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_the_sdk_trusts_the_authority_that_it_is_given(
    gateway: Service[GatewaySettings], authority: Authority, tmp_path: Path
) -> None:
    url = url_of(gateway.settings)
    async with Client(url, DEMO, str(authority.ca)) as client:
        assert (await client.key()).tenant == "demo"
    for ca_file in ("", str(Authority(tmp_path / "other").ca)):
        async with Client(url, DEMO, ca_file) as client:
            with pytest.raises(Unreachable, match="not trusted") as caught:
                await client.key()
        assert "--ca-file" in caught.value.next_step
    with pytest.raises(ClientError, match="cannot be used: No such file"):
        Client(url, DEMO, str(tmp_path / "nothing"))


async def test_a_new_certificate_is_shown_without_a_restart_and_cuts_nothing(
    gateway: Service[GatewaySettings], authority: Authority, certificate: Certificate
) -> None:
    settings = gateway.settings
    trust = ssl.create_default_context(cafile=str(authority.ca))
    before = await asyncio.to_thread(shown_http, settings.http_port)
    open_before = await asyncio.open_connection("localhost", settings.http_port, ssl=trust)
    assert await _alive(*open_before)
    certificate.replace_with(authority.certificate("second"))
    fresh = certificate.cert.read_bytes()
    assert await asyncio.to_thread(shown_http, settings.http_port) == fresh != before
    assert await asyncio.to_thread(shown_http, settings.grpc_port) == fresh
    assert await _alive(*open_before), "the open connection holds"
    open_before[1].close()
    certificate.cert.write_text("half of a certif")
    assert await asyncio.to_thread(shown_http, settings.http_port) == fresh
    await _call(settings.grpc_port, authority.ca.read_bytes())


async def _alive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether the gateway answers on this connection, and leaves it open."""
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(DEADLINE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return head.startswith(b"HTTP/1.1 200")


async def test_a_client_that_never_finishes_its_handshake_is_let_go(certificate: Certificate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    listening = Listening("127.0.0.1", 0, 1.0, tls=context, handshake_s=0.2)
    async with serve(routes(), listening, asyncio.Event()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(DEADLINE_S):
            assert await reader.read() == b""
        writer.close()


def test_one_file_without_the_other_is_refused(certificate: Certificate, keys_file: Path) -> None:
    with pytest.raises(ConfigInvalid, match="set both VIGIL_TLS_CERT_FILE and VIGIL_TLS_KEY_FILE"):
        load(GatewaySettings, {"api_keys_file": keys_file, "tls_cert_file": certificate.cert})


async def test_a_gateway_whose_certificate_is_wrong_says_so_and_does_not_start(
    settings: GatewaySettings, certificate: Certificate
) -> None:
    certificate.key.write_text("no key")
    with pytest.raises(StartupError, match="VIGIL_TLS_CERT_FILE"):
        await Service("gateway", settings).live(build)
