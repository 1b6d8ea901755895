"""Drawing in world units: y runs 0 (top) to 1 (bottom), x runs 0 to WORLD_WIDTH, at any pixel size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw

WORLD_WIDTH = 5 / 3

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor < 1) or lighter (factor > 1), clipped to 0..255."""
    red, green, blue = (max(0, min(255, round(channel * factor))) for channel in colour)
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture and the scale from world units to its pixels."""

    image: Image.Image
    pen: ImageDraw.ImageDraw
    scale_x: float
    scale_y: float

    @classmethod
    def over(cls, image: Image.Image) -> Canvas:
        """Draw on ``image`` in place."""
        return cls(image, ImageDraw.Draw(image), image.width / WORLD_WIDTH, float(image.height))

    def px(self, points: Sequence[Point]) -> list[Point]:
        """World points as pixel points."""
        return [(x * self.scale_x, y * self.scale_y) for x, y in points]

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, outline: Colour | None = None
    ) -> None:
        """A filled rectangle, edges in world units."""
        if right > left and bottom > top:
            self.pen.rectangle(self.px([(left, top), (right, bottom)]), fill=fill, outline=outline)

    def oval(self, x: float, y: float, radius_x: float, radius_y: float, fill: Colour) -> None:
        """A filled ellipse around (x, y)."""
        self.pen.ellipse(self.px([(x - radius_x, y - radius_y), (x + radius_x, y + radius_y)]), fill=fill)

    def shape(self, points: Sequence[Point], fill: Colour) -> None:
        """A filled polygon."""
        self.pen.polygon(self.px(points), fill=fill)

    def limb(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """A thick line with round joints; ``width`` in world units of height."""
        self.pen.line(self.px(points), fill=fill, width=max(1, round(width * self.scale_y)), joint="curve")
