"""What others tell a session, clients and workers: into its inbox, then a nudge, so that its worker knows at once."""

from vigil.contract import subjects
from vigil.core.command import Command
from vigil.core.ids import SessionKey
from vigil.core.turn import Result
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil.runtime.session.ports import SessionPorts

log = get_log()


async def submit(ports: SessionPorts, key: SessionKey, command: Command) -> None:
    """Leave `command` for the session's next turn. Raises `InboxFull`, `UnknownSession`, `SessionEnded`."""
    await ports.store.submit(key, command)
    await nudge(ports.bus, key)


async def submit_result(ports: SessionPorts, key: SessionKey, result: Result) -> None:
    """Leave the result of a delegated question for the session's next turn. Raises as `submit` does."""
    await ports.store.submit_result(key, result)
    await nudge(ports.bus, key)


async def nudge(bus: Bus, key: SessionKey) -> None:
    """Tell the session's worker to read its inbox now. A nudge may be lost: the inbox is read with every turn, and
    now and then without one (`vigil.runtime.session.follow`)."""
    try:
        await bus.publish(subjects.command(key), b"")
    except BusError as error:
        log.warning("nudge lost", session=key.session, reason=str(error))
