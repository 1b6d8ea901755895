"""The still part of an episode: the place, its furniture, its light and its camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigil_recipe.world.canvas import WORLD_WIDTH, Canvas, Colour, shade

DOOR_CLEAR = 0.28
LAYOUTS = ("room", "corridor", "street")  # what a plain seed draws from
ALL_LAYOUTS = (*LAYOUTS, "counter")
WARM: tuple[Colour, ...] = ((235, 120, 30), (220, 50, 30), (240, 170, 50), (200, 80, 20))


@dataclass(frozen=True, slots=True)
class Person:
    """How one person looks. ``height`` in world units."""

    shirt: Colour
    trousers: Colour
    skin: Colour
    hair: Colour
    height: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that stays the same during an episode. Places are world units on the floor (see canvas)."""

    layout: str
    wall: Colour
    floor: Colour
    horizon: float
    door_x: float
    door_size: tuple[float, float]
    door_colour: Colour
    door_inside: Colour
    door_leaf_right: bool
    bag_at: tuple[float, float]
    bag_size: tuple[float, float]
    bag_colour: Colour
    bag_is_box: bool
    fire_at: tuple[float, float]
    fire_size: tuple[float, float]
    fall_at: tuple[float, float]
    fall_left: bool
    fallen: Person
    owner: Person
    furniture: tuple[tuple[str, float, Colour], ...]
    light: float
    light_step: float
    light_step_s: float
    noise: float
    jitter: float
    phase: float


def make_person(rng: np.random.Generator, *, warm: bool | None = None) -> Person:
    """A random person; one in four wears the colours of fire, and must not be taken for a fire."""
    is_warm = rng.random() < 0.25 if warm is None else warm
    shirt = WARM[rng.integers(len(WARM))] if is_warm else random_colour(rng, 40, 230)
    skin = ((236, 200, 170), (200, 150, 115), (120, 80, 55))[rng.integers(3)]
    return Person(shirt, random_colour(rng, 20, 130), skin, random_colour(rng, 10, 90), float(rng.uniform(0.44, 0.54)))


def random_colour(rng: np.random.Generator, low: int, high: int) -> Colour:
    """A colour with each channel in [low, high)."""
    red, green, blue = (int(channel) for channel in rng.integers(low, high, 3))
    return red, green, blue


def make_scene(rng: np.random.Generator, layout: str | None = None) -> Scene:
    """A random place. Door, bag, fire and the place of a fall never share a quarter of the picture."""
    place = layout or str(rng.choice(LAYOUTS))
    if place not in ALL_LAYOUTS:
        raise ValueError(f"unknown layout {place!r}: choose one of {', '.join(ALL_LAYOUTS)}")
    quarter = WORLD_WIDTH / 4
    middles = [(index + 0.5) * quarter + float(rng.uniform(-0.05, 0.05)) for index in rng.permutation(4)]
    base = int(rng.integers(90, 215))
    wall = _tint(rng, base, 28)
    floor = shade(_tint(rng, base, 22), float(rng.uniform(0.5, 0.8)))
    horizon = float(rng.uniform(0.54, 0.62))
    night = rng.random() < 0.25
    return Scene(
        layout=place,
        wall=wall,
        floor=floor,
        horizon=horizon,
        door_x=middles[0],
        door_size=(float(rng.uniform(0.2, 0.27)), float(rng.uniform(0.38, 0.46))),
        door_colour=_door_colour(rng),
        door_inside=((12, 12, 16), (250, 246, 214))[int(rng.random() < 0.35)],
        door_leaf_right=bool(rng.random() < 0.5),
        bag_at=(middles[1], float(rng.uniform(0.8, 0.93))),
        bag_size=(float(rng.uniform(0.14, 0.2)), float(rng.uniform(0.11, 0.15))),
        bag_colour=((30, 60, 190), (25, 110, 60), (110, 30, 120), (20, 20, 24), (120, 75, 35))[rng.integers(5)],
        bag_is_box=bool(rng.random() < 0.4),
        fire_at=(middles[2], float(rng.uniform(0.68, 0.86))),
        fire_size=(float(rng.uniform(0.18, 0.3)), float(rng.uniform(0.22, 0.38))),
        fall_at=(float(np.clip(middles[3], 0.3, WORLD_WIDTH - 0.3)), float(rng.uniform(0.84, 0.95))),
        fall_left=bool(rng.random() < 0.5),
        fallen=make_person(rng),
        owner=make_person(rng),
        furniture=_furniture(rng, place, middles[0]),
        light=float(rng.uniform(0.42, 0.65)) if night else float(rng.uniform(0.8, 1.1)),
        light_step=float(rng.choice([1.0, 1.0, 0.75, 1.25])),
        light_step_s=float(rng.uniform(5, 80)),
        noise=float(rng.uniform(1.0, 5.0)) + 2.0 * night,
        jitter=float(rng.choice([0.0, 0.0, 0.5, 1.0])),
        phase=float(rng.uniform(0, 100)),
    )


