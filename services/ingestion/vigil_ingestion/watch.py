"""One claim's work on one session: its source is opened, again each time that it fails, and its turns are published."""

import asyncio
import random
import time
from contextlib import AbstractAsyncContextManager, AbstractContextManager

from vigil.contract import spans, subjects
from vigil.contract.frames import Frame, FrameGroup, encode_group
from vigil.core.profile import profile
from vigil.core.session import SessionSpec
from vigil.core.source import Role, SourceKind
from vigil.runtime.errors import BusError, BusUnavailable, SessionEnded, StoreError, StoreUnavailable
from vigil.runtime.placement.leases import Claim
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import AttributeValue, span
from vigil.runtime.session.follow import follow
from vigil.runtime.session.ports import SessionPorts
from vigil.runtime.store.sessions import Look
from vigil_ingestion import metrics
from vigil_ingestion.asked import hear_asked
from vigil_ingestion.camera_clock import ClockNotice
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.media import MediaInfo
from vigil_ingestion.preview import Preview, carry
from vigil_ingestion.sampler import Group
from vigil_ingestion.sound.carrying import carry_sound
from vigil_ingestion.sound.ear import Ear
from vigil_ingestion.source_loss import SourceLoss
from vigil_ingestion.status import Status, Watching, reconnecting, watching
from vigil_ingestion.stream import Order, streaming
from vigil_ingestion.turns import Turns
from vigil_ingestion.webrtc.reception import Reception

log = get_log()

STORE_RETRY_S = 1.0
LISTENED_S = 3.0  # a file waits for its codec and interaction worker, for so long at most
LISTEN_S = 0.05  # how often NATS is asked whether they listen
AWAY = (Fault.UNREACHABLE, Fault.TIMED_OUT)  # then a client of WebRTC is waited for, and nothing is opened


