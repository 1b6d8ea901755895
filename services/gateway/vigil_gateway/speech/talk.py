"""One open WebSocket of a session's sound: what its microphone hears goes to the session, what that speaks comes back.

Sound waits for nobody. What the client does not take is dropped, oldest first, and counted; one that takes nothing at
all is let go.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus

from starlette.websockets import WebSocket, WebSocketDisconnect

from vigil.contract import subjects
from vigil.contract.api_keys import ApiKey, KeyRole
from vigil.contract.audio import decode_activity, decode_spoken, encode_audio
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import decode_event
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil.runtime.session.lifecycle import now_us
from vigil_gateway import metrics
from vigil_gateway.api.auth import require
from vigil_gateway.api.errors import NotSpokenTo, SoundRefused
from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import problem_of
from vigil_gateway.live.events import LiveEvents
from vigil_gateway.live.feed import LiveEvent
from vigil_gateway.live.outflow import CLIENT_GONE, taken, withdrawn
from vigil_gateway.ports import Ports
from vigil_gateway.speech.messages import (
    accepted_text,
    activity_text,
    partial_text,
    read_microphone,
    spoken_bytes,
)
from vigil_gateway.speech.microphone import MicrophoneSound
from vigil_gateway.websocket.handshake import ABNORMAL, OK
from vigil_gateway.websocket.messages import event_text, id_of, problem_text

log = get_log()

DOOR = "audio"
_MICROPHONE, _SOUND, _SPOKEN, _ACTIVITY, _PARTIAL = "microphone", "sound", "spoken", "activity", "partial"
SPOKEN_WAITING = 256  # pieces that wait for the client
OTHER_WAITING = 64
TOLD_US = 1_000_000
_SUBJECTS = {_SPOKEN: subjects.audio_out, _ACTIVITY: subjects.voice_activity, _PARTIAL: subjects.transcript_partial}


Channels = Mapping[str, KeepLatest[Message]]


@asynccontextmanager
async def channels_of(bus: Bus, key: SessionKey) -> AsyncIterator[Channels]:
    """What comes of a session's sound while the block runs, by kind. Raises `BusError`."""
    async with AsyncExitStack() as stack:
        capacity = {_SPOKEN: SPOKEN_WAITING}
        yield {
            kind: await stack.enter_async_context(bus.subscribe(subject(key), capacity.get(kind, OTHER_WAITING)))
            for kind, subject in _SUBJECTS.items()
        }


