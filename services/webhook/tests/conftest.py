"""Real NATS, receivers that play a script over real HTTP, and a bridge between them."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from vigil.contract import subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.streams import DEAD_LETTERS
from vigil.contract.subject_tokens import AlertAction
from vigil.core.alert import AlertState
from vigil.runtime.bus.client import Bus
from vigil.runtime.process.config import load
from vigil.runtime.process.health import Phase
from vigil.runtime.process.service import Service
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer
from vigil_webhook.config import WebhookSettings
from vigil_webhook.main import build

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass(frozen=True, slots=True)
class Post:
    """One request as a receiver saw it."""

    headers: dict[str, str]
    body: bytes

    @property
    def number(self) -> int:
        """Which of `alert`'s numbers it carries."""
        return int(json.loads(self.body)["data"]["decision_sequence"])


@dataclass(slots=True)
class Receiver:
    """An endpoint. `answer` is asked for each request: a status, or a response of its own."""

    port: int = field(default_factory=free_port)
    answer: Callable[[Post], int | web.Response] = lambda _: 204
    posts: list[Post] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/a-path-token"

    @property
    def numbers(self) -> list[int]:
        return [post.number for post in self.posts]

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Be gone. Idempotent."""
        self.gate.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def has(self, count: int, deadline_s: float = DEADLINE_S) -> list[int]:
        """The numbers it was sent, once there are `count`."""
        await eventually(lambda: len(self.posts) >= count, deadline_s, f"{count} posts")
        return self.numbers

    async def _receive(self, request: web.Request) -> web.Response:
        post = Post(dict(request.headers), await request.read())
        self.posts.append(post)
        await self.gate.wait()
        answer = self.answer(post)
        return answer if isinstance(answer, web.Response) else web.Response(status=answer)


def alert(
    number: int,
    *,
    of: int | None = None,
    tenant: str = "demo",
    source: str = "lobby",
    severity: str = "critical",
    state: str = "opened",
) -> Outgoing:
    """An alert event as interaction stores it, as far as the bridge reads it: of the alert `of`, else of its own."""
    data = {"tenant": tenant, "source_id": source, "severity": severity, "state": state, "session": "s-1"}
    event = {
        "specversion": "1.0",
        "id": f"a-{number}.0" if state in tuple(AlertState) else f"a-{number}.{state}.0",
        "source": f"/tenants/{tenant}/sources/{source}",
        "type": f"vigil.alert.{state}",
        "subject": f"a-{number if of is None else of}",
        "time": "2026-01-31T12:00:00.000Z",
        "data": data | {"decision_sequence": number, "text": "Es brennt — ein „Feuer“."},
        "traceparent": f"00-{number + 1:032x}-00f067aa0ba902b7-01",
    }
    subject = subjects.alert(tenant, source, AlertState(state) if state in tuple(AlertState) else AlertAction(state))
    return Outgoing(subject, f"{tenant}.{event['id']}", json.dumps(event, ensure_ascii=False).encode(), CLOUDEVENT)


@dataclass(slots=True)
class Stage:
    """A bus to store alerts on, and a folder for the endpoints' file."""

    bus: Bus
    nats: NatsServer
    folder: Path

    def file(self, *endpoints: dict[str, Any]) -> Path:
        """Write the file; what an endpoint leaves out is filled in."""
        usual = {"tenant": "demo", "secret": SECRET}
        path = self.folder / "webhooks.json"
        path.write_text(json.dumps({"endpoints": [usual | endpoint for endpoint in endpoints]}))
        return path

    async def send(self, *outgoing: Outgoing) -> None:
        """Store alerts."""
        for message in outgoing:
            await self.bus.publish_stored(message)

    @asynccontextmanager
    async def bridge(self, *endpoints: dict[str, Any], **settings: object) -> AsyncIterator[Service[WebhookSettings]]:
        """A bridge in this process, ready."""
        values = {
            "nats_url": self.nats.url,
            "http_port": 0,
            "webhooks_file": self.file(*endpoints),
            "webhook_allow_local": True,
            "webhook_retry_first_s": 0.05,
            "webhook_retry_most_s": 0.2,
            **settings,
        }
        service = Service("webhook", load(WebhookSettings, values))
        serving = asyncio.create_task(service.live(build))
        try:
            await eventually(lambda: _ready(service, serving), what="the bridge is ready")
            yield service
        finally:
            service.stop()
            assert await serving == 0

    async def dead_letters(self, count: int) -> list[dict[str, Any]]:
        """The dead letters, once there are `count`."""
        found: list[dict[str, Any]] = []
        async with (
            asyncio.timeout(DEADLINE_S),
            self.bus.consume(DEAD_LETTERS, "reader", "vigil.v1.dlq.webhook") as consumer,
        ):
            async for delivery in consumer:
                found.append(json.loads(delivery.payload))
                await delivery.ack()
                if len(found) == count:
                    return found
        raise AssertionError("a consumer never ends")


async def _ready(service: Service[WebhookSettings], serving: "asyncio.Task[int]") -> bool:
    assert not serving.done(), serving.result()
    return service.health.phase is Phase.SERVING and (await service.health.check()).ready


@pytest.fixture
def stage(bus: Bus, nats_server: NatsServer, tmp_path: Path) -> Stage:
    """A stage without a bridge yet."""
    return Stage(bus, nats_server, tmp_path)


@pytest.fixture
async def receivers() -> AsyncIterator[Callable[..., Receiver]]:
    """Makes receivers that answer at once, and stops them afterwards."""
    made: list[Receiver] = []

    def make(**changes: Any) -> Receiver:
        receiver = Receiver(**changes)
        receiver.gate.set()
        made.append(receiver)
        return receiver

    yield make
    for receiver in made:
        await receiver.stop()


@pytest.fixture
def stored() -> Callable[..., Outgoing]:
    """Makes alert events."""
    return alert


@pytest.fixture
def key() -> bytes:
    """The key of every endpoint's secret."""
    return KEY
