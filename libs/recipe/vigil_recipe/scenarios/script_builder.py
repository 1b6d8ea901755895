"""Builds a script: lines and utterances are added by turn, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import numpy as np

from vigil_recipe.scenarios.script import Due, Line, Observed, Result, Said, Scenario, Script, ScriptTurn
from vigil_recipe.scenarios.window import Window
from vigil_recipe.text.dialogue import DELEGATION, KEEP, RESPONSE, SILENCE, STOP
from vigil_recipe.text.prompt_format import observation_line

LATEST = 3  # turns in which an answer that is said once still counts
CLEARED = 0.2  # share of standing instructions that are taken back
T = TypeVar("T")


class Rank(IntEnum):
    """The order of the sentences in a reply that says several things."""

    ANSWER = 0
    EVENT = 1
    ALERT = 2


@dataclass(frozen=True, slots=True, order=True)
class _Utterance:
    rank: Rank
    order: int
    text: str
    question: str


def choose(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One item, drawn at random."""
    return items[int(rng.integers(len(items)))]


class ScriptBuilder:
    """Collects what is said in a window. Utterances of one turn are ordered by rank, then ``order``."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._lines: list[list[Line]] = [[] for _ in range(window.turns)]
        self._said: list[list[_Utterance]] = [[] for _ in range(window.turns)]
        self._dues: list[Due] = []
        self._observed: list[Observed] = []

    def line(self, turn: int, said: Said, text: str) -> None:
        """The user says ``text`` in a turn."""
        self._lines[turn].append(Line(said, text))

    def clear(self, turn: int, instruction: str) -> None:
        """The user takes back an instruction: every clearing has the same form, with the instruction's own words."""
        self.line(turn, Said.CLEARING, STOP + instruction)

    def name_again(self) -> None:
        """After a turn's last clearing, name every instruction that still stands, as the system does for watches."""
        standing: list[str] = []
        for lines in self._lines:
            after, left = 0, list[str]()
            for index, line in enumerate(lines, start=1):
                if line.said is Said.INSTRUCTION:
                    standing.append(line.text)
                elif line.said is Said.CLEARING:
                    standing.remove(line.text.removeprefix(STOP))
                    after, left = index, list(standing)
            lines[after:after] = [Line(Said.KEPT, KEEP + text) for text in left]

    def stand(self, rng: np.random.Generator, text: str, *, at_once: float) -> tuple[int, int]:
        """An instruction from the first turn on, with chance ``at_once``, or from a later one; some are taken back.

        Returns the turns in which it is given and cleared, the latter the window's end when it never is.
        """
        turns = self.window.turns
        given = 0 if rng.random() < at_once else int(rng.integers(turns))
        cleared = turns
        if rng.random() < CLEARED and given + 1 < turns:
            cleared = int(rng.integers(given + 1, turns))
            self.clear(cleared, text)
        self.line(given, Said.INSTRUCTION, text)
        return given, cleared

    def is_free(self, turn: int) -> bool:
        """Whether the turn has no line and no reply yet."""
        return not self._lines[turn] and not self._said[turn]

    def asks_nothing(self, turn: int) -> bool:
        """Whether the turn has no question yet."""
        return all(line.said is not Said.QUESTION for line in self._lines[turn])

    def instructions(self) -> list[str]:
        """Every instruction that is given in the window, whether or not it is taken back."""
        return [line.text for lines in self._lines for line in lines if line.said is Said.INSTRUCTION]

    def say(
        self,
        turn: int,
        text: str,
        *,
        asked: int,
        rank: Rank = Rank.ANSWER,
        order: int = 0,
        end: int | None = None,
        question: str = "",
    ) -> Due:
        """The right reply of ``turn`` says ``text`` once; it still counts before ``end`` (three turns by default)."""
        self._said[turn].append(_Utterance(rank, order, text, question))
        last = min(turn + LATEST if end is None else end, self.window.turns)
        self._dues.append(due := Due(asked, turn, last, text, question))
        return due

    def hold(self, first: int, end: int, text: str, *, asked: int, order: int) -> None:
        """The right replies of the turns ``first`` to before ``end`` all say ``text``: an alert."""
        for turn in range(first, end):
            self._said[turn].append(_Utterance(Rank.ALERT, order, text, ""))
        self._dues.append(Due(asked, first, end, text, repeats=True))

    def ask(self, turn: int, question: str, answer: str) -> Due:
        """A question that is answered in its own turn."""
        self.line(turn, Said.QUESTION, question)
        return self.say(turn, answer, asked=turn)

    def observe(self, observed: Observed) -> None:
        """A module tells something in a turn."""
        line = observation_line(observed.module, observed.kind, observed.text, observed.confidence)
        self.line(observed.turn, Said.OBSERVATION, line)
        self._observed.append(observed)

    def put_in_order(self) -> None:
        """The lines of each turn as the system shows them: what modules tell, then instructions, then questions."""
        for lines in self._lines:
            lines.sort(key=lambda line: (line.said is Said.QUESTION) - (line.said is Said.OBSERVATION))

    def script(self, scenario: Scenario, *, results: Sequence[Result] = (), memory: str = "") -> Script:
        """The finished script, its dues ordered by turn."""
        turns = tuple(
            ScriptTurn(self.window.first + turn, tuple(self._lines[turn]), _reply(self._said[turn]))
            for turn in range(self.window.turns)
        )
        dues = tuple(sorted(self._dues, key=lambda due: (due.first, due.asked)))
        observed = tuple(sorted(self._observed, key=lambda told: told.turn))
        return Script(scenario, self.window.episode, turns, dues, tuple(results), memory, observed)


def _reply(said: Sequence[_Utterance]) -> str:
    """The control form: silence, a response, or a response that ends with what is delegated."""
    if not said:
        return SILENCE
    ordered = sorted(said)
    hidden = "".join(f" {DELEGATION} {utterance.question}" for utterance in ordered if utterance.question)
    return f"{RESPONSE} {' '.join(utterance.text for utterance in ordered)}{hidden}"
