"""What a player said to a script, turn by turn. Every player makes a transcript, and every score reads one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vigil.core.control import Action, Output, parse
from vigil.core.probability import Probabilities
from vigil_recipe.scenarios import Script


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn as it was played.

    ``reply`` is in the control form. ``p`` is None where nobody was asked or the engine gave none. ``results`` are the
    RESULT lines that the turn brought, since a player sends them only when the model has delegated.
    """

    time_s: float
    reply: str
    p: Probabilities | None = None
    latency_ms: float = 0.0
    results: tuple[str, ...] = ()

    @property
    def output(self) -> Output:
        """The reply, read."""
        return parse(self.reply)

    @property
    def is_silent(self) -> bool:
        """Whether nothing was said and nothing delegated."""
        return self.output.action is Action.SILENT


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """An alert event as a downstream system received it: ``state`` is opened, updated or closed."""

    state: str
    watch: str
    text: str
    time_s: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole script as played: as many turns as the script has. ``alerts`` is empty where the player has none."""

    turns: tuple[Heard, ...]
    alerts: tuple[AlertSeen, ...] = ()


class Player(Protocol):
    """Anything that can be examined: the system, or a baseline."""

    @property
    def name(self) -> str:
        """Its name in the report."""

    async def play(self, script: Script) -> Transcript:
        """Play the whole script. Raises `PlayFailed` when that is impossible; a wrong answer is no failure."""


class PlayFailed(Exception):
    """The script could not be played to its end: what did not answer, and what it said."""
