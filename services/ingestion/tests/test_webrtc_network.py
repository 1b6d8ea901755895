"""The ports and addresses at which clients of WebRTC reach a worker."""

import re
import socket
from collections.abc import AsyncIterator

import pytest
from aioice import Connection

from vigil.runtime.process.config import ConfigInvalid, load
from vigil.runtime.process.ice_servers import IceServer
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.webrtc.gathering import PortsTaken, gather
from vigil_ingestion.webrtc.network import Network, addresses, port_range

PORTS = range(47_310, 47_313)


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    """An ICE connection that gathers nothing by itself."""
    opened = Connection(ice_controlling=False)
    yield opened
    await opened.close()


def test_settings_say_where_clients_reach_the_worker() -> None:
    values = {
        "webrtc_udp_ports": "50000-50019",
        "webrtc_advertised_address": "203.0.113.5, 2001:db8::5",
        "webrtc_video_kbps": 800,
        "ice_servers": '[{"urls": "stun:stun.example:3478"}]',
    }
    found = load(IngestionSettings, values).network
    servers = (IceServer(("stun:stun.example:3478",)),)
    assert found == Network(range(50_000, 50_020), ("203.0.113.5", "2001:db8::5"), servers, 800)
    assert load(IngestionSettings).network == Network()


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("webrtc_udp_ports", "50019-50000", "the first and the last port"),
        ("webrtc_udp_ports", "80-90", "the first and the last port"),
        ("webrtc_udp_ports", "50000", "the first and the last port"),
        ("webrtc_advertised_address", "vigil.example", "give an IP address"),
        ("webrtc_advertised_address", "203.0.113.5,203.0.113.6", "one address of IPv4 and one of IPv6"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, value: str, message: str) -> None:
    with pytest.raises(ConfigInvalid, match=f"VIGIL_{setting.upper()}: .*{message}"):
        load(IngestionSettings, {setting: value})


def test_nothing_given_is_nothing_told() -> None:
    assert (port_range(" "), addresses("")) == (range(0), ())


async def test_sockets_are_opened_in_the_range_alone(connection: Connection) -> None:
    await gather(connection, Network(PORTS, ("203.0.113.5",)))
    [candidate] = connection.local_candidates
    assert candidate.port in PORTS
    assert (candidate.host, candidate.type) == ("203.0.113.5", "host")
    await connection.gather_candidates()
    assert connection.local_candidates == [candidate]


async def test_what_is_advertised_is_told_and_not_used(connection: Connection) -> None:
    await gather(connection, Network(advertised=("203.0.113.5",)))
    [candidate] = connection.local_candidates
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"\x80anything", ("127.0.0.1", candidate.port))
        connection._nominated[1] = object()  # type: ignore[assignment]  # as after a check
        assert await connection.recv() == b"\x80anything"
        connection._nominated.clear()


async def test_without_a_range_every_address_gets_a_socket(connection: Connection) -> None:
    await gather(connection, Network())
    assert connection.local_candidates
    assert all(re.fullmatch(r"[0-9a-f.:]+", candidate.host) for candidate in connection.local_candidates)


async def test_a_range_that_is_used_up_is_told(connection: Connection) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", PORTS.start))
        with pytest.raises(PortsTaken, match="47310 to 47310"):
            await gather(connection, Network(PORTS[:1], ("203.0.113.5",)))


@pytest.mark.slow
async def test_servers_that_do_not_answer_take_nothing_away(connection: Connection) -> None:
    connection.stun_server = ("127.0.0.1", 1)
    await gather(connection, Network(advertised=("203.0.113.5",)))
    assert [candidate.type for candidate in connection.local_candidates] == ["host"]
