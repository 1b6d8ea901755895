"""When a turn is given up: it counts from the arrival of the call, so that decoding pictures counts too."""

import asyncio
from dataclasses import dataclass

from vigil_gateway.api.turn_errors import TurnLate


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time of the event loop's clock, `allowed_s` after the call came."""

    at_s: float
    allowed_s: float

    @classmethod
    def of_now(cls, allowed_s: float) -> "Deadline":
        """The deadline of a call that has just come."""
        return cls(asyncio.get_running_loop().time() + allowed_s, allowed_s)

    def timeout(self) -> asyncio.Timeout:
        """Ends the block with `TimeoutError` at the deadline."""
        return asyncio.timeout_at(self.at_s)

    def passed(self, what: str) -> TurnLate:
        """The refusal of a turn that was given up because `what` took too long."""
        return TurnLate(f"{what} within {self.allowed_s:g} s")
