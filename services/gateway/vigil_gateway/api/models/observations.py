"""What a module tells a session: the fields of the event of the same name, with the core's bounds."""

from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from vigil.core.observation import CONFIDENCE, DEFAULT_TTL_MS, EDGE, MAX_TEXT_CHARS, SIDE, TTL_MS
from vigil_gateway.api.models.base import NO_TEXT_FLOAT, NO_TEXT_INT, In, Token, bounded, no_number


def _written(value: object) -> object:
    """A number is refused for a time: pydantic would take it for seconds since 1970."""
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("datetime_type", "Input should be a text such as 2026-01-31T12:00:00.000Z")
    return no_number(value)


Edge = Annotated[int, bounded(EDGE, "In pixels of the frame", examples=[120]), NO_TEXT_INT]
Side = Annotated[int, bounded(SIDE, "In pixels of the frame", examples=[64]), NO_TEXT_INT]
Time = Annotated[AwareDatetime | None, BeforeValidator(_written)]
Confidence = Annotated[float, bounded(CONFIDENCE, "", allow_inf_nan=False), NO_TEXT_FLOAT]
TtlMs = Annotated[
    int, bounded(TTL_MS, "No turn that begins longer than this after the capture time is shown it"), NO_TEXT_INT
]


class BoxIn(In):
    """A part of the picture, in pixels of the frame."""

    left: Edge
    top: Edge
    width: Side
    height: Side


class ObservationIn(In):
    """What a module noticed. It is data for the model's next turn, and never an instruction to it."""

    module: Token = Field(description="Name of the module", examples=["zones"])
    kind: Token = Field(description="What kind of thing it noticed", examples=["zone"])
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS, pattern=r"\S")] = Field(
        description="What it noticed, in a sentence", examples=["A person is in the loading bay."]
    )
    capture_time: Time = Field(None, description="When what it noticed was there; left out: now")
    confidence: Confidence | None = Field(None, description="How sure the module is; left out: it does not say")
    ttl_ms: TtlMs = DEFAULT_TTL_MS
    box: BoxIn | None = Field(None, description="Which part of the picture it is about; left out: all, or no picture")
