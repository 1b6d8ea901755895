"""Ends sessions whose client pushes no more pictures: they would hold a place for ever."""

import asyncio

from vigil.core.ids import SessionKey
from vigil.runtime.errors import PortError, UnknownSession
from vigil.runtime.process.logs import get_log
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.lifecycle import finish_by_key

log = get_log()

_LOOK_MOST_S = 30.0


async def end_idle(ports: Ports, idle_s: float) -> None:
    """Look now and then, for ever. Several gateways may do so at once: each silent session is given to one of them."""
    while True:
        await asyncio.sleep(min(_LOOK_MOST_S, idle_s / 4))
        try:
            for key in await ports.pushed.silent(idle_s):
                await _end(ports, key)
        except PortError as error:
            log.warning("idle sessions not ended", error=str(error))


async def _end(ports: Ports, key: SessionKey) -> None:
    try:
        await finish_by_key(ports, key, "its client has pushed no picture for too long")
    except UnknownSession:
        log.info("idle session forgotten", tenant=key.tenant, session=key.session)
    await ports.pushed.forget(key)
