"""Alerts from a NATS server with TLS: whose certificate is accepted, and that no password is sent without it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vigil.testing.certificates import Authority, nats_tls
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.servers import NatsServer
from vigil_client.alerts import alert_subject, alerts, subscribed
from vigil_client.commands import target
from vigil_client.endpoints import Endpoints, write
from vigil_client.errors import ClientError, Unreachable
from vigil_client.nats_connection import connected
from vigil_client.testing.scripted_answers import alert_json

OPENED = "vigil.v1.alert.demo.lobby.opened"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def server(tmp_path: Path, authority: Authority) -> AsyncIterator[NatsServer]:
    """NATS with a certificate for this machine."""
    started = NatsServer(tmp_path / "nats", nats_tls(authority.certificate()))
    await started.start()
    yield started
    await started.kill()


async def test_alerts_are_heard_over_tls(server: NatsServer, authority: Authority) -> None:
    url, ca_file = f"tls://localhost:{server.port}", str(authority.ca)
    async with (
        connected(url, lambda fault: None, ca_file) as other,
        subscribed(url, alert_subject("demo"), ca_file=ca_file) as received,
        asyncio.timeout(DEADLINE_S),
    ):
        await other.client.publish(OPENED, json.dumps(alert_json("opened")).encode())
        assert json.loads(await anext(received))["data"]["state"] == "opened"


async def test_a_certificate_of_a_stranger_is_refused(server: NatsServer, tmp_path: Path) -> None:
    for ca_file in ("", str(Authority(tmp_path / "stranger").ca)):
        with pytest.raises(Unreachable, match="certificate"):
            await anext(alerts(f"tls://localhost:{server.port}", ca_file=ca_file))


async def test_no_password_is_sent_where_a_server_denies_tls(authority: Authority) -> None:
    heard = bytearray()

    async def deny(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.12.0","max_payload":1048576,"auth_required":true}\r\n')
        heard.extend(await reader.read(1_000))
        writer.close()

    denying = await asyncio.start_server(deny, "127.0.0.1", 0)
    port = denying.sockets[0].getsockname()[1]
    with pytest.raises(Unreachable, match="no TLS"):
        await anext(alerts(f"tls://pager:secret@127.0.0.1:{port}", ca_file=str(authority.ca)))
    denying.close()
    assert not heard


async def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    path.write_text("nothing")
    with pytest.raises(ClientError, match="no certificate is in it"):
        await anext(alerts("tls://127.0.0.1:4222", ca_file=str(path)))


def test_commands_find_the_authorities_beside_the_addresses(tmp_path: Path) -> None:
    known = Endpoints("https://vigil.local", "tls://vigil.local", "key", ca_file="/etc/vigil/ca.crt")
    write(tmp_path / "endpoints.json", known)
    assert target.gateway("", "", data_dir=tmp_path) == ("https://vigil.local", "key", "/etc/vigil/ca.crt")
    assert target.gateway("", "", "own.crt", tmp_path) == ("https://vigil.local", "key", "own.crt")
    assert target.gateway("https://other", "key", "", tmp_path) == ("https://other", "key", "")
    assert target.nats("", data_dir=tmp_path) == ("tls://vigil.local", "/etc/vigil/ca.crt")
    assert target.nats("tls://other", "own.crt", tmp_path) == ("tls://other", "own.crt")
