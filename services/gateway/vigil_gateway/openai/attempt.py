"""Which attempt of a call this is: what client libraries say in headers when they send it again by themselves."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header

_KEY = "The client's own name of this call, the same when it sends the call again"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call's idempotency key, empty where it has none, and how often it was sent before."""

    key: str
    number: int


async def _attempt(
    idempotency_key: Annotated[str, Header(max_length=255, description=_KEY)] = "",
    x_stainless_retry_count: Annotated[str, Header(include_in_schema=False)] = "",
) -> Attempt:
    """OpenAI's libraries count their attempts from 0."""
    count = x_stainless_retry_count[:9]
    return Attempt(idempotency_key, int(count) if count.isascii() and count.isdecimal() else 0)


Attempted = Annotated[Attempt, Depends(_attempt)]