def _tint(rng: np.random.Generator, base: int, spread: int) -> Colour:
    red, green, blue = (int(np.clip(base + offset, 0, 255)) for offset in rng.integers(-spread, spread + 1, 3))
    return red, green, blue


def _door_colour(rng: np.random.Generator) -> Colour:
    return ((120, 80, 45), (150, 110, 70), (70, 95, 130), (170, 60, 50), (90, 120, 90))[rng.integers(5)]


def _furniture(rng: np.random.Generator, layout: str, door_x: float) -> tuple[tuple[str, float, Colour], ...]:
    """What stands or hangs around, clear of the door: (name, x, colour), some of it in the colours of fire."""
    names = {
        "room": ("poster", "window", "lamp", "tv", "table", "shelf"),
        "corridor": ("poster", "lamp", "plant", "window"),
        "street": ("tree", "poster", "window", "street_lamp"),
        "counter": ("poster", "lamp", "plant"),
    }[layout]
    count = int(rng.integers(1, len(names) + 1))
    picked = [str(name) for name in rng.permutation(names)[:count]]
    placed = [(name, float(rng.uniform(0.08, WORLD_WIDTH - 0.08)), _paint(rng)) for name in picked]
    return tuple(item for item in placed if abs(item[1] - door_x) > DOOR_CLEAR)


def _paint(rng: np.random.Generator) -> Colour:
    return WARM[rng.integers(len(WARM))] if rng.random() < 0.45 else random_colour(rng, 30, 220)


def draw_background(canvas: Canvas, scene: Scene) -> None:
    """Walls, floor and whatever never moves, the closed door's frame included."""
    canvas.box(-1, -1, 3, scene.horizon, scene.wall)
    canvas.box(-1, scene.horizon, 3, 2, scene.floor)
    {"room": _room, "corridor": _corridor, "street": _street, "counter": _counter}[scene.layout](canvas, scene)
    for name, x, colour in scene.furniture:
        _draw_still(canvas, scene, name, x, colour)
    width, height = scene.door_size
    bottom = scene.horizon + 0.03
    frame = shade(scene.wall, 0.6)
    canvas.box(
        scene.door_x - width / 2 - 0.015, bottom - height - 0.02, scene.door_x + width / 2 + 0.015, bottom, frame
    )


def _room(canvas: Canvas, scene: Scene) -> None:
    canvas.box(-1, scene.horizon - 0.02, 3, scene.horizon, shade(scene.wall, 0.75))
    for index in range(5):
        x = index * 0.45 - 0.1
        canvas.shape(
            [(x, 1), (x + 0.012, 1), (x * 0.7 + 0.262, scene.horizon), (x * 0.7 + 0.25, scene.horizon)],
            shade(scene.floor, 0.9),
        )


