"""A lesson with pictures about watches: several at a time, given, taken back and given again.

An episode gives one or two instructions and takes back at most one, so a small model learns to see but not which
watches still stand: with one of two taken back it fell silent about both. Here they change every few pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from vigil_recipe.lessons.pictures import Pictured, drawn
from vigil_recipe.lessons.words import first_second
from vigil_recipe.render.clips import Clip
from vigil_recipe.scenarios.script_builder import choose
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import ALERT, DESCRIBE, KEEP, RESPONSE, SILENCE, STOP, reply_to, wordings
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Kind

CLOSE_SHARE = 0.5  # of the lessons: every second of a stretch, as a camera shows it
EMPTY_WEIGHT = 0.5  # how often a second that shows nothing is drawn, beside one that does
MOST = 3  # watches at a time
NEW_SHARE, BACK_SHARE, ASKED_SHARE = 0.22, 0.18, 0.06
SLIPS, SLIP_CHANCE = (0.0, 0.12), (0.7, 0.3)
LATE_SHARE, LATEST = 0.5, 12


def minding(rng: np.random.Generator, truth: Sequence[frozenset[Kind]], turns: int, images: int) -> Pictured:
    """Watches that come and go: with every picture the sentences of those that are still asked for and hold.

    In some lessons the history is silent about the first pictures of a condition, so that the model learns to speak
    after a miss. Without that, a model that was silent once stays silent.
    Raises ValueError when there are not as many seconds of ``truth`` as ``turns``.
    """
    if turns > len(truth):
        raise ValueError(f"{turns} turns do not fit {len(truth)} seconds")
    seconds = _seconds(rng, truth, turns)
    offset_s = first_second(rng) - seconds[0]
    slips = float(rng.choice(SLIPS, p=SLIP_CHANCE))
    late = rng.random() < LATE_SHARE
    exchanges: list[Exchange] = []
    owed, before = 0, SILENCE
    for second, (lines, asked) in zip(seconds, _orders(rng, turns), strict=True):
        query = DESCRIBE in lines
        reply = reply_to(truth[second], asked, query=query)
        if late and before == SILENCE != reply:
            owed = int(rng.integers(LATEST))
        said = SILENCE if owed and reply != SILENCE and not query else reply
        if rng.random() < slips and not query:
            said = _slip(rng, reply)
        owed, before = max(0, owed - 1), reply
        user = prompt_format.user_text(lines, float(offset_s + second), [1] * images)
        exchanges.append(Exchange(user, reply, said))
    return Pictured(seconds, tuple(exchanges), images)


def _seconds(rng: np.random.Generator, truth: Sequence[frozenset[Kind]], turns: int) -> tuple[int, ...]:
    if rng.random() < CLOSE_SHARE:
        start = int(rng.integers(len(truth) - turns + 1))
        return tuple(range(start, start + turns))
    return drawn(rng, turns, np.array([1.0 if held else EMPTY_WEIGHT for held in truth]))


def _orders(rng: np.random.Generator, turns: int) -> Iterator[tuple[list[str], frozenset[Kind]]]:
    """For each turn its lines and the kinds that are watched from it on; at first one or two."""
    watched: dict[Kind, str] = {}
    for turn in range(turns):
        lines = _given(rng, watched, int(rng.integers(1, 3))) if turn == 0 else []
        if turn and watched and rng.random() < BACK_SHARE:
            lines.append(STOP + watched.pop(choose(rng, list(watched))))
            lines += [KEEP + text for text in watched.values()]
        if turn and len(watched) < MOST and rng.random() < NEW_SHARE:
            lines += _given(rng, watched, 1)
        if rng.random() < ASKED_SHARE:
            lines.append(DESCRIBE)
        yield lines, frozenset(watched)


def _given(rng: np.random.Generator, watched: dict[Kind, str], count: int) -> list[str]:
    """``count`` new watches, in any order of their kinds."""
    for kind in rng.permutation([kind for kind in Kind if kind not in watched])[:count]:
        watched[Kind(kind)] = choose(rng, wordings(Kind(kind)))
    return list(watched.values())[-count:]


def _slip(rng: np.random.Generator, reply: str) -> str:
    return SILENCE if reply != SILENCE else f"{RESPONSE} {ALERT[choose(rng, list(Kind))]}"


LESSONS_IN_WATCHES: Mapping[str, Callable[[np.random.Generator, Clip, int], Pictured]] = {
    "minding": lambda rng, clip, turns: minding(rng, clip.truth, turns, clip.images),
}
