"""Tells the client that waits for a decision that its turn was dropped."""

from vigil.contract import subjects
from vigil.contract.turn_dropped import TurnDropped, encode_dropped
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log

log = get_log()


async def tell_dropped(bus: Bus, dropped: TurnDropped) -> None:
    """Publish it to current listeners. Without NATS nobody is told: the waiting client has a deadline of its own."""
    try:
        await bus.publish(subjects.turn_dropped(dropped.key), encode_dropped(dropped))
    except BusError as error:
        log.info("dropped turn not told", time_ms=dropped.time_ms, error=str(error))
