"""Where a picture differs from what is usually there, with Pillow alone and no model. Pure: no picture is changed.

The background begins as the median of the first nine pictures, in which nothing is told. From then on it follows as an
approximate median (McFarlane and Schofield 1995): with each picture each of its pixels goes one level towards that
picture's. Where something moves it goes so only once in `SLOW` pictures, so that what stands still stays noticed for
minutes: a difference of 40 levels is gone after 40 times `SLOW` pictures.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter, ImageStat

WIDTH = 160  # pixels of the small grey picture in which motion is looked for
LEAST_LEVELS = 11  # of 255, on a scale on which equal ratios of light are equal steps
AROUND = 24  # pixels, within which a pixel is compared with what is around it
DARK = 32  # of 255: below this level noise counts less
SLOW = 4
LEARNING_PICTURES = 9  # three groups of three: see `_median`
MOST_MOVING = 0.6  # where more of a picture differs, it is the light or the camera that changed
_LOGARITHM = [round(255 * math.log((level + DARK) / DARK) / math.log((255 + DARK) / DARK)) for level in range(256)]


@dataclass(frozen=True, slots=True)
class Background:
    """What is usually there, a small grey picture. `seen` are the pictures that it is being learned from,
    empty once it is learned. `pictures` counts all."""

    picture: Image.Image
    seen: tuple[Image.Image, ...] = ()
    pictures: int = 1


def small(jpeg: bytes) -> Image.Image:
    """A picture as it is looked at: grey, `WIDTH` wide, without its noise, on the logarithmic scale.

    Raises `OSError` for what is no picture.
    """
    with Image.open(io.BytesIO(jpeg)) as picture:
        height = max(1, round(WIDTH * picture.height / picture.width))
        picture.draft("L", (WIDTH, height))
        grey = picture.convert("L").resize((WIDTH, height), Image.Resampling.BOX)
    return grey.filter(ImageFilter.GaussianBlur(1)).point(_LOGARITHM)


def step(background: Background | None, picture: Image.Image) -> tuple[Background, Image.Image]:
    """The background with one picture more, and the mask of what moves in it (255 where it does).

    A first picture, one of another size, and one that differs nearly everywhere begin a new background.
    """
    nothing = Image.new("L", picture.size)
    if background is None or background.picture.size != picture.size:
        return Background(picture, (picture,)), nothing
    picture, pictures = _as_bright_as(picture, background.picture), background.pictures + 1
    if seen := background.seen:
        seen = (*seen, picture)
        is_learned = len(seen) == LEARNING_PICTURES
        return Background(_median(seen), (), pictures) if is_learned else Background(seen[0], seen, pictures), nothing
    moving = _differing(picture, background.picture)
    if _share(moving) > MOST_MOVING:
        return Background(picture, (picture,)), nothing
    still_pace = int(pictures % SLOW == 0)
    pace = moving.point([1] * 128 + [still_pace] * 128)
    return Background(_towards(background.picture, picture, pace), (), pictures), moving


def _median(pictures: Sequence[Image.Image]) -> Image.Image:
    """Nearly the median of nine pictures: of the medians of every third. What passes in three pictures is not in it."""
    return _middle(*(_middle(*pictures[start::3]) for start in range(3)))


def _middle(first: Image.Image, second: Image.Image, third: Image.Image) -> Image.Image:
    """Of each pixel the middle one of three."""
    low, high = ImageChops.darker(first, second), ImageChops.lighter(first, second)
    return ImageChops.lighter(low, ImageChops.darker(high, third))


def _as_bright_as(picture: Image.Image, background: Image.Image) -> Image.Image:
    """The picture made as bright as the background, by their medians: a cloud or the camera's exposure is no motion."""
    brighter = ImageStat.Stat(background).median[0] - ImageStat.Stat(picture).median[0]
    return picture.point([min(max(level + brighter, 0), 255) for level in range(256)])


def _differing(picture: Image.Image, background: Image.Image) -> Image.Image:
    """255 where the two differ by themselves and in how they stand out from what is around, but for specks of a pixel.

    Light that changes in a part of the picture changes a pixel and what is around it alike; beside a thing that came,
    what is around a pixel changed, and the pixel did not.
    """
    apart = ImageChops.difference(picture, background)
    standing_out = ImageChops.difference(_standing_out(picture), _standing_out(background))
    differing = ImageChops.darker(apart, standing_out).point([0] * LEAST_LEVELS + [255] * (256 - LEAST_LEVELS))
    return differing.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.MaxFilter(3))


def _standing_out(picture: Image.Image) -> Image.Image:
    """How much brighter or darker (around 128) each pixel is than what is around it."""
    return ImageChops.subtract(picture, picture.filter(ImageFilter.GaussianBlur(AROUND)), offset=128)


def _share(mask: Image.Image) -> float:
    return mask.histogram()[255] / (mask.width * mask.height)


def _towards(background: Image.Image, picture: Image.Image, pace: Image.Image) -> Image.Image:
    """The background gone towards the picture, each pixel by at most its pace."""
    up = ImageChops.darker(ImageChops.subtract(picture, background), pace)
    down = ImageChops.darker(ImageChops.subtract(background, picture), pace)
    return ImageChops.subtract(ImageChops.add(background, up), down)
