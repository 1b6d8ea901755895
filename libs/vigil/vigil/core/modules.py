"""Which modules a session hears. Pure."""

from dataclasses import dataclass

from vigil.core.errors import InvalidSpec
from vigil.core.ids import token

MAX_NAMES = 16


@dataclass(frozen=True, slots=True)
class Modules:
    """Whether the model is told what modules noticed, and of which: those of `names`, or all of the tenant where none
    is named."""

    is_on: bool = True
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.names:
            token(name, "module")
        if len(self.names) > MAX_NAMES:
            raise InvalidSpec(f"modules.names has {len(self.names)} names: give at most {MAX_NAMES}, or none for all")

    def hears(self, module: str) -> bool:
        """Whether what this module noticed is told."""
        return self.is_on and (not self.names or module in self.names)
