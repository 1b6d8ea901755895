"""One brain as the brains file describes it."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class BrainSpec:
    """One entry of the brains file, with its key read. `settings` are those of its kind, see
    `vigil_brain.brains.kinds`; `timeout_s` bounds one task. `trusted` is what the certificates of `https://` addresses
    are verified with; None: the authorities of the system. It is no part of what the file says."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    key: str = field(default="", repr=False)
    timeout_s: float = 120.0
    trusted: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
