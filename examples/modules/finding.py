"""What the modules here tell of a picture."""

from dataclasses import dataclass
from typing import TypeAlias

# Left, top, width, height in pixels of the session's picture.
Box: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence for the model, how sure it is (0 to 1), and where in the picture; no box for what is gone."""

    text: str
    confidence: float | None = None
    box: Box | None = None
