"""What all requests and answers share, and how an option gets the bounds that the core states."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool
from pydantic_core import PydanticCustomError

from vigil.core.bounds import Bounds
from vigil.core.ids import TOKEN
from vigil.core.instruction import MAX_INSTRUCTION_CHARS
from vigil.core.memory import MAX_ZONE_CHARS

Text = Annotated[str, Field(min_length=1, max_length=MAX_INSTRUCTION_CHARS, pattern=r"\S")]


def _numeric(kind: str) -> BeforeValidator:
    """Refuses a text and true or false where JSON has a number: pydantic would make numbers of them."""

    def check(value: Any) -> Any:
        if isinstance(value, str | bytes | bool):
            raise PydanticCustomError("number_type", f"Input should be a valid {kind}, not a text, true or false")
        return value

    return BeforeValidator(check)


def no_number(value: object) -> object:
    """A bare number is refused for a time: pydantic would take it for seconds since 1970."""
    if isinstance(value, str) and value.strip("+- .0123456789") == "":
        raise ValueError("write a date and a time with its zone, such as 2026-01-31T12:00:00Z")
    return value


# JSON's types as they are. An integer may be written 1.0. The markers stand after the bounds, which the document shows.
Flag = StrictBool
NO_TEXT_INT, NO_TEXT_FLOAT = _numeric("integer"), _numeric("number")

Token = Annotated[str, Field(pattern=f"^{TOKEN}$")]
TimeZone = Annotated[str, Field(max_length=MAX_ZONE_CHARS, pattern=r"^[A-Za-z0-9_+/-]*$")]
BrainName = Annotated[str, Field(pattern=f"^({TOKEN})?$")]


class In(BaseModel):
    """A request: unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


class Group(In):
    """Options that belong together. Its fields are those of the core's value of the same name, whose defaults and
    bounds they have."""

    model_config = ConfigDict(from_attributes=True)


class Problem(Out):
    """RFC 9457 problem details, with what to do next."""

    type: str = Field(description="Stable name of the kind of problem", examples=["urn:vigil:problem:capacity_full"])
    title: str
    status: int
    detail: str = Field(description="What was wrong this time")
    next_step: str = Field(description="What to do about it")


class Accepted(Out):
    """The command waits for the session's next turn."""

    id: str = Field(description="Id of what was accepted", examples=["q-3f9a1c20"])
    session: str


def bounded(bounds: Bounds, description: str, **options: Any) -> Any:
    """A pydantic field with the core's bounds."""
    at_least = None if bounds.exclusive else bounds.low
    more_than = bounds.low if bounds.exclusive else None
    return Field(ge=at_least, gt=more_than, le=bounds.high, description=description, **options)
