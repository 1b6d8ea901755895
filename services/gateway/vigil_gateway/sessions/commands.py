"""Commands to a running session: into its inbox, then a nudge, so that its worker need not wait for a frame."""

import secrets
from collections.abc import Sequence

from vigil.contract import subjects
from vigil.core.command import Command, Instruct
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil_gateway.http.models.standing import WatchIn
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.spec import watch_of
from vigil_gateway.sessions.standing import Standing, check_addable, find_standing, standing

log = get_log()


def new_id(prefix: str) -> str:
    """A short id that is unique within a session."""
    return f"{prefix}-{secrets.token_hex(4)}"


def first_commands(watches: Sequence[WatchIn], instructions: Sequence[str]) -> tuple[Command, ...]:
    """What a session begins with, watches first. Raises `InvalidSpec` when there are too many."""
    new = [watch_of(new_id("w"), watch) for watch in watches]
    new += [Instruction(new_id("i"), text) for text in instructions]
    commands: tuple[Command, ...] = ()
    for instruction in new:
        check_addable((), commands, instruction)
        commands = (*commands, Instruct(instruction))
    return commands


async def submit(ports: Ports, key: SessionKey, command: Command) -> None:
    """Leave `command` for the session's next turn. Raises what the store raises."""
    await ports.store.submit(key, command)
    try:
        await ports.bus.publish(subjects.command(key), b"")
    except BusError as error:
        # The command is stored and the next turn reads it: only the nudge is lost.
        log.warning("nudge failed", error=str(error))


async def all_standing(ports: Ports, key: SessionKey) -> tuple[Standing, ...]:
    """What stands in the session. The inbox is read first, so that nothing worked off in between is missed."""
    commands = await ports.store.commands(key)
    return standing((await ports.store.history(key)).instructions, commands)


async def one_standing(ports: Ports, key: SessionKey, instruction_id: str, *, watch: bool) -> Instruction:
    """One standing watch or plain instruction, or `UnknownInstruction`."""
    commands = await ports.store.commands(key)
    shown = (await ports.store.history(key)).instructions
    return find_standing(shown, commands, instruction_id, watch=watch).instruction


async def add_standing(ports: Ports, key: SessionKey, new: Instruction) -> None:
    """Add a standing instruction or watch. Raises `InvalidSpec` when the session has as many as it may."""
    commands = await ports.store.commands(key)
    check_addable((await ports.store.history(key)).instructions, commands, new)
    await submit(ports, key, Instruct(new))
