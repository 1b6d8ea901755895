"""Receives one session's client: answers its offers, holds its connection, and waits for it when it is lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

import av

from vigil.contract.signalling import Candidates, Close, Offer, Refusal, Reply, Request
from vigil.core.ids import SessionKey
from vigil.core.profile import profile
from vigil.core.session import SessionSpec
from vigil.runtime.bus.client import Bus
from vigil.runtime.process.logs import get_log
from vigil_ingestion import metrics
from vigil_ingestion.clock import WallClock
from vigil_ingestion.preview import Preview
from vigil_ingestion.sound.ear import Ear
from vigil_ingestion.webrtc.fragment import parsed
from vigil_ingestion.webrtc.network import Network
from vigil_ingestion.webrtc.offer import checked
from vigil_ingestion.webrtc.peer import CONNECT_S, Peer
from vigil_ingestion.webrtc.pictures import Arrival, Origin, Pictures, Sampling, sampled
from vigil_ingestion.webrtc.presence import Presence, State
from vigil_ingestion.webrtc.refused import Refused
from vigil_ingestion.webrtc.room import Room
from vigil_ingestion.webrtc.signalling import answer_all

log = get_log()

FIRST_S = 600.0  # for the first client of a session: people type its address into a program, and allow a camera


@dataclass(frozen=True, slots=True)
class Terms:
    """How clients of WebRTC are received: `silent_s` without a picture and a client is lost, `grace_s` it may come back
    into its session. All sessions of a worker share `room`."""

    network: Network
    room: Room
    silent_s: float
    grace_s: float


class Reception:
    """One session's client, one connection at a time. Run `serve` beside `receiving`. `ear` hears its sound; without
    one that is let go."""

    def __init__(
        self, terms: Terms, bus: Bus, key: SessionKey, spec: SessionSpec, preview: Preview, ear: Ear | None = None
    ) -> None:
        self._terms = terms
        self._bus = bus
        self._key = key
        self._ear = ear
        presence = Presence(terms.silent_s, terms.grace_s, until_s=0.0)
        self._sampling = Sampling(spec.cadence, profile(spec.profile), presence, preview)
        self._clock: WallClock | None = None
        self._pictures: Pictures | None = None
        self._peer: Peer | None = None
        self._attending: asyncio.Task[None] | None = None

    async def serve(self) -> NoReturn:
        """Answer the client's signalling. When this is cancelled its connection is closed."""
        async with asyncio.TaskGroup() as tasks:
            try:
                await answer_all(self._bus, self._key, lambda request: self._reply(request, tasks))
            finally:
                self._terms.room.leave(self._key)

    @asynccontextmanager
    async def receiving(self, origin: Origin, watched_us: int) -> AsyncIterator[Pictures]:
        """The client's pictures, until it is lost or not waited for any longer. The session's clock and its sampler go
        on from one of these to the next. `watched_us` is up to where the session was watched before: then a client has
        been there, and is waited for as one that was lost."""
        if self._clock is None:
            self._clock = WallClock(watched_us)
            wait_s = self._terms.grace_s if watched_us else max(FIRST_S, self._terms.grace_s)
            self._sampling.presence = self._sampling.presence.awaited(time.monotonic(), wait_s)
        async with sampled(Pictures(self._sampling, origin)) as pictures:
            self._pictures = pictures
            try:
                yield pictures
            finally:
                self._pictures = None

    async def _reply(self, request: Request, tasks: asyncio.TaskGroup) -> Reply:
        try:
            match request:
                case Offer():
                    reply = await self._offered(request, tasks)
                case Candidates():
                    reply = await self._added(request)
                case Close():
                    reply = await self._closed(request)
        except Refused as refused:
            log.info("client refused", refusal=refused.refusal.value, reason=refused.message)
            reply = Reply(refusal=refused.refusal, message=refused.message)
        outcome = "taken" if reply.refusal is None else reply.refusal.value
        metrics.SIGNALLED.labels(type(request).__name__.lower(), outcome).inc()
        return reply

    async def _offered(self, offer: Offer, tasks: asyncio.TaskGroup) -> Reply:
        wanted = checked(offer.sdp)
        now_s = time.monotonic()
        if not offer.replaces and self._sampling.presence.state(now_s) is State.SHOWING:
            raise Refused(
                Refusal.ALREADY_SENDING, "another connection sends into this session: end it, or offer to replace it"
            )
        if not self._terms.room.enter(self._key):
            clients = self._terms.room.capacity
            raise Refused(Refusal.BUSY, f"this worker receives {clients} clients already: try again later")
        await self._leave()
        peer = Peer(self._terms.network, self._show, self._hear)
        try:
            answer = await peer.answer(wanted)
        except Refused:
            self._terms.room.leave(self._key)
            raise
        self._sampling.presence = self._sampling.presence.offered(
            time.monotonic(), CONNECT_S, brings_session=offer.brings_session
        )
        self._peer, self._attending = peer, tasks.create_task(self._attend(peer), name="webrtc client")
        return Reply(peer.resource, answer)

    async def _added(self, candidates: Candidates) -> Reply:
        peer = self._named(candidates.resource)
        await peer.add(parsed(candidates.sdp_fragment, peer.username))
        return Reply(peer.resource)

    async def _closed(self, close: Close) -> Reply:
        peer = self._named(close.resource)
        await self._leave()
        self._terms.room.leave(self._key)
        self._lose("it ended its connection")
        log.info("client left", reason="it ended its connection")
        return Reply(peer.resource)

    def _named(self, resource: str) -> Peer:
        if self._peer is None or self._peer.resource != resource:
            raise Refused(Refusal.UNKNOWN_RESOURCE, "no such connection: it ended, or another one took its place")
        return self._peer

    async def _attend(self, peer: Peer) -> None:
        """Hold a connection until it ends."""
        why = await peer.run()
        if self._peer is peer:
            self._peer = None
            self._terms.room.leave(self._key)
            self._lose(why)
            log.info("client left", reason=why)

    async def _leave(self) -> None:
        """End the connection that is there, if one is."""
        self._peer, attending = None, self._attending
        if attending is not None:
            attending.cancel()
            await asyncio.wait({attending})

    def _lose(self, why: str) -> None:
        if self._pictures is not None:
            self._pictures.lose(why)

    def _show(self, picture: av.VideoFrame, codec: str) -> None:
        metrics.DECODED.inc()
        if self._pictures is not None and self._clock is not None:
            self._pictures.offer(Arrival(self._clock.now_us(), picture, codec))

    def _hear(self, sound: av.AudioFrame) -> None:
        if self._ear is not None and self._clock is not None:
            self._ear.decoded(sound, self._clock.now_us())
