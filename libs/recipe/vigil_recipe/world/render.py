"""From an episode and a time to pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from vigil_recipe.world.actors import (
    draw_bag,
    draw_car,
    draw_crouching,
    draw_curtain,
    draw_door,
    draw_fire,
    draw_lamp,
    draw_person,
    draw_pet,
    draw_tv,
)
from vigil_recipe.world.canvas import WORLD_WIDTH, Canvas, shade
from vigil_recipe.world.episode import Episode, Kind, Span
from vigil_recipe.world.look import apply_look, draw_occluder
from vigil_recipe.world.scene import Scene, draw_background
from vigil_recipe.world.sign import draw_sign
from vigil_recipe.world.trips import Trip

Pixels: TypeAlias = npt.NDArray[np.uint8]

TURN_S = 0.4
WALK_SPEED = 0.5
ARRIVAL_S = 4.0
NOISE_SIDE = 1024

_Item: TypeAlias = tuple[float, Callable[[], None]]


def render(episode: Episode, t_s: float, size: tuple[int, int] = (640, 384)) -> Pixels:
    """The camera's picture at ``t_s`` seconds, uint8 of shape (height, width, 3); ``size`` is (width, height).

    The same episode, time and size always give the same bytes.
    """
    scene = episode.scene
    image = _background(scene, size).copy()
    canvas = Canvas.over(image)
    draw_door(canvas, scene, _door_openness(episode, t_s))
    for name, x, colour in scene.furniture:
        if name == "window":
            draw_curtain(canvas, x, shade(colour, 0.9), t_s)
    canvas.oval(0.3 + (t_s * 0.05 + scene.phase) % 1.4, 0.9, 0.12, 0.02, shade(scene.floor, 0.85))
    for _, draw in sorted(_floor_items(canvas, episode, t_s), key=lambda item: item[0]):
        draw()
    look = episode.look
    if look is not None and look.occluder is not None:
        draw_occluder(canvas, look.occluder)
    image = image.point(_light_table(_light(scene, t_s)))
    _draw_bright(Canvas.over(image), episode, t_s)
    if look is not None:
        image = apply_look(image, look)
    return _sensor(scene, np.asarray(image), t_s)


@lru_cache(maxsize=8)
def _background(scene: Scene, size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size)
    draw_background(Canvas.over(image), scene)
    return image


def _light(scene: Scene, t_s: float) -> float:
    step = scene.light_step if t_s >= scene.light_step_s else 1.0
    return scene.light * step * (1 + 0.03 * math.sin(t_s * 0.4 + scene.phase))


def _light_table(light: float) -> list[int]:
    return [min(255, int(value * light)) for value in range(256)] * 3


def _draw_bright(canvas: Canvas, episode: Episode, t_s: float) -> None:
    """What shines by itself, so that the night does not dim it."""
    scene = episode.scene
    for name, x, colour in scene.furniture:
        if name in ("lamp", "street_lamp"):
            draw_lamp(canvas, scene, x, colour, tall=name == "street_lamp")
        elif name == "tv":
            draw_tv(canvas, scene, x, colour, t_s)
    if Kind.FIRE in episode.truth(t_s):
        draw_fire(canvas, scene, t_s)
    if episode.sign is not None:
        draw_sign(canvas, episode.sign, episode.word(t_s))


def _door_openness(episode: Episode, t_s: float) -> float:
    best = 0.0
    for span in episode.spans_of(Kind.DOOR):
        if span.start_s - TURN_S <= t_s < span.end_s:
            opening = (t_s - span.start_s + TURN_S) / TURN_S
            closing = (span.end_s - t_s) / TURN_S
            best = max(best, min(1.0, opening, closing))
    return best


def _floor_items(canvas: Canvas, episode: Episode, t_s: float) -> list[_Item]:
    """What stands on the floor: (how far down the picture, how to draw it)."""
    items: list[_Item] = [
        (trip.y, partial(_draw_trip, canvas, episode.scene, trip, t_s)) for trip in episode.trips if trip.active(t_s)
    ]
    for span in episode.spans_of(Kind.OBJECT):
        items += _bag_items(canvas, episode.scene, span, t_s)
    for span in episode.spans_of(Kind.FALL):
        items += _fall_items(canvas, episode.scene, span, t_s)
    return items


def _draw_trip(canvas: Canvas, scene: Scene, trip: Trip, t_s: float) -> None:
    at = (trip.x(t_s), trip.y)
    step = t_s * 7
    if trip.pose == "pet":
        draw_pet(canvas, trip.colour, at, step * 1.7, 1.0 if trip.x_to > trip.x_from else -1.0)
    elif trip.pose == "car":
        draw_car(canvas, trip.colour, at)
    elif trip.pose == "crouch" and trip.resting(t_s):
        draw_crouching(canvas, trip.person, at)
    else:
        draw_person(canvas, trip.person, at, step=0.0 if trip.resting(t_s) else step)
        if trip.pose == "carry":
            draw_bag(canvas, scene, (at[0] + 0.07, at[1] - 0.1))


def _bag_items(canvas: Canvas, scene: Scene, span: Span, t_s: float) -> list[_Item]:
    """The owner brings the bag, leaves it for the span, and comes back for it.

    Nobody is within 0.2 of the bag from half a second before the span to half a second before its end.
    """
    if not span.start_s - ARRIVAL_S <= t_s < span.end_s + ARRIVAL_S:
        return []
    x, y = scene.bag_at
    away = 1.0 if x < WORLD_WIDTH / 2 else -1.0
    left_s, back_s = t_s - span.start_s, span.end_s - t_s
    if left_s < -0.5:
        distance, carried = 0.07 + WALK_SPEED * max(0.0, -left_s - 1.5), left_s < -1.5
    elif left_s < back_s:
        distance, carried = 0.3 + WALK_SPEED * left_s, False
    elif back_s > 0:
        distance, carried = 0.1 + WALK_SPEED * 1.4 * back_s, False
    else:
        distance, carried = 0.07 - WALK_SPEED * back_s, True
    owner = (x + away * distance, y - 0.02)
    walking = not (-1.5 <= left_s < -0.5)
    items: list[_Item] = [
        (owner[1], partial(draw_person, canvas, scene.owner, owner, step=t_s * 7 if walking else 0.0))
    ]
    bag_at = (owner[0] - away * 0.06, y - 0.1) if carried else (x, y)
    items.append((y + 0.01, partial(draw_bag, canvas, scene, bag_at)))
    return items


def _fall_items(canvas: Canvas, scene: Scene, span: Span, t_s: float) -> list[_Item]:
    """Someone walks in, falls in the last moment before the span, lies, is up again at its end and walks out.

    The way in and out leads away from the bag's place, whose bag must stay unattended.
    """
    if not span.start_s - ARRIVAL_S <= t_s < span.end_s + ARRIVAL_S:
        return []
    x, y = scene.fall_at
    side = -1.0 if scene.fall_left else 1.0
    before_s, after_s = span.start_s - t_s, t_s - span.end_s
    tilt = max(0.0, min(1.0, 1 - before_s / TURN_S, -after_s / TURN_S))
    walked = max(0.0, before_s - 1.0, after_s - 0.8)
    exit_side = -1.0 if x < scene.bag_at[0] else 1.0
    at = (x + exit_side * WALK_SPEED * walked, y)
    return [(y, partial(draw_person, canvas, scene.fallen, at, step=t_s * 7 if walked else 0.0, tilt=side * tilt))]


@lru_cache(maxsize=1)
def _noise_bank() -> npt.NDArray[np.float32]:
    return np.random.default_rng(7).standard_normal((NOISE_SIDE, NOISE_SIDE, 3)).astype(np.float32)


def _sensor(scene: Scene, pixels: Pixels, t_s: float) -> Pixels:
    """The camera itself: it shakes by whole pixels and its sensor is noisy."""
    height, width = pixels.shape[:2]
    rng = np.random.default_rng([round(scene.phase * 1e6), round(t_s * 1000) & 0xFFFFFFFF])
    reach = round(2 * scene.jitter * width / 320)
    if reach:
        down, right = (int(shift) for shift in rng.integers(-reach, reach + 1, 2))
        padded = np.pad(pixels, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
        pixels = padded[reach + down : reach + down + height, reach + right : reach + right + width]
    top, left = rng.integers(0, NOISE_SIDE - height + 1), rng.integers(0, NOISE_SIDE - width + 1)
    noise = _noise_bank()[top : top + height, left : left + width] * scene.noise
    noisy: Pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return noisy
