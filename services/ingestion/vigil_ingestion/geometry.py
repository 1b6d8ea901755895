"""Picture geometry: the shape of a stream's pixels, and how its pictures are turned."""

from dataclasses import dataclass, field
from fractions import Fraction

from vigil_ingestion.orientation import Orientation

SQUARE = Fraction(1)
FLATTEST, TALLEST = Fraction(1, 5), Fraction(5)  # a pixel of another shape is a damaged header, and is not believed


@dataclass(frozen=True, slots=True)
class Geometry:
    """The shape of a pixel (its width by its height), and how the picture is turned."""

    aspect: Fraction = SQUARE
    turn: Orientation = field(default_factory=Orientation)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The size of the upright picture with square pixels, of which none is lost."""
        if FLATTEST <= self.aspect < 1:
            height = round(height / self.aspect)
        elif 1 < self.aspect <= TALLEST:
            width = round(width * self.aspect)
        return self.turn.size(width, height)
