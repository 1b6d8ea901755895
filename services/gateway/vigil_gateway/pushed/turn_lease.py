"""Holding a session's turn for as long as one call is served, whichever gateway serves it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.core.ids import SessionKey
from vigil.runtime.errors import StoreError, TurnTaken
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.turn_lease import TurnLease, TurnLeases
from vigil_gateway.api.turn_errors import TurnInFlight

log = get_log()


@asynccontextmanager
async def in_turn(turns: TurnLeases, key: SessionKey) -> AsyncIterator[TurnLease]:
    """Hold the session's only turn while the block runs, or raise `TurnInFlight`.

    The lease is renewed three times as often as it runs out. A block that outlives its lease all the same (the process
    was paused, or Redis was away) is not stopped: what it shows then is refused.
    """
    try:
        lease = await turns.claim(key)
    except TurnTaken:
        raise TurnInFlight("the session's last call is still being answered") from None
    renewing = asyncio.create_task(_renew(turns, lease), name="turn lease")
    try:
        yield lease
    finally:
        renewing.cancel()
        await asyncio.wait({renewing})
        await _release(turns, lease)


async def _renew(turns: TurnLeases, lease: TurnLease) -> None:
    held = True
    while held:
        await asyncio.sleep(turns.lease_s / 3)
        try:
            held = await turns.renew(lease)
        except StoreError as error:
            log.warning("turn lease not renewed", error=str(error))
    log.warning("turn lease lost")


async def _release(turns: TurnLeases, lease: TurnLease) -> None:
    try:
        await turns.release(lease)
    except StoreError as error:
        log.warning("turn lease not released", error=str(error))
