"""One trace from a camera's frame to the alert that it caused, through every service and the engine."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import format_span_id, format_trace_id
from redis.asyncio import Redis

from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.contract.streams import ALERTS
from vigil.core.command import Instruct
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Watch
from vigil.core.session import SessionSpec
from vigil.core.source import Role, Source, SourceKind
from vigil.runtime.bus.client import Bus
from vigil.runtime.engine.pool import EnginePool
from vigil.runtime.placement.claimer import Claimer, Run
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.process.config import load
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.script import Reply
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.spans import recorded
from vigil.testing.videos import write_video
from vigil_codec.coder import Coder
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.watcher import Watcher
from vigil_interaction.load import Load
from vigil_interaction.ports import Ports
from vigil_interaction.session import ClaimedSession

KEY = SessionKey("demo", "s-1")
FIRE = Instruction("w-fire", "Alert me when a fire starts.", Watch("fire"))
CHAIN = ["frames publish", "frames code", "tick", "engine.complete"]


@asynccontextmanager
async def workers(bus: Bus, redis: Redis, engine_url: str) -> AsyncIterator[None]:
    """One worker of each role, in this process, for a session that has been opened."""
    store, placement = SessionStore(redis), Placement(redis)
    async with AsyncExitStack() as stack:
        engines = await stack.enter_async_context(EnginePool([engine_url]))
        ports = Ports(store, bus, placement, engines, 5.0, "worker", lambda: time.time_ns() // 1_000, Load(1))

        async def interact(claim: Claim) -> None:
            await ClaimedSession(ports, claim).run()

        watching = {"worker": "worker", "local_source_tenants": KEY.tenant}
        runs: dict[Role, Run] = {
            Role.INGESTION: Watcher(ports, load(IngestionSettings, watching)).run,
            Role.CODEC: Coder(ports).run,
            Role.INTERACTION: interact,
        }
        for role, run in runs.items():
            claimer = Claimer(placement, bus, role=role, worker="worker", capacity=1, run=run)
            task = asyncio.create_task(claimer.run())
            stack.push_async_callback(asyncio.wait, [task])
            stack.callback(task.cancel)
        yield


async def first_alert(bus: Bus) -> tuple[CloudEvent, str]:
    """The first alert that is stored, and the `traceparent` of its message."""
    async with asyncio.timeout(30), bus.consume(ALERTS, "trace", ALERTS.subjects[0]) as consumer:
        message = await anext(aiter(consumer))
        return decode_event(message.payload), message.headers["traceparent"]


def chain(span: ReadableSpan, spans: dict[str, ReadableSpan]) -> list[str]:
    """Names from the root of a span's trace down to the span."""
    names = [span.name]
    while span.parent is not None:
        span = spans[format_span_id(span.parent.span_id)]
        names.insert(0, span.name)
    return names


async def test_a_frame_and_the_alert_that_it_caused_share_a_trace(bus: Bus, redis: Redis, tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=4)
    spec = SessionSpec(
        KEY.tenant,
        KEY.session,
        Source("cam", SourceKind.FILE, video.as_uri(), loop=True),
        "vigil-small",
        "scripted",
    )
    await SessionStore(redis).create(spec, (Instruct(FIRE),))
    await Placement(redis).open(KEY, spec.roles)
    with recorded() as exporter:
        async with (
            ScriptedEngine(lambda _: Reply("</response> A fire has started.")) as engine,
            workers(bus, redis, engine.url),
        ):
            alert, header = await first_alert(bus)
            trace_id = alert.traceparent.split("-")[1] if alert.traceparent else ""

            def ended() -> list[ReadableSpan]:
                spans = exporter.get_finished_spans()
                return [one for one in spans if one.context and format_trace_id(one.context.trace_id) == trace_id]

            await eventually(lambda: len(ended()) >= len(CHAIN), 5, "the spans of the alert's trace have ended")
    spans = {format_span_id(one.context.span_id): one for one in ended() if one.context}
    (asked,) = [one for one in spans.values() if one.name == "engine.complete"]
    assert chain(asked, spans) == CHAIN
    assert alert.type == "vigil.alert.opened"
    assert header == alert.traceparent
    assert spans[header.split("-")[2]].name == "tick"
    assert engine.seen[0].traceparent.split("-")[1:3] == [trace_id, format_span_id(asked.context.span_id)]
