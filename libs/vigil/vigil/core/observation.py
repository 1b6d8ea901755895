"""What a module noticed: a value with bounds. Its text is data for the model and never an instruction. Pure."""

import re
from dataclasses import dataclass

from vigil.core.bounds import Bounds
from vigil.core.errors import InvalidSpec
from vigil.core.ids import token

MAX_TEXT_CHARS = 500
MAX_ID_CHARS = 128
DEFAULT_TTL_S = 10
DEFAULT_TTL_MS = DEFAULT_TTL_S * 1_000

CONFIDENCE = Bounds(0, 1)
TTL_MS = Bounds(200, 600_000, "milliseconds")
EDGE = Bounds(0, 65_535, "pixels")
SIDE = Bounds(1, 65_535, "pixels")
LAST_TIME_US = 2**53 - 1  # what every reader of JSON can hold: the year 2255
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture by reference, in pixels of the frame. No pixels travel with an observation."""

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        EDGE.check("box.left", self.left)
        EDGE.check("box.top", self.top)
        SIDE.check("box.width", self.width)
        SIDE.check("box.height", self.height)


@dataclass(frozen=True, slots=True)
class Observation:
    """What `module` noticed, of one `kind` ("face", "zone", "temperature"): `text` is a sentence for the model.

    `capture_time_us` is when what it noticed was there, in microseconds since the Unix epoch: of a picture the frame's
    own capture time. No turn that begins more than `ttl_ms` after it shows the observation. `id` is that of the event
    that carried it, empty for none. `confidence` is from 0 to 1. Raises `InvalidSpec` or `InvalidToken`.
    """

    module: str
    kind: str
    text: str
    capture_time_us: int
    id: str = ""
    confidence: float | None = None
    ttl_ms: int = DEFAULT_TTL_MS
    box: Box | None = None

    def __post_init__(self) -> None:
        token(self.module, "module")
        token(self.kind, "kind")
        if _HALF_CHARACTER.search(self.text):
            raise InvalidSpec("the text has half of a character (a lone surrogate), which cannot be stored")
        if not self.text.strip():
            raise InvalidSpec("the text is empty: write what the module noticed, in one sentence")
        if len(self.text) > MAX_TEXT_CHARS:
            raise InvalidSpec(
                f"the text has {len(self.text):,} characters: at most {MAX_TEXT_CHARS} are allowed, shorten it"
            )
        if not 0 < self.capture_time_us <= LAST_TIME_US:
            raise InvalidSpec(
                f"capture_time_us is {self.capture_time_us}: give microseconds since the Unix epoch, of a frame "
                "its own capture time"
            )
        if len(self.id) > MAX_ID_CHARS:
            raise InvalidSpec(f"the id has {len(self.id):,} characters: at most {MAX_ID_CHARS} are allowed")
        if self.confidence is not None:
            CONFIDENCE.check("confidence", self.confidence)
        TTL_MS.check("ttl_ms", self.ttl_ms)
