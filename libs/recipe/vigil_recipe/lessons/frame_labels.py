"""What single frames show, as the vision tower learns it first: conditions, passers on either side, the sign's word."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vigil_recipe.render.clips import Clip
from vigil_recipe.world import Episode, Kind, Stage
from vigil_recipe.world.canvas import WORLD_WIDTH
from vigil_recipe.world.sign import LEXICON

SIDES = ("passer left of the middle", "passer right of the middle")
FRAME_LABELS = (*(kind.value for kind in Kind), *SIDES, *LEXICON)
PHASE_S = 0.2  # a turn's frame is taken up to 0.45 s after the whole second; no passer crosses the middle in that time


def label_frames(clip: Clip) -> npt.NDArray[np.float32]:
    """For each turn and label 1 where it shows, 0 where it does not, NaN where it is not known.

    Passers are known in stages where nobody else walks about, words in stages with a sign.
    """
    rows = np.full((clip.turns, len(FRAME_LABELS)), np.nan, dtype=np.float32)
    for turn, held in enumerate(clip.truth):
        rows[turn, : len(Kind)] = [kind in held for kind in Kind]
    episode = clip.episode
    if episode is None:
        return rows
    for turn in range(clip.turns):
        if episode.stage is Stage.CROSSING:
            rows[turn, len(Kind) : len(Kind) + len(SIDES)] = _sides(episode, turn + PHASE_S)
        if episode.stage is Stage.SIGN:
            rows[turn, len(Kind) + len(SIDES) :] = [episode.word(turn) == word for word in LEXICON]
    return rows


def _sides(episode: Episode, t_s: float) -> tuple[bool, bool]:
    """Whether someone is in the picture left, and right, of its middle."""
    places = [trip.x(t_s) for trip in episode.trips if trip.active(t_s)]
    middle = WORLD_WIDTH / 2
    return any(0 < x < middle for x in places), any(middle <= x < WORLD_WIDTH for x in places)
