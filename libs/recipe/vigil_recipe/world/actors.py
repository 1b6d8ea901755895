"""Drawing of what moves: people, bags, flames, doors, animals and cars."""

from __future__ import annotations

import math

from vigil_recipe.world.canvas import Canvas, Colour, Point, shade
from vigil_recipe.world.scene import Person, Scene

FLAME: tuple[Colour, ...] = ((205, 45, 15), (250, 130, 25), (255, 225, 90))


def draw_person(canvas: Canvas, person: Person, at: Point, *, step: float = 0.0, tilt: float = 0.0) -> None:
    """A person with the feet at ``at``. ``step`` swings the legs (radians); ``tilt`` lays the body down (-1..1)."""
    height = person.height
    angle = tilt * math.pi / 2
    swing = 0.055 * math.sin(step) * (1 - abs(tilt))

    def place(side: float, up: float) -> Point:
        x = side * math.cos(angle) + up * math.sin(angle)
        y = side * math.sin(angle) - up * math.cos(angle)
        lift = 0.05 * abs(math.sin(angle))
        return at[0] - 0.5 * height * math.sin(angle) + x, at[1] - lift + y

    hip, neck = place(0, 0.48 * height), place(0, 0.8 * height)
    for side in (-1.0, 1.0):
        canvas.limb([hip, place(side * (0.03 + swing), 0)], 0.1 * height, person.trousers)
    canvas.limb([place(0, 0.42 * height), neck], 0.24 * height, person.shirt)
    for side in (-1.0, 1.0):
        canvas.limb(
            [neck, place(side * (0.085 + swing * 0.6), 0.46 * height)], 0.075 * height, shade(person.shirt, 0.8)
        )
    head = place(0, 0.9 * height)
    radius = 0.105 * height
    canvas.oval(head[0], head[1] - 0.02 * height, radius, radius, person.hair)
    canvas.oval(head[0], head[1] + 0.02 * height, radius * 0.85, radius * 0.85, person.skin)


def draw_crouching(canvas: Canvas, person: Person, at: Point) -> None:
    """A person bent down over something: folded legs, upright back, half the height."""
    height = person.height
    x, y = at
    canvas.limb(
        [(x - 0.03, y), (x + 0.07, y - 0.16 * height), (x - 0.04, y - 0.24 * height)], 0.12 * height, person.trousers
    )
    canvas.limb([(x - 0.04, y - 0.22 * height), (x + 0.02, y - 0.5 * height)], 0.24 * height, person.shirt)
    canvas.limb([(x + 0.02, y - 0.45 * height), (x + 0.1, y - 0.2 * height)], 0.08 * height, shade(person.shirt, 0.8))
    canvas.oval(x + 0.04, y - 0.62 * height, 0.1 * height, 0.1 * height, person.hair)
    canvas.oval(x + 0.055, y - 0.6 * height, 0.075 * height, 0.08 * height, person.skin)


def draw_bag(canvas: Canvas, scene: Scene, at: Point) -> None:
    """The bag or box of the scene, its bottom at ``at``."""
    width, height = scene.bag_size
    x, y = at
    colour = scene.bag_colour
    canvas.box(x - width / 2, y - height, x + width / 2, y, colour, shade(colour, 0.4))
    if scene.bag_is_box:
        canvas.box(x - width / 2, y - height * 0.6, x + width / 2, y - height * 0.45, (225, 205, 150))
    else:
        handle = [(x - width / 4, y - height), (x - width / 5, y - height * 1.45), (x + width / 5, y - height * 1.45)]
        canvas.limb([*handle, (x + width / 4, y - height)], 0.018, shade(colour, 0.5))
        canvas.box(x - width / 2, y - height * 0.72, x + width / 2, y - height * 0.6, shade(colour, 1.9))


def draw_fire(canvas: Canvas, scene: Scene, t_s: float) -> None:
    """Three layers of flickering tongues with smoke above them."""
    x, y = scene.fire_at
    width, height = scene.fire_size
    for index in range(3):
        drift = math.sin(t_s * 1.7 + index * 2.1 + scene.phase) * 0.03
        up = height * (1.0 + 0.28 * index)
        canvas.oval(x + drift, y - up, 0.03 + 0.015 * index, 0.03, shade((110, 108, 105), 1 - 0.08 * index))
    for layer, colour in enumerate(FLAME):
        size = 1 - 0.27 * layer
        canvas.shape(_tongues(x, y, width * size, height * size, t_s * (6 + layer) + scene.phase + layer), colour)


