"""Delegated questions while a script is played: when the answer of each comes."""

from __future__ import annotations

from collections.abc import Sequence

from vigil_recipe.scenarios import Result


class Background:
    """The delegated questions of one play: the answer of each comes some turns after the model has delegated it."""

    def __init__(self, results: Sequence[Result]) -> None:
        self._left = list(results)
        self._coming: list[tuple[int, str]] = []

    def take(self, turn: int, question: str) -> None:
        """The model has delegated ``question`` in ``turn``. A question that the script has no answer to gets none."""
        found = next((result for result in self._left if result.question == question), None)
        if question and found is not None:
            self._left.remove(found)
            self._coming.append((turn + found.delay, found.line.text))

    def due(self, turn: int) -> tuple[str, ...]:
        """The RESULT lines that come in ``turn``, or came due before it."""
        ready = tuple(text for at, text in self._coming if at <= turn)
        self._coming = [(at, text) for at, text in self._coming if at > turn]
        return ready
