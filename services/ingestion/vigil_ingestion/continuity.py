"""A recording's time stamps as one time without gaps: recordings are cut, joined, and stamped anew. Pure."""

from dataclasses import dataclass, replace

US_PER_S = 1_000_000
GAP_US = 2 * US_PER_S  # stamps that go on by more, and by more than is usual, are another recording's
UNKNOWN_GAP_US = 10 * US_PER_S  # the same while it is not known yet what is usual
USUAL_AFTER = 3  # distances between pictures
WRAPS_US = (2**33 * US_PER_S // 90_000, 2**32 * US_PER_S // 90_000)  # stamps of MPEG-TS and RTP begin again at zero
NEAR_A_WRAP_US = 3_600 * US_PER_S


def unwrapped_us(jump_us: int) -> int:
    """A jump without the wrap of the stamps that is in it, for people: a small step back may read as 26.5 h forward."""
    for wrap_us in WRAPS_US:
        rest_us = abs(jump_us) - wrap_us
        if abs(rest_us) < NEAR_A_WRAP_US:
            return rest_us if jump_us > 0 else -rest_us
    return jump_us


@dataclass(frozen=True, slots=True)
class Continuity:
    """Joins the parts of a recording whose time stamps jump.

    Stamps that go back, or forward by more than 2 s and more than twice the usual distance of two pictures, begin
    another part. Its first picture comes one usual distance after the last picture before it. So no part is lost, and
    a jump of the stamps adds no time. `shift_us` is what is added to the stamps of this part, and `former_us` to those
    of the part before. `jumps` counts the parts that were joined; `jump_us` is the largest jump.
    """

    usual_us: int
    last_us: int | None = None
    shift_us: int = 0
    former_us: int = 0
    seen: int = 0
    jumps: int = 0
    jump_us: int = 0

    def step(self, position_us: int) -> "tuple[Continuity, int]":
        """The state after a packet whose decoding stamp is `position_us`, and its place in the joined time."""
        if self.last_us is None:
            return replace(self, last_us=position_us), position_us
        advance_us = position_us - self.last_us
        if -self.usual_us < advance_us <= 0:  # a stamp that repeats, or a little disorder
            return self, self.last_us + self.shift_us
        if 0 < advance_us <= self._longest_us:
            usual_us = self.usual_us + (advance_us - self.usual_us) // 8 if self.seen else advance_us
            return replace(
                self, last_us=position_us, usual_us=usual_us, seen=self.seen + 1
            ), position_us + self.shift_us
        shift_us = self.shift_us + self.usual_us - advance_us
        jump_us = max(self.jump_us, unwrapped_us(advance_us), key=abs)
        joined = replace(
            self,
            last_us=position_us,
            shift_us=shift_us,
            former_us=self.shift_us,
            jumps=self.jumps + 1,
            jump_us=jump_us,
        )
        return joined, position_us + shift_us

    def place_us(self, stamp_us: int) -> int:
        """Where a picture stands in the joined time. A decoder may still give out pictures of the part before."""
        newest_us = (self.last_us or 0) + self.shift_us
        places = (stamp_us + self.shift_us, stamp_us + self.former_us)
        return min(places, key=lambda place_us: abs(place_us - newest_us)) if self.jumps else stamp_us

    @property
    def _longest_us(self) -> int:
        return max(GAP_US, 2 * self.usual_us) if self.seen >= USUAL_AFTER else UNKNOWN_GAP_US
