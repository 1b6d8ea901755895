"""A camera behind a strict firewall: the client and the worker reach each other only over a real TURN server, coturn.

Neither is told an address of the other but those that the server lends; the server's log says what it carried.
"""

import asyncio
import json
import shutil
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aioice.ice import get_host_addresses
from aiortc import RTCIceServer
from door import KEY, Door, open_door
from whip_client import Colour, publishing

from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port

SERVER = shutil.which("turnserver")
# An address of this machine: no client of a worker can be at a loopback address.
ADDRESSES = get_host_addresses(use_ipv4=True, use_ipv6=False)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(SERVER is None, reason="needs coturn: make turn"),
    pytest.mark.skipif(not ADDRESSES, reason="needs a network: the server lends an address that is no loopback one"),
]

USER, PASSWORD = "vigil", "of-the-test"
LENT_PORTS = range(47_900, 47_940)
SOON_S = 60.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A running TURN server."""

    port: int
    log: Path

    def url(self, transport: str) -> str:
        """Its address for clients that come by UDP or by TCP."""
        return f"turn:{ADDRESSES[0]}:{self.port}?transport={transport}"

    def says(self, words: str) -> bool:
        """Whether its log has these words."""
        return words in self.log.read_text(errors="replace")


@asynccontextmanager
async def turn_server(folder: Path) -> AsyncIterator[Turn]:
    """coturn with one user, at one address of this machine; ended on leaving."""
    assert SERVER is not None
    turn = Turn(free_port(), folder / "turn.log")
    arguments = [
        *("-n", "--verbose", "--no-cli", "--no-tls", "--no-dtls", "--fingerprint", "--lt-cred-mech"),
        *("--listening-ip", ADDRESSES[0], "--relay-ip", ADDRESSES[0]),
        *("--listening-port", str(turn.port), "--realm", "vigil", "--user", f"{USER}:{PASSWORD}"),
        *("--min-port", str(LENT_PORTS.start), "--max-port", str(LENT_PORTS.stop - 1)),
        *("--userdb", str(folder / "turn.db"), "--pidfile", str(folder / "turn.pid"), "--log-file", "stdout"),
    ]
    with turn.log.open("wb") as log:
        started = await asyncio.create_subprocess_exec(SERVER, *arguments, stdin=DEVNULL, stdout=log, stderr=STDOUT)
    try:
        await eventually(lambda: _takes(turn.port), what="the TURN server takes connections")
        yield turn
    finally:
        started.kill()
        await started.wait()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_client_that_reaches_nothing_but_the_turn_server_is_watched(tmp_path: Path, transport: str) -> None:
    async with turn_server(tmp_path) as turn:
        url = turn.url(transport)
        servers = json.dumps([{"urls": url, "username": USER, "credential": PASSWORD}])
        async with open_door(tmp_path, ingestion={"ICE_SERVERS": servers}, gateway={"ICE_SERVERS": servers}) as door:
            headers = {"Authorization": f"Bearer {KEY}"}
            async with aiohttp.ClientSession(headers=headers) as http:
                told = RTCIceServer(url, USER, PASSWORD)
                where = f"{door.url}/v1/whip?name=Yard"
                async with publishing(http, where, Colour((90, 90, 90)), [told], "relay") as published:
                    session = published.location.split("/")[5]
                    await eventually(lambda: _watching(http, door, session), SOON_S, "its pictures come")
                    assert published.peer.connectionState == "connected"
        # It writes down what it carried once the client has let go of what was lent to it.
        for words in (f"user <{USER}>", "peer usage"):
            await eventually(partial(turn.says, words), what=f"its log says {words!r}")


async def test_a_turn_server_that_refuses_the_password_costs_no_client(tmp_path: Path) -> None:
    async with turn_server(tmp_path) as turn:
        servers = json.dumps([{"urls": turn.url("udp"), "username": USER, "credential": "another"}])
        async with open_door(tmp_path, ingestion={"ICE_SERVERS": servers}) as door:
            headers = {"Authorization": f"Bearer {KEY}"}
            where = f"{door.url}/v1/whip?name=Yard"
            async with (
                aiohttp.ClientSession(headers=headers) as http,
                publishing(http, where, Colour((90, 90, 90))) as published,
            ):
                session = published.location.split("/")[5]
                await eventually(lambda: _watching(http, door, session), SOON_S, "its pictures come")
        assert "ICE servers not reached" in door.logs()


async def _watching(http: aiohttp.ClientSession, door: Door, session: str) -> bool:
    """Whether ingestion has pictures of the session."""
    async with http.get(f"{door.url}/v1/sessions/{session}") as answer:
        return bool((await answer.json())["status"].get("ingestion", {}).get("state") == "watching")


async def _takes(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(ADDRESSES[0], port)
    except OSError:
        return False
    writer.close()
    return True
