"""What stands in a session: what the state has, with the commands on their way to it applied. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigil.core.command import Clear, Command, Instruct
from vigil.core.errors import UnknownInstruction
from vigil.core.instruction import Instruction, Instructions, add, find


@dataclass(frozen=True, slots=True)
class Standing:
    """An instruction; `pending` until a turn has shown it to the model."""

    instruction: Instruction
    pending: bool


def standing(shown: Instructions, commands: Sequence[Command]) -> tuple[Standing, ...]:
    """Every instruction that the session will have once its inbox is worked off, oldest first.

    The inbox is to be read *before* the state: a command that was worked off in between is then seen twice, which
    changes nothing, and never missed.
    """
    known = set(shown)
    return tuple(Standing(found, pending=found not in known) for found in _after(shown, commands))


def check_addable(shown: Instructions, commands: Sequence[Command], new: Instruction) -> None:
    """Raise `InvalidSpec` when the session would then have too many instructions."""
    add(_after(shown, commands), new)


def find_standing(shown: Instructions, commands: Sequence[Command], instruction_id: str, *, watch: bool) -> Standing:
    """The standing watch (or plain instruction) of that id, or `UnknownInstruction`."""
    candidates = tuple(
        candidate for candidate in standing(shown, commands) if (candidate.instruction.watch is not None) == watch
    )
    try:
        found = find(tuple(candidate.instruction for candidate in candidates), instruction_id)
    except UnknownInstruction as error:
        raise UnknownInstruction(str(error).replace("instruction", "watch") if watch else str(error)) from None
    return next(candidate for candidate in candidates if candidate.instruction is found)


def _after(shown: Instructions, commands: Sequence[Command]) -> Instructions:
    instructions = shown
    for command in commands:
        match command:
            case Instruct(instruction=new):
                instructions = (*(kept for kept in instructions if kept.id != new.id), _as_shown(shown, new))
            case Clear(instruction_id=gone):
                instructions = tuple(kept for kept in instructions if kept.id != gone)
            case _:
                pass
    return instructions


def _as_shown(shown: Instructions, new: Instruction) -> Instruction:
    """The state's copy of `new` when it is there already: it differs only by when it was given."""
    same = (
        instruction
        for instruction in shown
        if (instruction.id, instruction.text, instruction.watch, instruction.brain)
        == (new.id, new.text, new.watch, new.brain)
    )
    return next(same, new)
