"""How a camera shows its place: styles, infrared night, and what stands in the way. The plain world has no look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from vigil_recipe.world.canvas import WORLD_WIDTH, Canvas, Colour, shade
from vigil_recipe.world.scene import Scene

CLEAR_OF_EVIDENCE = 0.15
DIM = 0.55  # below this light no lamp goes out on top of the night


class Style(StrEnum):
    """How the picture is drawn."""

    NATURAL = "natural"
    FLAT = "flat"
    OUTLINED = "outlined"
    BLURRED = "blurred"
    PALE = "pale"
    VIGNETTE = "vignette"
    TINTED = "tinted"


@dataclass(frozen=True, slots=True)
class Occluder:
    """Something close to the camera that hides a strip of the floor: its middle, half its width, its colour."""

    plant: bool
    x: float
    half: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Look:
    """One episode's look. ``tint`` multiplies the channels; ``infrared`` drops the colours."""

    style: Style
    infrared: bool
    tint: tuple[float, float, float]
    occluder: Occluder | None


@dataclass(frozen=True, slots=True)
class Robustness:
    """Forces a disturbance on (True) or off (False) for a whole episode; None leaves it as the seed has it."""

    night: bool | None = None
    noise: bool | None = None
    jitter: bool | None = None


AS_DRAWN = Robustness()


def make_look(rng: np.random.Generator, scene: Scene, *, legible: bool, occluded: bool) -> Look:
    """A random look. ``legible`` leaves out styles in which words are hard to read; ``occluded`` allows an occluder."""
    styles = [style for style in Style if not (legible and style in (Style.BLURRED, Style.OUTLINED))]
    style = styles[rng.integers(len(styles))]
    red, green, blue = (float(value) for value in rng.uniform(0.75, 1.0, 3))
    occluder = _occluder(rng, scene) if occluded and rng.random() < 0.5 else None
    return Look(style, bool(rng.random() < 0.2), (red, green, blue), occluder)


def _occluder(rng: np.random.Generator, scene: Scene) -> Occluder | None:
    """A pillar or plant in the widest gap between the places of the conditions, so that it hides none of them."""
    half_body = 0.28
    taken = sorted(
        [
            (scene.door_x - scene.door_size[0] / 2, scene.door_x + scene.door_size[0] / 2),
            (scene.bag_at[0] - CLEAR_OF_EVIDENCE, scene.bag_at[0] + CLEAR_OF_EVIDENCE),
            (scene.fire_at[0] - CLEAR_OF_EVIDENCE, scene.fire_at[0] + CLEAR_OF_EVIDENCE),
            (scene.fall_at[0] - half_body, scene.fall_at[0] + half_body),
        ]
    )
    gaps, reached = [], 0.0
    for left, right in [*taken, (WORLD_WIDTH, WORLD_WIDTH)]:
        gaps.append((left - reached, reached))
        reached = max(reached, right)
    width, start = max(gaps)
    if width < 0.06:
        return None
    half = min(width / 2, float(rng.uniform(0.03, 0.07)))
    x = start + half + float(rng.uniform(0, max(1e-9, width - 2 * half)))
    return Occluder(bool(rng.random() < 0.5), x, half, shade((150, 140, 130), float(rng.uniform(0.4, 1.3))))


def disturbed(rng: np.random.Generator, scene: Scene) -> Scene:
    """The scene under a worse camera: in some episodes much noise, in some much jitter, in some a darker night."""
    noise = float(rng.uniform(6, 14)) if rng.random() < 0.3 else scene.noise
    jitter = float(rng.choice([1.5, 2.0])) if rng.random() < 0.25 else scene.jitter
    light = float(rng.uniform(0.38, 0.5)) if rng.random() < 0.15 else scene.light
    step = scene.light_step if light > DIM else max(1.0, scene.light_step)
    return replace(scene, noise=noise, jitter=jitter, light=light, light_step=step)


def forced(scene: Scene, robustness: Robustness) -> Scene:
    """The scene with disturbances forced on or off."""
    if robustness.night is not None:
        scene = replace(scene, light=0.45 if robustness.night else max(scene.light, 0.9), light_step=1.0)
    if robustness.noise is not None:
        scene = replace(scene, noise=12.0 if robustness.noise else min(scene.noise, 2.0))
    if robustness.jitter is not None:
        scene = replace(scene, jitter=2.0 if robustness.jitter else 0.0)
    return scene


def draw_occluder(canvas: Canvas, occluder: Occluder) -> None:
    """A pillar over the whole height, or a plant in a pot that hides the lower part."""
    x, half, colour = occluder.x, occluder.half, occluder.colour
    if not occluder.plant:
        canvas.box(x - half, -1, x + half, 2, colour)
        canvas.box(x + half * 0.4, -1, x + half, 2, shade(colour, 0.8))
        return
    canvas.box(x - half * 0.6, 0.88, x + half * 0.6, 1.1, (130, 80, 55))
    for index in range(5):
        top = 0.6 + 0.05 * (index % 2)
        canvas.limb(
            [(x, 0.9), (x + (index - 2) * half * 0.42, top)], half * 0.5, shade((50, 125, 60), 0.8 + 0.1 * index)
        )


def apply_look(image: Image.Image, look: Look) -> Image.Image:
    """The finished picture in its look, before the sensor's noise."""
    if look.infrared:
        image = image.convert("L").convert("RGB")
    if look.style is Style.FLAT:
        image = image.point([round(value / 48) * 48 for value in range(256)] * 3)
    elif look.style is Style.OUTLINED:
        edges = (
            image.convert("L").filter(ImageFilter.FIND_EDGES).point([max(0, 255 - 2 * value) for value in range(256)])
        )
        image = ImageChops.multiply(image, edges.convert("RGB"))
    elif look.style is Style.BLURRED:
        image = image.filter(ImageFilter.BoxBlur(image.width / 320 * 1.5))
    elif look.style is Style.PALE:
        image = image.point([round(70 + value * 0.6) for value in range(256)] * 3)
    elif look.style is Style.VIGNETTE:
        image = ImageChops.multiply(image, _vignette(image.size))
    elif look.style is Style.TINTED and not look.infrared:
        image = image.point([round(value * factor) for factor in look.tint for value in range(256)])
    return image


@lru_cache(maxsize=4)
def _vignette(size: tuple[int, int]) -> Image.Image:
    """White in the middle, grey in the corners."""
    down, right = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    kept = np.clip(1.1 - 0.35 * (down**2 + right**2), 0.35, 1.0)
    return Image.fromarray((kept * 255).astype(np.uint8)).convert("RGB")
