"""The beginning and the end of a session, over store, placement and bus: done whole, or undone."""

from collections.abc import Sequence

from vigil.contract.subject_tokens import Lifecycle
from vigil.core.command import Command
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.runtime.errors import PortError, StoreCorrupt, StoreNewer
from vigil.runtime.process.cancellation import to_the_end
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.redaction import redacted
from vigil.runtime.session.lifecycle import announce, end, end_newer, end_unreadable
from vigil_gateway import metrics
from vigil_gateway.api.errors import CapacityFull, NoWorker
from vigil_gateway.audit.noted import note_session
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.capacity import check_capacity, take_place
from vigil_gateway.sessions.notices import notices_of

log = get_log()

CLIENT_ENDED = "the client ended it"


async def begin(ports: Ports, spec: SessionSpec, commands: Sequence[Command]) -> None:
    """Store the session, let workers of its roles claim it, announce it. Raises `NoWorker`, `CapacityFull`,
    `TooManySessions`.

    When there is no room nothing is left of the session. When a later step fails it is ended again.
    """
    async with ports.quota.place(spec.tenant):
        await _begin(ports, spec, commands)
    note_session(spec.session, began=True)
    metrics.SESSIONS_CREATED.inc()
    log.info("session created", session=spec.session, source=redacted(spec.source.url), commands=len(commands))
    for notice in notices_of(spec, ports.settings.rendered_sources):
        log.warning("session warned", session=spec.session, notice=notice.code, detail=notice.message)


async def _begin(ports: Ports, spec: SessionSpec, commands: Sequence[Command]) -> None:
    key = spec.key
    await ports.bus.ping()  # before anything is written: without a bus no worker could work on it
    await check_capacity(ports.placement, spec.roles)
    await ports.store.create(spec, commands, confirmed=False)
    try:
        await take_place(ports.placement, key, spec.roles)
        await ports.store.confirm(key)
        await announce(ports.bus, spec, Lifecycle.REQUESTED)
    except (NoWorker, CapacityFull):  # somebody else has just taken the last place
        await ports.store.discard(key)
        raise
    except PortError:
        await _undo(ports, spec)
        raise


async def finish(ports: Ports, spec: SessionSpec, reason: str) -> None:
    """End the session, announce it, take its camera away. Idempotent: after a failure it is safe to repeat.

    Interaction lets go by itself, once it has closed the session's alerts.
    """
    reason = await end(ports, spec, reason)
    log.info("session ended", reason=reason)


async def finish_by_key(ports: Ports, key: SessionKey, reason: str) -> None:
    """`finish` the session of that key; one whose spec cannot be read is ended, too. Raises `UnknownSession`."""
    try:
        spec = await ports.store.spec(key)
    except StoreNewer as error:
        await end_newer(ports, key, reason)
        log.warning("session of a newer release ended", session=key.session, reason=reason, error=str(error))
    except StoreCorrupt as error:
        await end_unreadable(ports, key, reason)
        log.error("unreadable session ended", session=key.session, reason=reason, error=str(error))
    else:
        await finish(ports, spec, reason)


async def end_for_client(ports: Ports, key: SessionKey) -> None:
    """End a session because its client asked for that; whole, also when the client leaves. Raises `UnknownSession`."""
    await to_the_end(finish_by_key(ports, key, CLIENT_ENDED))


async def ended_reason(ports: Ports, key: SessionKey) -> str | None:
    """Why the session ended; None while it is open."""
    ended = await ports.store.ended(key)
    return None if ended is None else ended.reason


async def _undo(ports: Ports, spec: SessionSpec) -> None:
    try:
        await ports.store.end(spec.key, "it could not be started")
        await ports.placement.close(spec.key, spec.roles)
    except PortError as error:
        log.error("session creation not undone", session=spec.session, error=str(error))
