"""What a session is told: instructions and watches, which stand until they are cleared, and questions."""

from typing import Annotated

from pydantic import Field

from vigil.core.instruction import CONFIRM_S, COOLDOWN_S, HOLD_S, UPDATE_INTERVAL_S, Severity, Watch
from vigil_gateway.api.models.base import NO_TEXT_FLOAT, BrainName, In, Out, Text, Token, bounded

_WATCH = Watch("any")
_BRAIN = "Name of the brain that answers what is delegated under it; empty: the session's"

HoldS = Annotated[
    float, bounded(HOLD_S, "Quiet seconds after which an open alert closes", allow_inf_nan=False), NO_TEXT_FLOAT
]
CooldownS = Annotated[
    float,
    bounded(COOLDOWN_S, "Words within this time of its closing continue the same alert", allow_inf_nan=False),
    NO_TEXT_FLOAT,
]
UpdateIntervalS = Annotated[
    float,
    bounded(UPDATE_INTERVAL_S, "Least seconds between updates with unchanged words", allow_inf_nan=False),
    NO_TEXT_FLOAT,
]
ConfirmS = Annotated[
    float,
    bounded(
        CONFIRM_S,
        "Seconds for which the model must go on speaking before an alert opens: takes single slips away where the "
        "model says every second what still holds, as vigil-small does; 0 for models that say it once",
        allow_inf_nan=False,
    ),
    NO_TEXT_FLOAT,
]


class InstructionIn(In):
    """A standing instruction: the model keeps it in mind from its next turn on."""

    text: Text = Field(description="What to do", examples=["Greet everyone who comes in."])
    brain: Annotated[BrainName, Field(description=_BRAIN)] = ""


class WatchIn(In):
    """A standing instruction that raises alerts (opened, updated, closed) when the model speaks under it."""

    name: Token | None = Field(
        None,
        description="Name of the watch in its alerts; made of the words of `text` when left out",
        examples=["fire"],
    )
    text: Text = Field(description="What to watch for", examples=["Alert me when a fire starts."])
    severity: Severity = _WATCH.severity
    hold_s: HoldS = _WATCH.hold_s
    cooldown_s: CooldownS = _WATCH.cooldown_s
    update_interval_s: UpdateIntervalS = _WATCH.update_interval_s
    confirm_s: ConfirmS = _WATCH.confirm_s
    brain: Annotated[BrainName, Field(description=_BRAIN)] = ""


class QueryIn(In):
    """A question to the model about what it sees, answered once."""

    text: Text = Field(description="The question", examples=["How many people are in the room?"])
    brain: Annotated[
        BrainName, Field(description="Name of the brain that answers it if it is delegated; empty: the session's")
    ] = ""


class InstructionOut(Out):
    """A standing instruction."""

    id: str
    text: str
    pending: bool = Field(description="True until a turn has shown it to the model")
    given_at: int | None = Field(description="Sequence of the turn that showed it to the model")
    brain: str = Field(description=_BRAIN)


class WatchOut(InstructionOut):
    """A standing instruction that raises alerts."""

    name: str
    severity: Severity
    hold_s: float
    cooldown_s: float
    update_interval_s: float
    confirm_s: float


class InstructionList(Out):
    """Standing instructions without those that are watches."""

    instructions: list[InstructionOut]


class WatchList(Out):
    """Standing instructions that raise alerts."""

    watches: list[WatchOut]