class Talk:
    """An accepted WebSocket. `holder` may listen; to speak takes an operator's key, for it asks questions."""

    def __init__(
        self, ports: Ports, spec: SessionSpec, holder: ApiKey, websocket: WebSocket, channels: Channels
    ) -> None:
        self._ports = ports
        self._spec = spec
        self._holder = holder
        self._websocket = websocket
        self._channels = channels
        self._microphone: MicrophoneSound | None = None
        self._is_lost = False  # the last sound could not be published: the client was told
        self._refused_us = 0  # when the client was told last that its sound was refused

    async def run(self, events: LiveEvents) -> str:
        """Serve until the client, the session or the gateway ends; returns the reason, `CLIENT_GONE` for the first."""
        hand_on = (self._send_all(kind, channel) for kind, channel in self._channels.items())
        return await events.run(self._send_event, self._read(), withdrawn(self._ports, self._holder), *hand_on)

    async def _send_event(self, event: LiveEvent | None) -> None:
        if event is not None:
            await self._websocket.send_text(event_text(event))

    async def _send_all(self, kind: str, channel: KeepLatest[Message]) -> str:
        """Send what comes of one kind, until cancelled. Raises `BusError`."""
        async for message, dropped in channel.counted():
            metrics.EVENTS_DROPPED.labels(kind).inc(dropped)
            try:
                sending = self._sending(kind, message.payload, dropped)
            except InvalidMessage as error:
                metrics.EVENTS_UNREADABLE.labels(kind).inc()
                log.warning("bus message rejected", subject=message.subject, error=str(error))
                continue
            if not await taken(sending):
                return CLIENT_GONE
            metrics.EVENTS_SENT.labels(kind).inc()
        return "live events ended: connect again"

    def _sending(self, kind: str, payload: bytes, dropped: int) -> Awaitable[None]:
        """Send one message. Raises `InvalidMessage` before anything is sent."""
        if kind == _SPOKEN:
            return self._websocket.send_bytes(spoken_bytes(decode_spoken(payload), dropped))
        if kind == _ACTIVITY:
            return self._websocket.send_text(activity_text(decode_activity(payload)))
        decode_event(payload)
        return self._websocket.send_text(partial_text(payload))

    async def _read(self) -> str:
        """Do what the client says, one message after the other."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return CLIENT_GONE
            text = message.get("text")
            if text is None:
                await self._hear(message.get("bytes") or b"")
            else:
                await self._set(text)

    async def _set(self, text: str) -> None:
        """The microphone is opened, or its button was pressed or released."""
        try:
            self._ports.rates.count(self._holder, DOOR)
            given = read_microphone(text)
            require(self._holder, KeyRole.OPERATOR)
            if not (await self._ports.store.spec(self._spec.key)).hearing.is_on:  # it may have changed
                raise NotSpokenTo(self._spec.session)
        except Exception as error:  # noqa: BLE001  whatever it is, the client is told
            await self._refuse(_MICROPHONE, id_of(text), error)
            return
        if self._microphone is None:
            self._microphone = MicrophoneSound(self._spec.key)
            self._record()
        self._microphone.is_addressed = given.is_addressed
        metrics.CALLS.labels(DOOR, _MICROPHONE, OK).inc()
        await self._reply(accepted_text(given.id, self._microphone.stream))

    async def _hear(self, pcm: bytes) -> None:
        try:
            if self._microphone is None:
                raise SoundRefused('send {"type": "microphone"} before the sound, and sound once that is accepted')
            chunks = self._microphone.chunks(pcm, now_us())
        except SoundRefused as error:
            metrics.SOUND_DROPPED.labels("refused").inc()
            await self._tell_refused(error)
            return
        for chunk in chunks:
            try:
                await self._ports.bus.publish(subjects.audio_in(self._spec.key), encode_audio(chunk))
            except BusError as error:
                await self._lose(error)
            else:
                metrics.SOUND_CHUNKS.inc()
                self._is_lost = False

    async def _tell_refused(self, error: SoundRefused) -> None:
        """Once a second: who sends much that is refused is not to get as much back."""
        if abs(now_us() - self._refused_us) >= TOLD_US:
            self._refused_us = now_us()
            await self._refuse(_SOUND, None, error)

    async def _lose(self, error: BusError) -> None:
        """Sound that cannot be published now would be old later: it is gone. The client is told once."""
        metrics.SOUND_DROPPED.labels("unpublished").inc()
        if not self._is_lost:
            self._is_lost = True
            await self._refuse(_SOUND, None, error)

    def _record(self) -> None:
        """In the audit, that somebody speaks to the session."""
        self._ports.audit.record(
            self._holder,
            method=DOOR,
            route=_MICROPHONE,
            status=HTTPStatus.ACCEPTED,
            address=self._websocket.client.host if self._websocket.client else "",
            session=self._spec.session,
        )

    async def _refuse(self, method: str, message_id: str | int | None, error: Exception) -> None:
        if isinstance(error, WebSocketDisconnect):
            raise error
        problem = problem_of(error)
        metrics.CALLS.labels(DOOR, method, problem.row.kind).inc()
        log_failure(problem, error, method=method)
        await self._reply(problem_text(message_id, problem))

    async def _reply(self, text: str) -> None:
        """Send what answers a message of the client's. Raises `WebSocketDisconnect` when it takes nothing."""
        if not await taken(self._websocket.send_text(text)):
            raise WebSocketDisconnect(ABNORMAL) from None
