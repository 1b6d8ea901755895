"""The part of an episode that a script shows: truth by turn instead of by second."""

from __future__ import annotations

from dataclasses import dataclass

from vigil_recipe.world import Episode, Kind


@dataclass(frozen=True, slots=True)
class Change:
    """A condition that starts or ends: the first turn whose picture shows it so."""

    turn: int
    kind: Kind
    started: bool


@dataclass(frozen=True, slots=True)
class Window:
    """``turns`` seconds of an episode from second ``first`` on.

    Raises ValueError when they do not fit the episode or are fewer than 8, too few for any request and its answer.
    """

    episode: Episode
    first: int
    turns: int

    def __post_init__(self) -> None:
        if self.turns < 8:
            raise ValueError(f"a script needs at least 8 turns, got {self.turns}")
        if self.first < 0 or self.first + self.turns > self.episode.seconds:
            raise ValueError(
                f"{self.turns} turns from second {self.first} do not fit an episode of {self.episode.seconds} s"
            )

    def truth(self, turn: int) -> frozenset[Kind]:
        """The conditions that hold in a turn."""
        return self.episode.truth(self.first + turn)

    def word(self, turn: int) -> str:
        """The word on the sign in a turn; empty when there is none."""
        return self.episode.word(self.first + turn)

    def seen(self, turn: int) -> frozenset[Kind]:
        """The conditions that held in any turn up to and including this one."""
        return frozenset[Kind]().union(*(self.truth(earlier) for earlier in range(turn + 1)))

    def changes(self) -> tuple[Change, ...]:
        """All changes that the window shows, by turn, then in the order of the kinds."""
        found = []
        for turn in range(1, self.turns):
            before, now = self.truth(turn - 1), self.truth(turn)
            found += [Change(turn, kind, kind in now) for kind in Kind if (kind in now) != (kind in before)]
        return tuple(found)

    def runs(self, kind: Kind) -> tuple[tuple[int, int], ...]:
        """The turns in which a condition holds, as (first, end) of each unbroken run."""
        return runs([kind in self.truth(turn) for turn in range(self.turns)])

    def crossings(self) -> tuple[int, ...]:
        """The turns in which a passer is first past the middle, having been seen before it."""
        turns = (second - self.first for second in self.episode.crossings)
        return tuple(turn for turn in turns if 1 <= turn < self.turns)


def runs(held: list[bool]) -> tuple[tuple[int, int], ...]:
    """(first, end) of each unbroken run of True."""
    found, first = [], -1
    for turn, now in enumerate([*held, False]):
        if now and first < 0:
            first = turn
        elif not now and first >= 0:
            found.append((first, turn))
            first = -1
    return tuple(found)
