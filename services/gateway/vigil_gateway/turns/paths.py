"""How a path names a turn of a session, and one of its pictures."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from vigil.core.session import FRAMES_PER_TURN

MAX_SEQUENCE = 10**12

Sequence = Annotated[int, Path(ge=0, le=MAX_SEQUENCE, description="The turn's sequence")]
# The first of the two that fits: a number must not be compared with a word first.
Turn = Annotated[
    Annotated[int, Field(ge=0, le=MAX_SEQUENCE)] | Literal["newest"],
    Path(description="The turn's sequence, or `newest`"),
]
Index = Annotated[
    int, Path(ge=0, lt=FRAMES_PER_TURN.high, description="Which of the turn's pictures, from 0 on, oldest first")
]


def frame_path(session: str, sequence: int, index: int) -> str:
    """Where a picture of a turn is to be had, on this gateway."""
    return f"/v1/sessions/{session}/turns/{sequence}/frames/{index}"
