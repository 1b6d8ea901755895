"""What a picture that a client pushes may come with, through every door."""

from typing import Annotated

from pydantic import Field

from vigil_gateway.api.models.base import NO_TEXT_FLOAT, In, Text

_YEAR_S = 366 * 86_400

TimeS = Annotated[
    float | None,
    Field(
        ge=0,
        le=_YEAR_S,
        allow_inf_nan=False,
        description="When the picture was taken, in seconds of the recording that it is from; must grow from turn to "
        "turn. Left out, it is the time since the session's first picture: the picture is of now.",
        examples=[12.0],
    ),
    NO_TEXT_FLOAT,
]


class PictureIn(In):
    """One pushed picture's time, and a question about what it shows."""

    time_s: TimeS = None
    question: Text | None = None
