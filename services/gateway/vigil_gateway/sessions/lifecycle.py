"""The beginning and the end of a session, over store, placement and bus: done whole, or undone."""

import time
from collections.abc import Sequence

from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.subjects import Lifecycle
from vigil.core.command import Command
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.errors import PortError
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.redaction import redacted
from vigil_gateway import metrics
from vigil_gateway.http.errors import CapacityFull, NoWorker
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.capacity import check_capacity, take_place

log = get_log()


async def begin(ports: Ports, spec: SessionSpec, commands: Sequence[Command]) -> None:
    """Store the session, let workers of its roles claim it, announce it. Raises `NoWorker`, `CapacityFull`.

    When there is no room nothing is left of the session. When a later step fails it is ended again.
    """
    key = spec.key
    await ports.bus.ping()  # before anything is written: without a bus no worker could work on it
    await check_capacity(ports.placement, spec.roles)
    await ports.store.create(spec, commands, confirmed=False)
    try:
        await take_place(ports.placement, key, spec.roles)
        await ports.store.confirm(key)
        await _announce(ports, spec, Lifecycle.REQUESTED, "")
    except (NoWorker, CapacityFull):  # somebody else has just taken the last place
        await ports.store.discard(key)
        raise
    except PortError:
        await _undo(ports, key)
        raise
    metrics.SESSIONS_CREATED.inc()
    log.info("session created", session=spec.session, source=redacted(spec.source.url), commands=len(commands))


async def finish(ports: Ports, spec: SessionSpec, reason: str) -> None:
    """End the session, take its camera away, announce it. Idempotent: after a failure it is safe to repeat.

    Interaction lets go by itself, once it has closed the session's alerts.
    """
    key = SessionKey(spec.tenant, spec.session)
    await ports.store.end(key, reason)
    await ports.placement.close(key, (Role.INGESTION, Role.CODEC))
    await _announce(ports, spec, Lifecycle.ENDED, await ended_reason(ports, key) or reason)
    log.info("session ended", reason=reason)


async def announce_change(ports: Ports, spec: SessionSpec) -> None:
    """Tell the workers to read the session's spec again."""
    await _announce(ports, spec, Lifecycle.CHANGED, "the client changed it", number=_now_us())


async def ended_reason(ports: Ports, key: SessionKey) -> str | None:
    """Why the session ended; None while it is open."""
    ended = await ports.store.ended(key)
    return None if ended is None else ended.reason


async def _undo(ports: Ports, key: SessionKey) -> None:
    try:
        await ports.store.end(key, "it could not be started")
        await ports.placement.close(key)
    except PortError as error:
        log.error("session creation not undone", session=key.session, error=str(error))


async def _announce(ports: Ports, spec: SessionSpec, event: Lifecycle, reason: str, number: int = 0) -> None:
    """Store the event. What happens once has number 0, so that repeating it stores it once."""
    data = SessionData(spec.tenant, spec.session, spec.source.id, role="", worker="", reason=reason)
    outgoing = session_outgoing(event, data, created_us=spec.created_us, number=number, emit_time_us=_now_us())
    await ports.bus.publish_stored(outgoing)


def _now_us() -> int:
    return time.time_ns() // 1_000
