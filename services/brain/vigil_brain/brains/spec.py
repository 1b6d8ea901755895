"""One brain as the brains file describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class BrainSpec:
    """One entry of the brains file, with its key read. `settings` are those of its kind, see
    `vigil_brain.brains.kinds`; `timeout_s` bounds one task."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    key: str = field(default="", repr=False)
    timeout_s: float = 120.0
