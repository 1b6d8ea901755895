"""What the load generator is told: a value that crosses a process boundary as JSON."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

INTERVAL_MS = 1_000
TENANT = "bench"


class Pace(StrEnum):
    """`open`: every second of the clock, whatever becomes of the frames. `answered`: the next frame when the last
    one is decided on; model time then runs faster than the clock."""

    OPEN = "open"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`sessions` are watched from one tenant. Sessions show red for one turn in every `red_every`; 0 is never. All of
    them show red in the turn `red_turn`; -1 is never. With `observed` a module tells each session something of each
    picture. With `rendered` they show a place that a model knows instead of blotches.

    `start_ms` is the clock's time (ms since the epoch) of model time 0.
    """

    nats_url: str
    sessions: tuple[str, ...]
    start_ms: int
    pace: Pace = Pace.OPEN
    red_every: int = 0
    red_turn: int = -1
    turns: int = 0  # answered pace: stop before this one
    first_turn: int = 0  # answered pace: begin with this one
    size: tuple[int, int] = (512, 512)
    observed: bool = False
    rendered: bool = False

    def is_red(self, index: int, turn: int) -> bool:
        """Whether session number `index` shows red in this turn; with `red_every` sessions take turns at it."""
        is_its_turn = self.red_every > 0 and turn % self.red_every == index % self.red_every
        return is_its_turn or turn == self.red_turn

    def encode(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> "LoadPlan":
        """Read what `encode` wrote."""
        return msgspec.json.decode(data, type=cls)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What the generator did. `late_*_ms` is how far behind its clock it published."""

    published: int
    late_p50_ms: float
    late_p99_ms: float
    jpeg_bytes_mean: float