def _tongues(x: float, y: float, width: float, height: float, phase: float) -> list[Point]:
    points = [(x - width / 2, y)]
    for index in range(5):
        across = (index + 0.5) / 5
        tall = (1 - abs(across - 0.5) * 1.1) * height * (0.86 + 0.2 * math.sin(phase + index * 1.9))
        points.append((x - width / 2 + width * across, y - tall))
        if index < 4:
            points.append((x - width / 2 + width * (across + 0.1), y - tall * 0.58))
    points.append((x + width / 2, y))
    return points


def draw_door(canvas: Canvas, scene: Scene, openness: float) -> None:
    """The door's leaf: a panelled face when closed (0), the inside and a thin turned leaf when open (1)."""
    width, height = scene.door_size
    left, right = scene.door_x - width / 2, scene.door_x + width / 2
    bottom = scene.horizon + 0.03
    top = bottom - height
    colour = scene.door_colour
    if openness <= 0:
        canvas.box(left, top, right, bottom, colour)
        for row in (0.1, 0.55):
            inner = (left + 0.2 * width, top + row * height, right - 0.2 * width, top + (row + 0.33) * height)
            canvas.box(*inner, shade(colour, 0.75))
        knob = left + 0.12 * width if scene.door_leaf_right else right - 0.12 * width
        canvas.oval(knob, top + 0.53 * height, 0.013, 0.013, (235, 215, 120))
        return
    canvas.box(left, top, right, bottom, scene.door_inside)
    turned = width * (1 - 0.68 * openness)
    slant = 0.05 * openness
    hinge, edge = (right, right - turned) if scene.door_leaf_right else (left, left + turned)
    canvas.shape([(hinge, top), (edge, top + slant), (edge, bottom + slant), (hinge, bottom)], shade(colour, 0.85))


def draw_pet(canvas: Canvas, colour: Colour, at: Point, step: float, heading: float) -> None:
    """A small animal walking: too small and too quick to be a person on the floor."""
    x, y = at
    for index in range(4):
        leg = x - 0.04 + index * 0.027
        canvas.limb([(leg, y - 0.035), (leg + 0.012 * math.sin(step + index * 1.6), y)], 0.012, shade(colour, 0.8))
    canvas.oval(x, y - 0.05, 0.058, 0.024, colour)
    canvas.oval(x + 0.065 * heading, y - 0.078, 0.022, 0.022, colour)
    canvas.limb([(x - 0.055 * heading, y - 0.055), (x - 0.09 * heading, y - 0.1)], 0.012, colour)


def draw_car(canvas: Canvas, colour: Colour, at: Point) -> None:
    """A car on the street."""
    x, y = at
    canvas.box(x - 0.22, y - 0.12, x + 0.22, y - 0.03, colour)
    canvas.shape(
        [(x - 0.14, y - 0.12), (x - 0.09, y - 0.2), (x + 0.09, y - 0.2), (x + 0.15, y - 0.12)], shade(colour, 0.7)
    )
    canvas.box(x - 0.08, y - 0.185, x + 0.08, y - 0.125, (170, 200, 215))
    for side in (-0.13, 0.13):
        canvas.oval(x + side, y - 0.025, 0.04, 0.04, (25, 25, 28))


def draw_lamp(canvas: Canvas, scene: Scene, x: float, colour: Colour, *, tall: bool) -> None:
    """A lamp of a steady warm light: the colours of fire without its movement or shape."""
    base = scene.horizon + (0.05 if tall else 0.02)
    top = 0.16 if tall else 0.3
    canvas.limb([(x, base), (x, top)], 0.014, (60, 60, 60))
    canvas.oval(x, top, 0.05, 0.045, (255, 214, 130) if sum(colour) % 2 else (250, 150, 50))


def draw_tv(canvas: Canvas, scene: Scene, x: float, colour: Colour, t_s: float) -> None:
    """A television whose picture changes every two seconds, fire colours included."""
    canvas.box(x - 0.13, 0.2, x + 0.13, 0.37, (18, 18, 20))
    beat = int(t_s / 2 + scene.phase) % 3
    canvas.box(x - 0.118, 0.212, x + 0.118, 0.358, (colour, shade(colour, 0.6), (70, 90, 150))[beat])
    canvas.box(x - 0.06, 0.26, x + 0.02 + 0.03 * beat, 0.33, shade(colour, 1.4))


def draw_curtain(canvas: Canvas, x: float, colour: Colour, t_s: float) -> None:
    """A curtain that moves in the draught, beside a window."""
    wave = 0.02 * math.sin(t_s * 1.3 + x * 7)
    canvas.shape([(x - 0.12, 0.06), (x - 0.04, 0.06), (x - 0.03 + wave, 0.4), (x - 0.13 + wave, 0.4)], colour)
