"""The session that a client begins and continues under a name of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from vigil.core.ids import SessionKey
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.turn_lease import TurnLease
from vigil_gateway.ports import Ports
from vigil_gateway.pushed.turn_lease import in_turn
from vigil_gateway.sessions.session_id import may_begin

log = get_log()


@asynccontextmanager
async def in_turn_of_name(ports: Ports, named: SessionKey) -> AsyncIterator[TurnLease]:
    """Hold the turn of the newest session under the name with this id while the block runs, or raise `TurnInFlight`.

    Where that session has ended, a name that clients may begin sessions under means another one from now on, which the
    call may begin. Two calls do not begin two: while one decides that, it holds the turn of the session that ended.
    """
    newest = await _newest(ports, named)
    async with in_turn(ports.turns, newest) as lease:
        if not _has_ended(lease) or not may_begin(named.session):
            yield lease
            return
        current = await _newest(ports, named)
        if current == newest:
            current = await ports.names.begin_anew(named)
            log.info("session name used again", before=newest.session, session=current.session)
        structlog.contextvars.bind_contextvars(session=current.session)
        async with in_turn(ports.turns, current) as its_lease:
            yield its_lease


async def _newest(ports: Ports, named: SessionKey) -> SessionKey:
    return await ports.names.newest(named) if may_begin(named.session) else named


def _has_ended(lease: TurnLease) -> bool:
    return lease.look is not None and lease.look.ended is not None
