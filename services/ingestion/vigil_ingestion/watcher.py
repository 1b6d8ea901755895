"""What ingestion does with a session that it holds: watches its source until that or the session ends."""

import asyncio
from contextlib import AsyncExitStack

from vigil.core.ids import SessionKey
from vigil.core.source import Role, SourceKind
from vigil.runtime.placement.leases import Claim
from vigil.runtime.process.logs import get_log, source_logs
from vigil.runtime.session.claimed import until_over
from vigil.runtime.session.lifecycle import CLOSED_BY_END, announce_end, end
from vigil.runtime.session.ports import SessionPorts
from vigil.runtime.store.sessions import Look
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.preview import Budget, Preview
from vigil_ingestion.sound.ear import Ear, listening
from vigil_ingestion.status import is_at_work, is_taken
from vigil_ingestion.watch import Watch
from vigil_ingestion.webrtc.reception import Reception, Terms
from vigil_ingestion.webrtc.room import Room

log = get_log()

LAST_TURN_S = 2.0  # after a file's end: time for its last turn to be decided before the session ends


class Watcher:
    """`run` is the claimer's: one session, until its source ends for good."""

    def __init__(self, ports: SessionPorts, settings: IngestionSettings) -> None:
        self._ports = ports
        self._settings = settings
        self._received: set[SessionKey] = set()  # those whose client comes by WebRTC
        self._previews = Budget()
        room = Room(settings.webrtc_peers)
        self._terms = Terms(settings.network, room, settings.read_timeout_s, settings.webrtc_grace_s)

    async def run(self, claim: Claim) -> None:
        """Watch, then end the session. Raises `PortError`; it is run again then."""
        ports = self._ports
        async with until_over(ports, claim.key, CLOSED_BY_END):
            look = await ports.store.look(claim.key)
            with source_logs(look.spec.source.id):
                try:
                    await self._watch(claim, look)
                finally:
                    self._received.discard(claim.key)

    async def _watch(self, claim: Claim, look: Look) -> None:
        reason = None
        if look.ended is None:
            preview = Preview(asyncio.get_running_loop(), self._previews)
            async with AsyncExitStack() as stack:
                hears = look.spec.hearing.hears_source
                ear = await stack.enter_async_context(listening()) if hears else None
                reception = self._reception(claim, look, preview, ear)
                reason = await Watch(self._ports, self._settings, claim, look.spec, preview, reception, ear).run()
        if reason is None:  # it was ended elsewhere
            await announce_end(self._ports, look.spec)
            return
        log.info("source ended", reason=reason)
        await asyncio.sleep(LAST_TURN_S)
        await end(self._ports, look.spec, reason)

    async def is_relieved(self, claim: Claim) -> bool:
        """Whether another worker is past opening the source of this session, or the session is over.

        A client of WebRTC comes to the other worker only once this one lets it go: then it is enough that the other
        worker has the session.
        """
        if await self._ports.store.ended(claim.key) is not None:
            return True
        said = (await self._ports.store.status(claim.key)).get(Role.INGESTION, "")
        is_relief = is_taken if claim.key in self._received else is_at_work
        return is_relief(said, other_than=self._settings.worker)

    def _reception(self, claim: Claim, look: Look, preview: Preview, ear: Ear | None) -> Reception | None:
        if look.spec.source.kind is not SourceKind.WEBRTC:
            return None
        self._received.add(claim.key)
        return Reception(self._terms, self._ports.bus, claim.key, look.spec, preview, ear)
