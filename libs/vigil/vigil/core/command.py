"""What a client may tell a running session. Commands wait in the session's inbox until a turn has shown them."""

from dataclasses import dataclass

from vigil.core.ids import brain_name, token
from vigil.core.instruction import Instruction, check_text


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to answer once. `brain` names who answers it if it is delegated; empty: the session's brain."""

    id: str
    text: str
    brain: str = ""

    def __post_init__(self) -> None:
        token(self.id, "query id")
        brain_name(self.brain)
        check_text(self.text, "question")


@dataclass(frozen=True, slots=True)
class Instruct:
    """Add a standing instruction, or replace the one of the same id."""

    instruction: Instruction


@dataclass(frozen=True, slots=True)
class Clear:
    """End a standing instruction."""

    instruction_id: str


@dataclass(frozen=True, slots=True)
class Reset:
    """Forget the history and the dialogue; standing instructions stay."""


Command = Ask | Instruct | Clear | Reset
