"""Certificates of a site: who accepts them, where they lie, when they are renewed; and real servers that show them."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vigil.contract.services import SERVICES
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.errors import StoreUnavailable
from vigil.runtime.process.tls import ServerCertificate, trusted_by
from vigil.runtime.store.redis_client import open_redis, ping
from vigil_client.endpoints import read as read_endpoints
from vigil_provision import secrets, site_folder
from vigil_provision.certificates import RENEW_DAYS, SERVER_DAYS, Pair, issued, new_authority, still_holds
from vigil_provision.site import Site, nats_file
from vigil_provision.testing.command import provision
from vigil_provision.testing.servers import ConfiguredNats, ConfiguredRedis

NOW = datetime.now(UTC).replace(microsecond=0)
HOSTS = ("nats", "localhost", "127.0.0.1", "192.0.2.10")
SITE = Site(tls=True, gateway="proxy:8080", public_hosts="vigil.example.org, 192.0.2.10")


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> dict[str, object]:
    """What the client gets to see of the server. Raises `ssl.SSLCertVerificationError`."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    mine = client.wrap_bio(to_client, to_server, server_hostname=host)
    others = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (mine, others):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return dict(mine.getpeercert() or {})


def served(folder: Path, pair: Pair) -> ssl.SSLContext:
    (folder / "x.crt").write_text(pair.cert)
    (folder / "x.key").write_text(pair.key)
    return ServerCertificate(folder / "x.crt", folder / "x.key").context()


def test_clients_accept_it_for_its_hosts_and_no_other(tmp_path: Path) -> None:
    authority = new_authority(NOW)
    server = served(tmp_path, issued(authority, HOSTS, NOW))
    trust = ssl.create_default_context(cadata=authority.cert)
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    for host in HOSTS:
        assert handshake(server, trust, host)["subjectAltName"]
    for host in ("redis", "127.0.0.2"):
        with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
            handshake(server, trust, host)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, ssl.create_default_context(cadata=new_authority(NOW).cert), "nats")


def test_a_certificate_of_a_server_signs_no_other(tmp_path: Path) -> None:
    authority = new_authority(NOW)
    forged = issued(issued(authority, HOSTS, NOW), ("gateway",), NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(served(tmp_path, forged), ssl.create_default_context(cadata=authority.cert), "gateway")


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({}, True),
        ({"now": NOW + timedelta(days=SERVER_DAYS - RENEW_DAYS)}, True),
        ({"now": NOW + timedelta(days=SERVER_DAYS - RENEW_DAYS, seconds=1)}, False),
        ({"hosts": (*HOSTS, "new.example.org")}, False),
        ({"hosts": HOSTS[1:]}, False),
        ({"authority": new_authority(NOW)}, False),
        ({"pair": Pair("no certificate", "no key")}, False),
    ],
)
def test_when_it_is_made_anew(changed: dict[str, object], holds: bool) -> None:
    authority = new_authority(NOW)
    given: dict[str, object] = {
        "pair": issued(authority, HOSTS, NOW),
        "authority": authority,
        "hosts": HOSTS,
        "now": NOW,
        **changed,
    }
    assert still_holds(**given) is holds  # type: ignore[arg-type]


def test_a_key_of_another_certificate_is_no_pair() -> None:
    authority = new_authority(NOW)
    mine, other = issued(authority, HOSTS, NOW), issued(authority, HOSTS, NOW)
    assert not still_holds(Pair(mine.cert, other.key), authority, HOSTS, NOW)


def test_each_reader_finds_its_files_and_nobody_the_key_of_another(tmp_path: Path) -> None:
    site_folder.write(tmp_path, SITE, NOW)
    ca = (tmp_path / "tls/ca.crt").read_text()
    for reader in (*(row.name for row in SERVICES), "redis", "cli", "streams", "trust"):
        assert (tmp_path / reader / "ca.crt").read_text() == ca
    public = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert public == [tmp_path / "trust/ca.crt"]
    keys = {path.parent.name for path in tmp_path.rglob("*.key")}
    assert keys == {"tls", "nats", "redis", "gateway"}
    trust = ssl.create_default_context(cadata=ca)
    for server, hosts in {
        "nats": ("nats", "127.0.0.1", "vigil.example.org"),
        "redis": ("redis", "localhost"),
        "gateway": ("gateway", "proxy", "vigil.example.org", "192.0.2.10"),
    }.items():
        shown = ServerCertificate(tmp_path / server / "tls.crt", tmp_path / server / "tls.key").context()
        for host in hosts:
            handshake(shown, trust, host)