def _corridor(canvas: Canvas, scene: Scene) -> None:
    left, right, top = 0.22, WORLD_WIDTH - 0.22, 0.1
    canvas.shape([(0, 0), (left, top), (left, scene.horizon), (0, 0.85)], shade(scene.wall, 0.8))
    canvas.shape([(WORLD_WIDTH, 0), (right, top), (right, scene.horizon), (WORLD_WIDTH, 0.85)], shade(scene.wall, 0.72))
    canvas.shape([(0, 0), (WORLD_WIDTH, 0), (right, top), (left, top)], shade(scene.wall, 1.12))


def _street(canvas: Canvas, scene: Scene) -> None:
    for row in range(2):
        for column in range(7):
            x, y = 0.05 + column * 0.25, 0.03 + row * 0.09
            canvas.box(x, y, x + 0.12, y + 0.06, shade(scene.wall, 0.65))
    canvas.box(-1, scene.horizon, 3, scene.horizon + 0.05, shade(scene.floor, 1.2))
    for index in range(5):
        canvas.box(index * 0.4, 0.95, index * 0.4 + 0.2, 0.962, (225, 225, 215))


def _counter(canvas: Canvas, scene: Scene) -> None:
    """A shop: goods on shelves and a long counter, on the wide side of the door."""
    clear = scene.door_size[0] / 2 + 0.08
    left, right = (scene.door_x + clear, 3.0) if scene.door_x < WORLD_WIDTH / 2 else (-1.0, scene.door_x - clear)
    for row in range(2):
        y = 0.16 + row * 0.13
        canvas.box(left, y, right, y + 0.014, shade(scene.wall, 0.55))
        for index in range(26):
            x = left + 0.03 + index * 0.105 if left > 0 else right - 0.03 - index * 0.105
            if left < x - 0.02 and x + 0.02 < right:
                canvas.box(
                    x - 0.02, y - 0.03 - 0.015 * (index % 3), x + 0.02, y, shade(scene.wall, 0.7 + 0.13 * (index % 4))
                )
    canvas.box(left, scene.horizon - 0.1, right, scene.horizon + 0.02, shade(scene.floor, 0.62))
    canvas.box(left, scene.horizon - 0.125, right, scene.horizon - 0.1, shade(scene.floor, 1.15))


def _draw_still(canvas: Canvas, scene: Scene, name: str, x: float, colour: Colour) -> None:
    if name == "poster":
        canvas.box(x - 0.07, 0.12, x + 0.07, 0.32, colour, shade(colour, 0.5))
        canvas.box(x - 0.045, 0.16, x + 0.045, 0.21, shade(colour, 1.5))
    elif name == "window":
        canvas.box(x - 0.1, 0.08, x + 0.1, 0.34, (175, 205, 235), shade(scene.wall, 0.5))
    elif name == "table":
        canvas.box(x - 0.14, scene.horizon - 0.04, x + 0.14, scene.horizon - 0.01, shade(colour, 0.6))
        canvas.box(x - 0.12, scene.horizon, x - 0.1, scene.horizon + 0.12, shade(colour, 0.5))
        canvas.box(x + 0.1, scene.horizon, x + 0.12, scene.horizon + 0.12, shade(colour, 0.5))
    elif name == "shelf":
        canvas.box(x - 0.1, 0.2, x + 0.1, 0.22, (100, 75, 50))
        for index in range(5):
            canvas.box(
                x - 0.09 + index * 0.035, 0.13, x - 0.065 + index * 0.035, 0.2, shade(colour, 0.6 + index * 0.15)
            )
    elif name == "plant":
        canvas.oval(x, scene.horizon - 0.08, 0.05, 0.1, (50, 120, 60))
        canvas.box(x - 0.03, scene.horizon, x + 0.03, scene.horizon + 0.05, (120, 80, 60))
    elif name == "tree":
        canvas.box(x - 0.015, 0.3, x + 0.015, scene.horizon + 0.03, (95, 70, 45))
        canvas.oval(x, 0.22, 0.1, 0.14, (60, 125, 60))
