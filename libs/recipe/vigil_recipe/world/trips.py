"""People and animals who pass through an episode without being a condition: the distractors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigil_recipe.world.canvas import WORLD_WIDTH, Colour
from vigil_recipe.world.scene import Person, Scene, make_person

KEEP_CLEAR = 0.3
CLEAR_BEFORE_S = 4
CLEAR_AFTER_S = 4


@dataclass(frozen=True, slots=True)
class Trip:
    """One passage: from ``x_from`` to ``x_to`` and back out, pausing half-way in a pose.

    ``pose`` is walk, crouch, stand or carry (with a bag in hand) for people, pet for an animal, car for a vehicle.
    """

    pose: str
    start_s: float
    end_s: float
    x_from: float
    x_to: float
    y: float
    person: Person
    colour: Colour

    def x(self, t_s: float) -> float:
        """Where it is at ``t_s``: a straight walk with a rest in the middle third, unless it never rests."""
        done = min(1.0, max(0.0, (t_s - self.start_s) / (self.end_s - self.start_s)))
        if self.pose in ("crouch", "stand"):
            done = min(done / 0.6, 0.5) if done < 0.7 else 0.5 + (done - 0.7) / 0.6
        return self.x_from + (self.x_to - self.x_from) * min(1.0, done)

    def resting(self, t_s: float) -> bool:
        """Whether it stands still in its pose."""
        done = (t_s - self.start_s) / (self.end_s - self.start_s)
        return self.pose in ("crouch", "stand") and 0.3 <= done < 0.7

    def active(self, t_s: float) -> bool:
        """Whether it is there at all."""
        return self.start_s <= t_s < self.end_s


def make_trips(
    rng: np.random.Generator, scene: Scene, seconds: int, objects: Sequence[tuple[int, int]]
) -> tuple[Trip, ...]:
    """Random passages. Nobody comes near the bag's place while the bag is there, or it would not be unattended."""
    trips = []
    t_s = float(rng.uniform(-3, 8))
    while t_s < seconds:
        trip = _trip(rng, scene, t_s)
        if trip.pose in ("pet", "car") or not _near_bag(trip, scene, objects):
            trips.append(trip)
        t_s += float(rng.uniform(2, 14))
    return tuple(trips)


def _trip(rng: np.random.Generator, scene: Scene, start_s: float) -> Trip:
    poses = ["walk", "walk", "carry", "crouch", "crouch", "stand", "pet", "pet"]
    poses += ["car", "car"] if scene.layout == "street" else []
    pose = str(rng.choice(poses))
    ends = (-0.2, WORLD_WIDTH + 0.2)
    x_from, x_to = ends if rng.random() < 0.5 else ends[::-1]
    length_s = float(rng.uniform(2.5, 5) if pose == "car" else rng.uniform(5, 12))
    y = float(rng.uniform(0.8, 0.95) if pose == "pet" else rng.uniform(0.7, 0.8))
    if pose == "car":
        y = float(rng.uniform(0.76, 0.86))
    colours: tuple[Colour, ...] = ((225, 120, 40), (60, 45, 35), (225, 220, 210), (30, 30, 32), (190, 40, 35))
    return Trip(pose, start_s, start_s + length_s, x_from, x_to, y, make_person(rng), colours[rng.integers(5)])


def _near_bag(trip: Trip, scene: Scene, objects: Sequence[tuple[int, int]]) -> bool:
    for start_s, end_s in objects:
        first = max(trip.start_s, start_s - CLEAR_BEFORE_S)
        last = min(trip.end_s, end_s + CLEAR_AFTER_S)
        for t_s in np.arange(first, last, 0.25):
            if abs(trip.x(float(t_s)) - scene.bag_at[0]) < KEEP_CLEAR:
                return True
    return False
