"""The sign: a panel above the floor that shows one English word at a time, and the lexicon of its translations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from PIL import ImageFont

from vigil_recipe.world.canvas import Canvas, Colour
from vigil_recipe.world.scene import Scene

# English on the sign → French to say. Short, without accents, and no two alike in their first two letters and length.
LEXICON: dict[str, str] = {
    "EXIT": "sortie",
    "OPEN": "ouvert",
    "BREAD": "pain",
    "WATER": "eau",
    "MILK": "lait",
    "FISH": "poisson",
    "MEAT": "viande",
    "BANK": "banque",
    "BEACH": "plage",
    "BRIDGE": "pont",
    "STREET": "rue",
    "SLOW": "lent",
    "PUSH": "pousser",
    "TICKET": "billet",
    "FREE": "gratuit",
    "SALE": "soldes",
    "LEFT": "gauche",
    "RIGHT": "droite",
    "PLANE": "avion",
    "COLD": "froid",
    "MONDAY": "lundi",
    "BOOKS": "livres",
    "GARDEN": "jardin",
    "KITCHEN": "cuisine",
}
PANEL = (0.02, 1.65, 0.0, 0.335)  # left, right, top, bottom: at 160x96 pixels the top row of visual tokens
LETTER_HEIGHT = 0.22
COLOURS: tuple[tuple[Colour, Colour], ...] = (
    ((12, 16, 28), (250, 246, 235)),
    ((16, 24, 18), (250, 214, 60)),
    ((245, 244, 238), (18, 18, 24)),
    ((20, 60, 130), (250, 250, 250)),
)


@dataclass(frozen=True, slots=True)
class SignSpan:
    """The sign shows ``word`` from ``start_s`` until before ``end_s``."""

    start_s: int
    end_s: int
    word: str

    def holds(self, t_s: float) -> bool:
        """Whether the word shows at ``t_s``."""
        return self.start_s <= t_s < self.end_s


@dataclass(frozen=True, slots=True)
class Sign:
    """How the sign looks: panel and letter colours, where the word begins (world units)."""

    panel: Colour
    letters: Colour
    x: float
    y: float


def make_sign(rng: np.random.Generator) -> Sign:
    """A random sign."""
    panel, letters = COLOURS[rng.integers(len(COLOURS))]
    return Sign(panel, letters, float(rng.uniform(0.08, 0.14)), float(rng.uniform(0.265, 0.285)))


def draw_words(rng: np.random.Generator, seconds: int) -> tuple[SignSpan, ...]:
    """Random words, 3..9 s each with blank gaps of 2..8 s; the same word never twice in a row."""
    spans: list[SignSpan] = []
    words, start_s = list(LEXICON), int(rng.integers(0, 6))
    while start_s < seconds:
        end_s = start_s + int(rng.integers(3, 10))
        others = [word for word in words if not spans or word != spans[-1].word]
        spans.append(SignSpan(start_s, end_s, others[rng.integers(len(others))]))
        start_s = end_s + int(rng.integers(2, 9))
    return tuple(spans)


def below_the_sign(scene: Scene) -> Scene:
    """The scene moved down so that the sign hides no condition: lower floor, lower door, smaller fire, bare walls."""
    width, _ = scene.door_size
    return replace(
        scene,
        horizon=0.74,
        door_size=(width, 0.4),
        bag_at=(scene.bag_at[0], max(scene.bag_at[1], 0.88)),
        fire_at=(scene.fire_at[0], max(scene.fire_at[1], 0.86)),
        fire_size=(scene.fire_size[0], min(scene.fire_size[1], 0.3)),
        furniture=(),
    )


def draw_sign(canvas: Canvas, sign: Sign, word: str) -> None:
    """The panel, and the word on it; an empty ``word`` leaves it blank. It shines, so the night does not dim it."""
    left, right, top, bottom = PANEL
    canvas.box(left, top, right, bottom, sign.panel, (120, 120, 125))
    if word:
        font = _font(round(LETTER_HEIGHT * canvas.scale_y))
        canvas.pen.text((sign.x * canvas.scale_x, sign.y * canvas.scale_y), word, sign.letters, font, anchor="ls")


@lru_cache(maxsize=8)
def _font(letter_height_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font at the size whose capitals are about ``letter_height_px`` high (0.7 of the font size)."""
    return ImageFont.load_default(size=max(4, round(letter_height_px / 0.68)))
