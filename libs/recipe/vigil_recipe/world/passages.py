"""Passages to count: people or cars that cross the whole picture one at a time."""

from __future__ import annotations

import numpy as np

from vigil_recipe.world.canvas import WORLD_WIDTH
from vigil_recipe.world.scene import Scene, make_person, random_colour
from vigil_recipe.world.trips import Trip

ENDS = (-0.25, WORLD_WIDTH + 0.25)
# How long before its whole second a passer crosses the middle. A turn's frame is taken up to 0.45 s after the whole
# second, so the frame of the turn before shows the passer before the middle and that of the turn itself shows it after.
LEAD_S = 0.27


def draw_passages(rng: np.random.Generator, scene: Scene, seconds: int) -> tuple[Trip, ...]:
    """Random crossings of 3 to 4.4 s, at least 1 s of empty picture between them; all people or all cars."""
    pose = "car" if scene.layout == "street" and rng.random() < 0.5 else "walk"
    trips: list[Trip] = []
    free_s, middle_s = 0.0, int(rng.integers(3, 12))
    while middle_s < seconds + 3:
        half_s = float(rng.uniform(1.5, 2.2))
        start_s = middle_s - LEAD_S - half_s
        if start_s >= free_s:
            ends = ENDS if rng.random() < 0.5 else ENDS[::-1]
            y = float(rng.uniform(0.78, 0.86) if pose == "car" else rng.uniform(0.82, 0.94))
            colour = random_colour(rng, 30, 230)
            trips.append(Trip(pose, start_s, start_s + 2 * half_s, *ends, y, make_person(rng), colour))
            free_s = start_s + 2 * half_s + 1.0
        middle_s += int(rng.integers(5, 13))
    return tuple(trips)


def crossing_second(trip: Trip) -> int:
    """The first whole second at which the passer is past the middle of the picture."""
    return int(np.ceil((trip.start_s + trip.end_s) / 2))
