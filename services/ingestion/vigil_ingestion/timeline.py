"""A file as a live source: where its playback is at any moment of the wall clock. Pure."""

from dataclasses import dataclass

SHORTEST_ROUND_US = 1_000_000  # each round opens the file again, and a clip of one picture would do so all the time

UNSTATED_US = 10 * 365 * 86_400 * 1_000_000  # the length of a video whose end is only known when it comes


@dataclass(frozen=True, slots=True)
class Timeline:
    """Playback that began at `origin_us` and never pauses: a restarted worker continues where playback is now.

    `duration_us` is the length of one round and above 0. Without `loop` there is one round.
    """

    origin_us: int
    duration_us: int
    loop: bool

    @classmethod
    def of(cls, origin_us: int, length_us: int, loop: bool) -> "Timeline":
        """The playback of a video of `length_us`. A looped clip that is shorter than a second starts once a second."""
        return cls(origin_us, max(length_us, SHORTEST_ROUND_US) if loop else length_us, loop)

    def at(self, now_us: int) -> tuple[int, int]:
        """The round that is playing and the position within it, in microseconds."""
        return divmod(max(now_us - self.origin_us, 0), self.duration_us)

    def due_us(self, turn: int, position_us: int) -> int:
        """When the picture at `position_us` of a round is shown: its capture time."""
        return self.origin_us + turn * self.duration_us + position_us

    def has(self, turn: int) -> bool:
        """Whether that round is ever played."""
        return self.loop or turn == 0

    def excess_us(self, at_us: int) -> int:
        """How much later than the end of the first round that is."""
        return at_us - self.due_us(1, 0)
