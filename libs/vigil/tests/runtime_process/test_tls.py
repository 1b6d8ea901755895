"""TLS to NATS, Redis and the engine: whom a service trusts, and what it does when the files change."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.engine.client import Engine, EngineConfig
from vigil.runtime.engine.errors import EngineUnreachable
from vigil.runtime.errors import StoreUnavailable
from vigil.runtime.process.certificate_dates import expiries_s
from vigil.runtime.process.startup import StartupError
from vigil.runtime.process.tls import ReadAgain, ServerCertificate, trusted_by
from vigil.runtime.store.redis_client import open_redis, ping
from vigil.testing.certificates import Authority, Certificate, nats_tls
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer, RedisServer
from vigil.testing.tls_front import tls_front


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the services are not told of."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.certificate()


@asynccontextmanager
async def nats_with(folder: Path, certificate: Certificate) -> AsyncIterator[NatsServer]:
    server = NatsServer(folder, nats_tls(certificate))
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


def over_tls(server: NatsServer, ca_file: Path | None, host: str = "127.0.0.1") -> BusConfig:
    return BusConfig(f"tls://user:secret@{host}:{server.port}", tls=trusted_by(ca_file))


async def is_kept_out_by(bus: Bus, word: str) -> None:
    """Wait until this word tells why the bus is not connected; a busy machine may first have been too slow."""
    await eventually(lambda: word in bus.fault, what=f"{word!r} is the fault")
    assert not bus.is_connected


async def test_nats_over_tls(tmp_path: Path, authority: Authority, certificate: Certificate) -> None:
    async with (
        nats_with(tmp_path, certificate) as server,
        Bus.connect(over_tls(server, authority.ca, "localhost")) as bus,
        asyncio.timeout(DEADLINE_S),
    ):
        await bus.connected()
        await bus.ping()


async def test_nats_with_a_certificate_of_a_stranger_is_not_used(
    tmp_path: Path, certificate: Certificate, stranger: Authority
) -> None:
    for ca_file in (stranger.ca, None):  # another authority; those of the system
        async with nats_with(tmp_path, certificate) as server, Bus.connect(over_tls(server, ca_file)) as bus:
            await is_kept_out_by(bus, "certificate")


async def test_nats_under_a_name_that_its_certificate_has_not_is_not_used(tmp_path: Path, authority: Authority) -> None:
    elsewhere = authority.certificate("elsewhere", ("DNS:nats.elsewhere",))
    async with nats_with(tmp_path, elsewhere) as server, Bus.connect(over_tls(server, authority.ca)) as bus:
        await is_kept_out_by(bus, "127.0.0.1")


async def test_no_password_is_sent_where_a_server_denies_tls(authority: Authority) -> None:
    """Whoever sits between can say that the server has no TLS: an address with `tls://` takes that from nobody."""
    heard = bytearray()

    async def deny(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.12.0","max_payload":1048576,"auth_required":true}\r\n')
        try:
            async with asyncio.timeout(0.5):
                heard.extend(await reader.read(1_000))
        except TimeoutError:
            pass
        writer.close()

    server = await asyncio.start_server(deny, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = BusConfig(f"tls://user:secret@127.0.0.1:{port}", tls=trusted_by(authority.ca))
    async with Bus.connect(config) as bus:
        await is_kept_out_by(bus, "no TLS")
    server.close()
    assert not heard


async def test_authorities_are_read_again_at_the_next_connection(
    tmp_path: Path, authority: Authority, certificate: Certificate, stranger: Authority
) -> None:
    ca_file = tmp_path / "ca.crt"
    ca_file.write_bytes(authority.ca.read_bytes())
    shown = Certificate(tmp_path / "nats.crt", tmp_path / "nats.key")
    shown.replace_with(certificate)
    async with nats_with(tmp_path / "nats", shown) as server, Bus.connect(over_tls(server, ca_file)) as bus:
        async with asyncio.timeout(DEADLINE_S):
            await bus.connected()
        shown.replace_with(stranger.certificate("new"))
        await server.restart()
        await eventually(lambda: "certificate" in bus.fault, what="the new authority is not trusted yet")
        ca_file.write_bytes(stranger.ca.read_bytes())
        await eventually(lambda: bus.is_connected, what="the bus trusts the new authority")


async def test_redis_over_tls(
    redis_server: RedisServer, authority: Authority, certificate: Certificate, stranger: Authority
) -> None:
    async with tls_front(certificate, redis_server.port) as port:
        for host in ("127.0.0.1", "localhost"):
            async with open_redis(f"rediss://{host}:{port}/0", trusted_by(authority.ca)) as redis:
                await ping(redis)
        async with open_redis(f"rediss://127.0.0.1:{port}/0", trusted_by(stranger.ca)) as redis:
            with pytest.raises(StoreUnavailable, match="certificate"):
                await ping(redis)
        async with open_redis(f"rediss://127.0.0.1:{port}/0") as redis:
            with pytest.raises(StoreUnavailable, match="certificate"):
                await ping(redis)


async def test_an_engine_over_https(authority: Authority, certificate: Certificate, stranger: Authority) -> None:
    async with ScriptedEngine() as scripted, tls_front(certificate, int(scripted.url.rpartition(":")[2])) as port:
        url = f"https://localhost:{port}/v1"
        async with Engine(EngineConfig(url, tls=trusted_by(authority.ca))) as engine:
            assert await engine.models() == {"scripted": 0}
        for tls in (trusted_by(stranger.ca), None):
            async with Engine(EngineConfig(url, tls=tls)) as engine:
                with pytest.raises(EngineUnreachable, match=r"(?i)certificate"):
                    await engine.models()


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("", "no certificate"), ("no certificate", "no certificate")]
)
def test_a_file_of_authorities_that_cannot_be_used_is_said_at_the_start(
    tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StartupError, match=rf"VIGIL_CA_FILE: .*ca\.crt cannot be used \(.*{said}"):
        trusted_by(path)


def test_a_certificate_that_cannot_be_used_is_said_at_the_start(tmp_path: Path, authority: Authority) -> None:
    mine, others = authority.certificate("mine"), authority.certificate("others")
    for cert, key in (
        (mine.cert, others.key),
        (mine.key, mine.key),
        (mine.cert, mine.cert),
        (tmp_path / "x", mine.key),
    ):
        with pytest.raises(StartupError, match=r"VIGIL_TLS_CERT_FILE, VIGIL_TLS_KEY_FILE: .* cannot be used"):
            ServerCertificate(cert, key)


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path, authority: Authority) -> None:
    locked = tmp_path / "locked.key"
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBvTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI\n")
    with pytest.raises(StartupError, match="without a passphrase"):
        ServerCertificate(authority.certificate("locked").cert, locked)


def test_files_are_read_again_only_when_they_change(tmp_path: Path) -> None:
    path = tmp_path / "value"
    path.write_text("1")
    reads: list[int] = []

    def read() -> int:
        reads.append(int(path.read_text()))
        return reads[-1]

    value = ReadAgain("number", (path,), read)
    assert [value.current(), value.current()] == [1, 1]
    path.write_text("22")
    assert [value.current(), value.current(), reads] == [22, 22, [1, 22]]
    with capture_logs() as logs:
        path.write_text("no number")
        assert [value.current(), value.current()] == [22, 22]
        path.unlink()
        assert [value.current(), value.current()] == [22, 22]
        assert REGISTRY.get_sample_value("vigil_tls_files_fault", {"what": "number"}) == 1
    assert [entry["event"] for entry in logs] == ["TLS files not read"] * 2, "spoiled, then gone, each told once"
    path.write_text("333")
    assert value.current() == 333
    assert REGISTRY.get_sample_value("vigil_tls_files_fault", {"what": "number"}) == 0


def test_a_new_pair_of_files_is_used_once_both_are_there(tmp_path: Path, authority: Authority) -> None:
    mine, fresh = authority.certificate("first"), authority.certificate("second")
    shown = Certificate(tmp_path / "tls.crt", tmp_path / "tls.key")
    shown.replace_with(mine)
    server = ServerCertificate(shown.cert, shown.key)
    assert server._changed() is None
    shown.cert.write_bytes(fresh.cert.read_bytes())
    assert server._changed() is None, "the key is still the old one"
    shown.key.write_bytes(fresh.key.read_bytes())
    assert isinstance(server._changed(), grpc.ServerCertificateConfiguration)
    assert server._changed() is None
    assert isinstance(server.context(), ssl.SSLContext)


def expiry_s(cert: Path) -> float:
    """When a certificate expires, as OpenSSL says it."""
    command = ("openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", str(cert))
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return datetime.fromisoformat(said.strip().removeprefix("notAfter=")).timestamp()


def exported_expiry_s(what: str) -> float | None:
    return REGISTRY.get_sample_value("vigil_certificate_expiry_timestamp_seconds", {"what": what})


@pytest.mark.parametrize("days", [1, 9_000, 40_000])
def test_the_expiry_of_a_certificate_is_what_openssl_says(tmp_path: Path, days: int) -> None:
    """From 2050 on a certificate holds the time in another form."""
    made = Authority(tmp_path).certificate(days=days)
    assert expiries_s(made.cert.read_text()) == (expiry_s(made.cert),)


def test_the_expiry_of_each_certificate_of_a_file_is_read_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certs = [authority.certificate(f"days-{days}", days=days).cert for days in (3, 1)]
    spoiled = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"
    text = "A comment.\n" + spoiled.join(cert.read_text() for cert in certs)
    assert expiries_s(text) == tuple(map(expiry_s, certs))
    assert expiries_s("no certificate") == ()


@given(st.binary(max_size=400))
def test_bytes_that_are_no_certificate_have_no_expiry(content: bytes) -> None:
    assert expiries_s(ssl.DER_cert_to_PEM_cert(content)) == ()


def test_the_metric_tells_when_the_shown_certificate_expires_and_follows_the_file(
    tmp_path: Path, authority: Authority
) -> None:
    old, new = authority.certificate("old", days=1), authority.certificate("new", days=30)
    shown = Certificate(tmp_path / "tls.crt", tmp_path / "tls.key")
    shown.replace_with(old)
    shown.cert.write_text(old.cert.read_text() + authority.ca.read_text())  # the whole chain: its first end counts
    ServerCertificate(shown.cert, shown.key)
    assert exported_expiry_s("certificate") == expiry_s(old.cert)
    shown.replace_with(new)
    assert exported_expiry_s("certificate") == expiry_s(new.cert), "nobody has connected since"


def test_the_metric_tells_when_the_last_authority_expires(tmp_path: Path, authority: Authority) -> None:
    retired = authority.certificate("retired", days=1)
    both = tmp_path / "ca.crt"
    both.write_text(retired.cert.read_text() + authority.ca.read_text())
    assert trusted_by(both) is not None
    assert exported_expiry_s("authorities") == expiry_s(authority.ca)
