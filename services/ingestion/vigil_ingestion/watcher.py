"""What a worker does with a session that it holds: watches its source until that ends or the lease is lost."""

import asyncio
import contextlib
import random
import time

from vigil.contract import subjects
from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.frames import Frame, FrameGroup, encode_group
from vigil.contract.subjects import Lifecycle
from vigil.core.profile import profile
from vigil.core.session import SessionSpec
from vigil.core.source import Role, SourceKind
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError, BusUnavailable, SessionEnded, StoreError, StoreUnavailable, UnknownSession
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import span
from vigil.runtime.store.sessions import SessionStore
from vigil_ingestion import metrics
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.faults import SourceError
from vigil_ingestion.sampler import Group
from vigil_ingestion.status import Status, Watching, is_at_work, reconnecting
from vigil_ingestion.stream import Order, Stream, streaming

log = get_log()

LAST_TURN_S = 2.0  # after a file's end: time for its last turn to be decided before the session ends
STORE_RETRY_S = 1.0
LOOK_S = 5.0  # how often a session is looked at though nobody told of a change: word of it may have been lost
HAND_OVER_S = 6.0  # a draining worker goes on until another one shows the camera's pictures: for so long at most
LISTENED_S = 3.0  # a file waits for its codec and interaction worker, for so long at most
LISTEN_S = 0.05  # how often it is asked whether they listen
CAMERA_SIDE = (Role.INGESTION, Role.CODEC)


class Watcher:
    """`run` is the claimer's: one session, until its source ends for good."""

    def __init__(self, bus: Bus, store: SessionStore, placement: Placement, settings: IngestionSettings) -> None:
        self._bus = bus
        self._store = store
        self._placement = placement
        self._settings = settings

    async def run(self, claim: Claim) -> None:
        """Watch, then end the session. Raises `PortError`; it is run again then."""
        await self._bus.connected()
        try:
            await self._until_over(claim)
        except UnknownSession:
            log.info("session forgotten", reason="the store does not know it any more")
            await self._placement.close(claim.key, CAMERA_SIDE)

    async def is_relieved(self, claim: Claim) -> bool:
        """Whether another worker is past opening the source of this session, or the session is over."""
        if await self._store.ended(claim.key) is not None:
            return True
        said = (await self._store.status(claim.key)).get(Role.INGESTION, "")
        return is_at_work(said, other_than=self._settings.worker)

    async def _until_over(self, claim: Claim) -> None:
        look = await self._store.look(claim.key)
        if look.ended is None:
            reason = await Watch(self._bus, self._store, self._settings, claim, look.spec).run()
            if reason is not None:
                log.info("source ended", reason=reason)
                await asyncio.sleep(LAST_TURN_S)
                await self._store.end(claim.key, reason)
        await self._finish(claim, look.spec)

    async def _finish(self, claim: Claim, spec: SessionSpec) -> None:
        """Tell everyone, and let no camera side claim it again. The event's id is that of the gateway's: an end
        is told once, whoever tells it."""
        ended = await self._store.ended(claim.key)
        data = SessionData(
            spec.tenant, spec.session, spec.source.id, role="", worker="", reason=ended.reason if ended else ""
        )
        now_us = time.time_ns() // 1_000
        await self._bus.publish_stored(
            session_outgoing(Lifecycle.ENDED, data, created_us=spec.created_us, number=0, emit_time_us=now_us)
        )
        await self._placement.close(claim.key, CAMERA_SIDE)


