"""The commands that a session begins with and those that change what stands in it."""

import secrets
from collections.abc import Sequence

from vigil.core.command import Ask, Command, Instruct
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction
from vigil.core.standing import Standing, check_addable, find_standing, standing
from vigil.runtime.errors import SessionEnded
from vigil.runtime.session.inbox import submit
from vigil_gateway.api.models.standing import WatchIn
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.spec import watch_of


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


async def ask(ports: Ports, key: SessionKey, text: str, brain: str = "") -> str:
    """Leave a question for the session's next turn; its id. If it is delegated, `brain` answers it (empty: the
    session's brain). Raises what the store raises."""
    question = Ask(new_id("q"), text, brain)
    await submit(ports, key, question)
    return question.id


async def all_standing(ports: Ports, key: SessionKey) -> tuple[Standing, ...]:
    """What stands in the session. The inbox is read first, so that nothing worked off in between is missed."""
    commands = await ports.store.commands(key)
    return standing((await ports.store.history(key)).instructions, commands)


async def one_standing(ports: Ports, key: SessionKey, instruction_id: str, *, watch: bool) -> Instruction:
    """One standing watch or plain instruction. Raises `SessionEnded`, before `UnknownInstruction`: what no turn had
    shown by the end of a session is gone with it."""
    look = await ports.store.look(key)
    if look.ended is not None:
        raise SessionEnded.because(key, look.ended.reason)
    shown = (await ports.store.history(key)).instructions
    return find_standing(shown, look.waiting.commands, instruction_id, watch=watch).instruction


async def add_standing(ports: Ports, key: SessionKey, new: Instruction) -> None:
    """Add a standing instruction or watch. Raises `InvalidSpec` when the session has as many as it may."""
    commands = await ports.store.commands(key)
    check_addable((await ports.store.history(key)).instructions, commands, new)
    await submit(ports, key, Instruct(new))
