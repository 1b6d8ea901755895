"""The pictures of an episode: as its camera gives them, and as the model gets them.

The gateway scales what it is sent and encodes it once more. The baselines are given exactly that picture, so that all
players see the same.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache

from vigil.core.profile import VIGIL_SMALL, PromptProfile
from vigil_recipe.render.frames import fit, from_jpeg, to_jpeg
from vigil_recipe.scenarios import Script
from vigil_recipe.world import Episode, render

SIZE = (320, 192)
QUALITY = 85
KEPT = 2_048  # pictures: those of the episodes that are being played, which every player looks at
PHASE_S = 0.2  # within its second, so that a condition that begins at the second is under way


@lru_cache(KEPT)
def camera_jpeg(episode: Episode, second: float) -> bytes:
    """One picture of the episode's camera, 320 x 192 pixels."""
    return to_jpeg(render(episode, second + PHASE_S, SIZE), QUALITY)


@lru_cache(KEPT)
def model_jpeg(camera: bytes, profile: PromptProfile = VIGIL_SMALL) -> bytes:
    """What the gateway makes of a camera's picture for this profile."""
    pixels = from_jpeg(camera)
    return to_jpeg(fit(pixels, profile.fit(pixels.shape[1], pixels.shape[0])), profile.jpeg_quality)


class Album:
    """The pictures of one script, turn by turn, drawn beside the event loop."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def camera(self, turn: int) -> bytes:
        """The picture of a turn as its camera gives it."""
        second = self._script.turns[turn].second
        return await asyncio.to_thread(camera_jpeg, self._script.episode, second)

    async def model(self, turn: int) -> bytes:
        """The picture of a turn as the model gets it."""
        return await asyncio.to_thread(model_jpeg, await self.camera(turn))