class Watch:
    """One claim's work on one session."""

    def __init__(
        self, bus: Bus, store: SessionStore, settings: IngestionSettings, claim: Claim, spec: SessionSpec
    ) -> None:
        self._bus = bus
        self._store = store
        self._settings = settings
        self._claim = claim
        self._spec = spec
        self._stream: Stream | None = None
        self._sequence = 0
        self._watched_since = 0.0
        self._loop = asyncio.get_running_loop()

    async def run(self) -> str | None:
        """Watch until the source ends for good, and why; None when the session ended first. Raises `UnknownSession`."""
        return await first_to_end(self._until_ended(), self._follow())

    async def _follow(self) -> None:
        """Read the session's settings again whenever something about it changes; returns when it has ended."""
        while True:
            await self._bus.connected()
            try:
                async with self._bus.keep_latest(subjects.lifecycle_of(self._claim.key)) as changes:
                    while not await self._reload():  # first what changed while nobody listened
                        await _next_change(changes)
                    return
            except BusUnavailable:
                log.info("change notices lost", reason="NATS is away")
                await asyncio.sleep(STORE_RETRY_S)  # the bus may call itself connected for a moment longer
            except StoreUnavailable as error:
                log.warning("settings not read", reason=str(error))
                await asyncio.sleep(STORE_RETRY_S)

    async def _reload(self) -> bool:
        """Take up what the client changed; true when the session has ended."""
        look = await self._store.look(self._claim.key)
        self._spec = look.spec
        if self._stream is not None:
            self._stream.retune(self._spec.cadence)
        return look.ended is not None

    async def _until_ended(self) -> str | None:
        """Open the source again and again, for ever: a camera that is gone may come back. Returns what `run` does."""
        backoff, failures = self._settings.backoff, 0
        while True:
            self._watched_since = 0.0
            try:
                return await self._once()
            except SourceError as error:
                if not error.retryable:
                    return error.message
                watched_s = time.monotonic() - self._watched_since if self._watched_since else 0.0
                failures = backoff.failures_after(failures, watched_s)
                delay_s = backoff.delay_s(failures, random.random())
                await self._lost(error, failures, delay_s)
            except StoreUnavailable as error:
                delay_s = STORE_RETRY_S
                log.warning("source not opened", reason=f"the session's clock cannot be read: {error}")
            except SessionEnded:
                return None
            await asyncio.sleep(delay_s)

    async def _lost(self, error: SourceError, failures: int, delay_s: float) -> None:
        metrics.RECONNECTS.labels(error.fault.value).inc()
        log.warning("source lost", fault=error.fault.value, reason=error.message, failures=failures, retry_s=delay_s)
        await self._say(reconnecting(self._settings.worker, error, failures, delay_s))

    async def _once(self) -> str:
        """Watch the source until it ends; returns why. Raises `SourceError` when it failed."""
        await self._say(Status(Watching.OPENING, self._settings.worker))
        if self._spec.source.kind is SourceKind.FILE:
            await self._listened()
        watched_us = await self._store.watched_until_us(self._claim.key)
        async with streaming(self._order(), self._origin, watched_us) as stream:
            self._stream = stream
            try:
                with metrics.SOURCES.track_inprogress():
                    await self._turns(stream)
            finally:
                self._stream = None
        reason = stream.complaint or "the file has ended"
        await self._say(Status(Watching.ENDED, self._settings.worker, reason))
        return reason

    async def _listened(self) -> None:
        """Wait until somebody codes and decides: what a file shows at its beginning it shows once, unlike a camera."""
        try:
            async with asyncio.timeout(LISTENED_S):
                while not await self._is_listened_to():  # noqa: ASYNC110  NATS tells nobody of new subscriptions
                    await asyncio.sleep(LISTEN_S)
        except TimeoutError:
            log.warning(
                "file started without listeners", reason=f"no codec or no interaction worker within {LISTENED_S:g} s"
            )

    async def _is_listened_to(self) -> bool:
        key, is_heard = self._claim.key, self._bus.is_heard
        try:
            return await is_heard(subjects.coded_frames(key)) and await is_heard(subjects.raw_frames(key))
        except BusUnavailable:
            return False

    async def _turns(self, stream: Stream) -> None:
        async for turn, dropped in stream.turns.counted():
            if not self._watched_since:
                await self._begun(stream)
            metrics.DROPPED.labels("replaced").inc(dropped)
            await self._publish(turn)

    async def _begun(self, stream: Stream) -> None:
        self._watched_since = time.monotonic()
        if stream.complaint:
            log.warning("source found damaged", reason=stream.complaint)
        log.info("source opened", fence=self._claim.fence, complaint=stream.complaint)
        await self._say(Status(Watching.WATCHING, self._settings.worker, stream.complaint, stream.info))

    async def _publish(self, turn: Group[Frame]) -> None:
        key = self._claim.key
        group = FrameGroup(key, turn.time_ms, self._sequence, turn.frames, self._claim.fence)
        self._sequence += 1
        try:
            with span("frames publish", tenant=key.tenant, session=key.session, time_ms=turn.time_ms):
                await self._bus.publish(subjects.raw_frames(key), encode_group(group))
        except BusError as error:
            metrics.DROPPED.labels("unpublished").inc()
            log.warning("turn not published", time_ms=turn.time_ms, reason=str(error))
            return
        metrics.PUBLISH_SECONDS.observe(max(0.0, time.time() - turn.frames[-1].capture_time_us / 1e6))

    def _order(self) -> Order:
        spec, settings = self._spec, self._settings
        return Order(
            spec.source.url, spec.source.loop, spec.cadence, profile(spec.profile), settings.file_root, settings.limits
        )

    def _origin(self, capture_us: int) -> int:
        """Called in the stream's thread, which waits for the store."""
        asked = self._store.set_origin(self._claim.key, capture_us)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result()

    async def _say(self, status: Status) -> None:
        """Write the status; nobody watches less because it cannot be written."""
        try:
            await self._store.set_status(self._claim.key, Role.INGESTION, status.as_json())
        except StoreError as error:
            log.warning("status not written", state=status.state.value, reason=str(error))


async def _next_change(changes: KeepLatest[Message]) -> None:
    """Wait until something is told about the session, or for `LOOK_S`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LOOK_S):
            await anext(changes)