def test_certificates_stay_until_they_are_due(tmp_path: Path) -> None:
    site_folder.write(tmp_path, SITE, NOW)
    assert site_folder.write(tmp_path, SITE, NOW + timedelta(days=1)) == ()
    late = site_folder.write(tmp_path, SITE, NOW + timedelta(days=SERVER_DAYS - 10))
    assert set(late) == {f"{server}/tls.{kind}" for server in ("nats", "redis", "gateway") for kind in ("crt", "key")}
    assert not (tmp_path / "gateway/tls_cert_file").exists()


def test_addresses_and_files_say_tls(tmp_path: Path) -> None:
    site_folder.write(tmp_path, SITE, NOW)
    assert (tmp_path / "codec/nats_url").read_text().startswith("tls://codec:")
    assert (tmp_path / "codec/redis_url").read_text().startswith("rediss://codec:")
    redis = (tmp_path / "redis/redis.conf").read_text().splitlines()
    assert {"port 0", "tls-port 6379", 'tls-cert-file "/etc/vigil/redis/tls.crt"', "tls-auth-clients no"} <= set(redis)
    found = read_endpoints(tmp_path / "cli/endpoints.json")
    assert (found.gateway_url, found.nats_url.partition("//")[0]) == ("https://proxy:8080", "tls:")
    assert found.ca_file == str(tmp_path / "cli/ca.crt")
    site_folder.write(tmp_path, Site(), NOW)
    assert "tls" not in (tmp_path / "nats/nats.conf").read_text()
    assert (tmp_path / "codec/nats_url").read_text().startswith("nats://")


async def test_the_command_takes_it_from_the_environment(tmp_path: Path) -> None:
    hosts = {"VIGIL_SITE_TLS": "true", "VIGIL_PUBLIC_HOSTS": "vigil.example.org"}
    result = await provision("write", "--site", str(tmp_path), **hosts)
    assert result.status == 0, result.output
    site, _ = site_folder.read(tmp_path)
    assert (site.tls, site.public_hosts) == (True, "vigil.example.org")


async def test_nats_with_the_configuration_of_a_site_speaks_tls(tmp_path: Path) -> None:
    site_folder.write(tmp_path / "site", SITE, NOW)
    made = secrets.load(tmp_path / "site" / secrets.FILE)
    config = nats_file(SITE, made, ()).replace("/etc/vigil/nats", str(tmp_path / "site/nats"))
    server = ConfiguredNats(tmp_path / "nats", config, made)
    await server.start()
    try:
        url = server.url_of("interaction").replace("nats://", "tls://")
        tls = trusted_by(tmp_path / "site/interaction/ca.crt")
        async with Bus.connect(BusConfig(url, "test", tls=tls)) as bus:
            await bus.connected()
    finally:
        await server.kill()


class TlsRedis(ConfiguredRedis):
    """A Redis whose one port speaks TLS, as its configuration says."""

    def command(self) -> list[str]:
        return [*super().command(), "--port", "0", "--tls-port", str(self.port)]

    async def answers(self) -> bool:
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.close()
        return True


async def test_a_redis_with_the_configuration_of_a_site_speaks_tls(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    program = pytestconfig.getoption("--redis-server")
    if not program:
        pytest.skip("the Redis that comes with Vigil was built without TLS: `make test-stores` runs this with others")
    folder = tmp_path / "site"
    site_folder.write(folder, SITE, NOW)
    made = secrets.load(folder / secrets.FILE)
    config, users = ((folder / "redis" / name).read_text() for name in ("redis.conf", "users.acl"))
    config = config.replace("/etc/vigil/redis", str(folder / "redis"))
    server = TlsRedis(tmp_path / "redis", config, users, program, made)
    try:
        await server.start()
    except RuntimeError as error:
        if "TLS support" in str(error) or "tls-port" in str(error):
            pytest.skip("this server was built without TLS")
        raise
    try:
        url = server.url_of("interaction").replace("redis://", "rediss://")
        async with open_redis(url, trusted_by(folder / "interaction/ca.crt")) as redis:
            await ping(redis)
        with pytest.raises(StoreUnavailable):
            async with open_redis(server.url_of("interaction")) as redis:
                await ping(redis)
    finally:
        await server.kill()
