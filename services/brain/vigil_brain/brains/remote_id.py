"""The id that a brain's server gave to its work. It goes into the paths of later calls, so it is checked. Pure."""

import re

from vigil_brain.brains.port import BrainError

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


def remote_id(value: object) -> str:
    """`value` when it can be part of a path and leads nowhere else. Raises `BrainError`."""
    if not isinstance(value, str) or not _SAFE.fullmatch(value) or ".." in value:
        raise BrainError("the brain gave its work no id that can be used")
    return value
