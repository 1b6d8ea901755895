"""A whole Vigil as its users run it: `vigil up` as a process, REST over HTTP, plain nats-py for what it publishes."""

import asyncio
import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from vigil.contract.decision import StoredDecision, decode_decision
from vigil.testing.eventually import eventually
from vigil.testing.handled import handled
from vigil.testing.ports import free_ports
from vigil_local.supervisor.plan import PREFERRED_PORTS

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
START_S = 280.0
ROOM_S = 90.0


class Reachable(Protocol):
    """A running Vigil as its clients see it, however it was started."""

    @property
    def endpoints(self) -> dict[str, Any]:
        """`gateway_url`, `api_key` and `nats_url`, at least."""
        ...

    @property
    def service_nats_url(self) -> str:
        """NATS with the operator's rights."""
        ...


@dataclass(frozen=True, slots=True)
class System:
    """A running Vigil and where it is: its ports follow each other from `port_base` on."""

    data_dir: Path
    process: "subprocess.Popen[bytes]"
    port_base: int

    @property
    def endpoints(self) -> dict[str, Any]:
        """What `vigil up` wrote down, read anew: process ids change when something is restarted."""
        found: dict[str, Any] = json.loads((self.data_dir / "endpoints.json").read_text())
        return found

    @property
    def service_nats_url(self) -> str:
        """NATS with the operator's rights, to look into streams that downstream systems may not read."""
        password = json.loads((self.data_dir / "secrets.json").read_text())["nats_password"]
        return str(self.endpoints["nats_url"]).replace("nats://", f"nats://operator:{password}@")

    def port(self, name: str) -> int:
        """Where the process of that name listens; `asr gRPC` is the gRPC port of `asr`."""
        return self.port_base + list(PREFERRED_PORTS).index(name)

    def kill(self, name: str) -> int:
        """SIGKILL the process called `name`; its process id."""
        pid = int(self.endpoints["pids"][name])
        os.kill(pid, signal.SIGKILL)
        return pid

    def engine_metrics(self) -> dict[str, float]:
        """The engine's own counters, summed over labels."""
        with urllib.request.urlopen(f"{self.endpoints['engine_url']}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        totals: dict[str, float] = {}
        for line in lines:
            if line and not line.startswith("#"):
                name = line.split("{")[0].split(" ")[0]
                totals[name] = totals.get(name, 0.0) + float(line.rsplit(" ", 1)[1])
        return totals

    def logs(self) -> str:
        """The end of every process's log, for a failing test."""
        paths = sorted((self.data_dir / "logs").glob("*.log"))
        ends = {path.name: path.read_text(errors="replace").splitlines()[-15:] for path in paths}
        return "\n".join(f"--- {name}\n" + "\n".join(lines) for name, lines in ends.items())


@contextmanager
def running(data_dir: Path, *arguments: str) -> Iterator[System]:
    """`vigil up` until it is healthy, stopped on leaving. Its data and logs are in `data_dir`."""
    port_base = free_ports(len(PREFERRED_PORTS))
    places = ("--data-dir", str(data_dir), "--port-base", str(port_base))
    command = [str(BIN / "vigil"), "up", *places, *arguments]
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        system = System(data_dir, process, port_base)
        try:
            _await_healthy(system)
            yield system
        finally:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
            if process.poll() is None:
                process.kill()
                process.wait()


def _await_healthy(system: System) -> None:
    """Wait for the line that `vigil up` prints when every health gate has opened."""
    told = system.data_dir / "up.log"
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and system.process.poll() is None:
        if "Vigil is up" in told.read_text(errors="replace"):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            system.process.wait(0.2)
    raise AssertionError(f"vigil up is not healthy:\n{told.read_text(errors='replace')}\n{system.logs()}")


@dataclass(slots=True)
class Rest:
    """The gateway over plain HTTP."""

    url: str
    http: aiohttp.ClientSession
    opened: list[str] = field(default_factory=list)

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one call."""
        async with self.http.request(method, self.url + path, json=body) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def open(self, url: str, **body: Any) -> str:
        """Open a session on `url`; its id. The session ends when the client is closed.

        Where every worker is full it is tried again, as the answer says: a machine that others use, too, has less room.
        """
        source = {"url": url, **body.pop("source", {})}
        status, answer = await eventually(lambda: self._opened({"source": source, **body}), ROOM_S, "there is room")
        assert status == 201, answer
        self.opened.append(answer["id"])
        return str(answer["id"])

    async def _opened(self, body: dict[str, Any]) -> tuple[int, Any] | None:
        """Status and answer; None, after the time that the answer asks for, when every worker is full."""
        async with self.http.post(f"{self.url}/v1/sessions", json=body) as answer:
            found = await answer.json()
            if answer.status == 503 and found["type"] == "urn:vigil:problem:capacity_full":
                await asyncio.sleep(float(answer.headers["Retry-After"]))
                return None
            return answer.status, found

    async def turns(self, session: str, count: int) -> bool:
        """Whether the session has had `count` turns; no when the gateway is away."""
        try:
            status, answer = await self.call("GET", f"/v1/sessions/{session}/history")
        except aiohttp.ClientError:
            return False
        return status == 200 and len(answer["turns"]) >= count

    async def end(self, session: str) -> None:
        """End a session."""
        await self.call("DELETE", f"/v1/sessions/{session}")


@asynccontextmanager
async def rest(system: Reachable, key: str | None = None) -> AsyncIterator[Rest]:
    """A REST client with the demo tenant's key; ends the sessions it opened."""
    found = system.endpoints
    headers = {"Authorization": f"Bearer {key or found['api_key']}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        client = Rest(found["gateway_url"], http)
        try:
            yield client
        finally:
            for session in client.opened:
                await client.end(session)


async def decisions(system: Reachable, session: str) -> list[StoredDecision]:
    """All of a session's decisions in the DECISIONS stream, in the order in which they were stored."""
    client: Client = await nats.connect(system.service_nats_url)
    try:
        subscription = await client.jetstream().pull_subscribe(
            f"vigil.v1.decision.demo.{session}",
            stream="DECISIONS",
            config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL),
        )
        found: list[StoredDecision] = []
        while (await subscription.consumer_info()).num_pending:
            for message in await subscription.fetch(100, timeout=5):
                found.append(decode_decision(message.data))
                await message.ack()
        return found
    finally:
        await client.close()


class Listener:
    """Messages of one subscription, and a way to wait for one."""

    def __init__(self) -> None:
        self.messages: list[tuple[float, str, dict[str, Any]]] = []
        self._arrived = asyncio.Event()

    async def receive(self, message: Msg) -> None:
        """nats-py's callback."""
        self.messages.append((time.time(), message.subject, json.loads(message.data)))
        self._arrived.set()

    async def wait_for(
        self, wanted: Callable[[str, dict[str, Any]], bool], deadline_s: float
    ) -> tuple[float, str, dict[str, Any]]:
        """The first message, past or future, that is `wanted`: arrival time, subject, event."""
        async with asyncio.timeout(deadline_s):
            while True:
                for arrival, subject, event in self.messages:
                    if wanted(subject, event):
                        return arrival, subject, event
                self._arrived.clear()
                await self._arrived.wait()


@asynccontextmanager
async def subscriber(system: Reachable, subject: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    """What a downstream system does: connect, without a password on this machine, and subscribe."""
    client: Client = await nats.connect(system.endpoints["nats_url"], tls=tls)
    listener = Listener()
    try:
        await client.subscribe(subject, cb=listener.receive)
        await handled(client)
        yield listener
    finally:
        await client.close()
