"""Bounds of numeric options: stated once here in the core, and used wherever an option can be given."""

from dataclasses import dataclass

from vigil.core.errors import InvalidSpec


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value of an option. Both are allowed, except `low` when it is `exclusive`."""

    low: float
    high: float
    unit: str = ""
    exclusive: bool = False

    def check(self, name: str, value: float) -> None:
        """Raise `InvalidSpec`, which names the option and what may be given, for a value out of bounds or NaN."""
        if self.allows(value):
            return
        unit = f" {self.unit}" if self.unit else ""
        allowed = f"more than {self.low:g} and at most {self.high:g}" if self.exclusive else self._from_to()
        raise InvalidSpec(f"{name} is {value}: give {allowed}{unit}")

    def allows(self, value: float) -> bool:
        """Whether the option may have this value."""
        return (self.low < value if self.exclusive else self.low <= value) and value <= self.high

    def _from_to(self) -> str:
        return f"{self.low:g} to {self.high:g}"
