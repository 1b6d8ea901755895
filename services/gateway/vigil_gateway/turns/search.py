"""Finds the decision of a turn in its stream. Pure but for the look that is asked for.

The decisions of one session lie in the stream in the order of their turns, each turn once, among those of other
sessions. No index leads from a turn to its place. But sessions decide at a steady pace, so a guess comes close.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a decision lies: its sequence in the stream, and that of its turn."""

    stored: int
    turn: int


# The first decision of the session at or after a sequence of the stream; None when there is none.
Look = Callable[[int], Awaitable[Place | None]]


async def place_of(look: Look, wanted: int, low: Place, high: Place) -> int:
    """From where on the stream holds the session's decisions of turn `wanted` and later, and none of an earlier turn.

    `low` and `high` are decisions of the session with `low.turn` <= `wanted` <= `high.turn`. Guesses and halvings take
    turns: a few looks where turns come at a steady pace, and never more than twice the binary logarithm of the places
    between the two.
    """
    if low.turn == wanted:
        return low.stored
    guesses = True
    while high.stored - low.stored > 1:
        gap = high.stored - low.stored
        step = gap * (wanted - low.turn) // (high.turn - low.turn) if guesses else gap // 2
        guesses = not guesses
        middle = low.stored + min(max(step, 1), gap - 1)
        found = await look(middle)
        if found is None:  # the stream was emptied meanwhile
            break
        if found.turn < wanted:
            low = found
        else:  # nothing from `middle` on is of an earlier turn
            high = Place(middle, found.turn)
        if high.turn == wanted:
            break
    return high.stored