class Watch:
    """`run` is the work. `reception` is what receives the client of a WebRTC source, `ear` what hears the source; it is
    None for a session that does not."""

    def __init__(
        self,
        ports: SessionPorts,
        settings: IngestionSettings,
        claim: Claim,
        spec: SessionSpec,
        preview: Preview,
        reception: Reception | None,
        ear: Ear | None,
    ) -> None:
        self._ports = ports
        self._settings = settings
        self._claim = claim
        self._spec = spec
        self._reception = reception
        self._preview = preview
        self._ear = ear
        self._stream: Turns | None = None
        self._sequence = 0
        self._watched_since = 0.0
        self._clock: ClockNotice | None = None
        self._info: MediaInfo | None = None
        self._loss = SourceLoss(ports.bus, spec, settings.worker)
        self._loop = asyncio.get_running_loop()

    async def run(self) -> str | None:
        """Watch until the source ends for good, and why; None when the session ended first. Raises `UnknownSession`."""
        with self._loss:
            beside = [] if self._reception is None else [self._reception.serve()]
            if self._ear is not None:
                beside.append(
                    carry_sound(
                        self._ports.bus,
                        self._claim.key,
                        self._sound_stream,
                        self._ear.pieces,
                        lambda: self._spec.hearing.hears_source,
                    )
                )
            result = await first_to_end(
                self._until_ended(),
                follow(self._ports, self._claim.key, self._take_up),
                carry(self._ports.bus, self._claim.key, self._preview),
                hear_asked(self._ports.bus, self._claim.key, self._show_next),
                self._loss.run(),
                *beside,
            )
        return result if isinstance(result, str) else None

    def _take_up(self, look: Look) -> None:
        """Sample at the cadence that the client may have changed."""
        self._spec = look.spec
        if self._stream is not None:
            self._stream.retune(self._spec.cadence)

    def _show_next(self) -> None:
        if self._stream is not None:
            self._stream.show_next()

    async def _until_ended(self) -> str | None:
        """Open the source again each time that it fails: a camera may come back. Returns what `run` does."""
        backoff, failures = self._settings.backoff, 0
        while True:
            self._watched_since = 0.0
            try:
                return await self._once(failures)
            except SourceError as error:
                if not error.retryable:
                    return error.message
                watched_s = time.monotonic() - self._watched_since if self._watched_since else 0.0
                failures = backoff.failures_after(failures, watched_s)
                is_awaited = self._reception is not None and error.fault in AWAY
                delay_s = 0.0 if is_awaited else backoff.delay_s(failures, random.random())
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
        await self._loss.lost(error)

    async def _once(self, failures: int) -> str:
        """Watch the source until it ends; returns why. Raises `SourceError` when it failed.

        While it is opened after failures, the status goes on to say what was wrong.
        """
        if not failures:
            awaited = "" if self._reception is None else "it waits for its client to offer a connection"
            await self._say(Status(Watching.OPENING, self._settings.worker, awaited))
        if self._spec.source.kind is SourceKind.FILE:
            await self._listened()
        watched_us = await self._ports.store.watched_until_us(self._claim.key)
        async with self._opened(watched_us) as stream:
            self._stream = stream
            try:
                with metrics.SOURCES.track_inprogress():
                    await self._turns(stream)
            finally:
                self._stream = None
        reason = stream.complaint or stream.ending
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
        key, is_heard = self._claim.key, self._ports.bus.is_heard
        try:
            return await is_heard(subjects.coded_frames(key)) and await is_heard(subjects.raw_frames(key))
        except BusUnavailable:
            return False

    async def _turns(self, stream: Turns) -> None:
        async for turn, dropped in stream.turns.counted():
            if not self._watched_since:
                await self._begun(stream)
            elif (stream.clock, stream.info) != (self._clock, self._info):
                await self._tell(stream)
            metrics.DROPPED.labels("replaced").inc(dropped)
            await self._publish(turn)
            self._loss.back()

    async def _begun(self, stream: Turns) -> None:
        self._watched_since = time.monotonic()
        if stream.complaint:
            log.warning("source found damaged", reason=stream.complaint)
        log.info("source opened", fence=self._claim.fence, complaint=stream.complaint)
        await self._tell(stream)

    async def _tell(self, stream: Turns) -> None:
        """Say in the status that the source is watched, what it is, and what is wrong with its time stamps, if
        anything."""
        if stream.clock is not None and stream.clock != self._clock:
            notice = stream.clock
            log.warning("clock disagreed", fault=notice.fault.value, figure=notice.figure, reason=notice.detail)
        self._clock, self._info = stream.clock, stream.info
        await self._say(watching(self._settings.worker, stream.info, stream.complaint, self._clock))

    async def _publish(self, turn: Group[Frame]) -> None:
        key = self._claim.key
        group = FrameGroup(key, turn.time_ms, self._sequence, turn.frames, self._claim.fence)
        self._sequence += 1
        try:
            with self._captured(turn):
                await self._ports.bus.publish(subjects.raw_frames(key), encode_group(group))
        except BusError as error:
            metrics.DROPPED.labels("unpublished").inc()
            log.warning("turn not published", time_ms=turn.time_ms, reason=str(error))
            return
        metrics.PUBLISH_SECONDS.observe(max(0.0, time.time() - turn.frames[-1].capture_time_us / 1e6))

    def _captured(self, turn: Group[Frame]) -> AbstractContextManager[object]:
        """The span with which the turn's trace begins: when its newest picture was captured."""
        attributes: dict[str, AttributeValue] = {
            spans.TENANT: self._claim.key.tenant,
            spans.SESSION: self._claim.key.session,
            spans.SOURCE: self._spec.source.id,
            spans.TIME_MS: turn.time_ms,
            spans.PICTURES: len(turn.frames),
        }
        began_us = min(turn.frames[-1].capture_time_us, time.time_ns() // 1_000)
        return span(spans.CAPTURE, attributes, began_us=began_us)

    def _opened(self, watched_us: int) -> AbstractAsyncContextManager[Turns]:
        if self._reception is None:
            return streaming(self._order(), self._origin, watched_us, self._preview, self._ear)
        return self._reception.receiving(
            lambda capture_us: self._ports.store.set_origin(self._claim.key, capture_us), watched_us
        )

    @property
    def _sound_stream(self) -> str:
        """The name of the sound that this claim publishes: its chunks are counted from 0."""
        return f"source-{self._claim.fence}"

    def _order(self) -> Order:
        spec, settings = self._spec, self._settings
        return Order(
            spec.source.url,
            spec.source.loop,
            spec.cadence,
            profile(spec.profile),
            settings.file_root,
            settings.limits,
            settings.is_local(spec.tenant),
        )

    def _origin(self, capture_us: int) -> int:
        """Called in the stream's thread, which waits for the store."""
        asked = self._ports.store.set_origin(self._claim.key, capture_us)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result()

    async def _say(self, status: Status) -> None:
        """Write the status. The source is watched all the same when it cannot be written."""
        try:
            await self._ports.store.set_status(self._claim.key, Role.INGESTION, status.as_json())
        except StoreError as error:
            log.warning("status not written", state=status.state.value, reason=str(error))
