"""Standing instructions and watches: a list that is added to, replaced in and cleared, never rewritten upstream."""

from dataclasses import dataclass
from enum import StrEnum

from vigil.core.bounds import Bounds
from vigil.core.control import CHAT_TOKEN
from vigil.core.errors import InvalidSpec, UnknownInstruction
from vigil.core.ids import brain_name, token

MAX_INSTRUCTION_CHARS = 2_000
MAX_INSTRUCTIONS = 16
DAY_S = 86_400

HOLD_S = COOLDOWN_S = CONFIRM_S = Bounds(0, DAY_S, "seconds")
UPDATE_INTERVAL_S = Bounds(0, DAY_S, "seconds", exclusive=True)


class Severity(StrEnum):
    """How urgent an alert is for whoever listens to it."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Watch:
    """What makes an instruction raise alerts (design §8). Times are in seconds of capture time.

    An alert opens when the model has spoken in every turn for `confirm_s`. Above 0 this ignores single slips of models
    that say every second what still holds. An open alert closes after `hold_s` of quiet. Words within `cooldown_s` of
    its closing continue the same alert.
    While it is open, an unchanged text is repeated as an update every `update_interval_s` at most. New words are an
    update sooner: a second after the alert's first event, two after its second, and so on up to that interval.
    """

    name: str
    severity: Severity = Severity.WARNING
    hold_s: float = 5.0
    cooldown_s: float = 30.0
    update_interval_s: float = 10.0
    confirm_s: float = 0.0

    def __post_init__(self) -> None:
        token(self.name, "watch name")
        HOLD_S.check("hold_s", self.hold_s)
        COOLDOWN_S.check("cooldown_s", self.cooldown_s)
        UPDATE_INTERVAL_S.check("update_interval_s", self.update_interval_s)
        CONFIRM_S.check("confirm_s", self.confirm_s)


@dataclass(frozen=True, slots=True)
class Instruction:
    """A standing instruction. `given_at` is the sequence of the turn that showed it to the model. `brain` names who
    answers what is delegated under it; empty: the session's brain."""

    id: str
    text: str
    watch: Watch | None = None
    given_at: int = 0
    brain: str = ""

    def __post_init__(self) -> None:
        token(self.id, "instruction id")
        brain_name(self.brain)
        check_text(self.text, "instruction")


def check_text(text: str, what: str) -> str:
    """Return `text` when the model may be shown it, else raise `InvalidSpec`."""
    if not text.strip():
        raise InvalidSpec(f"the {what} is empty: write what to watch for or what to answer")
    if len(text) > MAX_INSTRUCTION_CHARS:
        raise InvalidSpec(f"the {what} has {len(text):,} characters: at most {MAX_INSTRUCTION_CHARS:,} are allowed")
    if found := CHAT_TOKEN.search(text):
        raise InvalidSpec(
            f"the {what} contains {found.group()[:80]!r}, which the model takes for a command: leave it out"
        )
    return text


Instructions = tuple[Instruction, ...]


def add(instructions: Instructions, new: Instruction) -> Instructions:
    """Append `new`; one of the same id is replaced and moves to the end."""
    kept = tuple(instruction for instruction in instructions if instruction.id != new.id)
    if len(kept) >= MAX_INSTRUCTIONS:
        raise InvalidSpec(f"a session has at most {MAX_INSTRUCTIONS} instructions: clear one first")
    return (*kept, new)


def find(instructions: Instructions, instruction_id: str) -> Instruction:
    """The instruction of that id, or `UnknownInstruction`."""
    for instruction in instructions:
        if instruction.id == instruction_id:
            return instruction
    known = ", ".join(instruction.id for instruction in instructions) or "none"
    raise UnknownInstruction(f"no instruction {instruction_id[:80]!r} in this session (it has: {known})")


def clear(instructions: Instructions, instruction_id: str) -> Instructions:
    """Drop the instruction of that id, or raise `UnknownInstruction`."""
    gone = find(instructions, instruction_id)
    return tuple(instruction for instruction in instructions if instruction is not gone)
