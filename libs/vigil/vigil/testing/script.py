"""What a scripted engine says: a function from the request it got to the reply it gives."""

import asyncio
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from vigil.core import control
from vigil.core.prompt import QUERY_HEADER
from vigil.testing.images import redness


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Without `logprobs` the first token gets 0.9 and the other two actions 0.05 each.

    A `status` other than 200 is an error with `text` as its message; `body` replaces the whole answer; `hang` never
    answers; `hold` answers once the event is set; `delay_s` answers that much later.
    """

    text: str = control.SILENCE
    logprobs: Mapping[str, float] = field(default_factory=dict)
    status: int = 200
    delay_s: float = 0.0
    hang: bool = False
    hold: asyncio.Event | None = None
    body: bytes = b""

    @property
    def first_token(self) -> str:
        return next((word for word in control.CONTROL_TOKENS if self.text.startswith(word)), self.text[:4])

    def first_logprobs(self) -> dict[str, float]:
        """Token to log-probability, the likeliest first."""
        if self.logprobs:
            return dict(self.logprobs)
        others = {token: math.log(0.05) for token in control.CONTROL_TOKENS if token != self.first_token}
        return {self.first_token: math.log(0.9), **others}


@dataclass(frozen=True, slots=True)
class Seen:
    """One request. `fresh` maps the UUIDs whose pixels travelled to them; `uuids` are all of the prompt, in order.

    `newest` is the JPEG of the last picture of the prompt, `refused` whether it was a cache miss.
    """

    index: int
    request_bytes: int
    body: Mapping[str, Any]
    uuids: tuple[str, ...]
    fresh: Mapping[str, bytes]
    newest: bytes = b""
    refused: bool = False
    authorization: str = ""
    traceparent: str = ""

    @property
    def text(self) -> str:
        """All text of the last message."""
        content = self.body["messages"][-1]["content"]
        return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


Script = Callable[[Seen], Reply]


def silent(_: Seen) -> Reply:
    """Never says a word."""
    return Reply()


def in_order(replies: Sequence[Reply]) -> Script:
    """One reply after the other; the last one for ever."""
    return lambda seen: replies[min(seen.index, len(replies) - 1)]


def when_red(text: str = f"{control.RESPONSE} A fire has started.", share: float = 0.5) -> Script:
    """Speaks while more than `share` of the newest picture is red, else silent."""
    return lambda seen: Reply(text) if seen.newest and redness(seen.newest) > share else Reply()


def answering() -> Script:
    """Answers every question at once, each in other words, and says nothing else."""
    numbers = itertools.count(1)

    def reply(seen: Seen) -> Reply:
        if QUERY_HEADER not in seen.text:
            return Reply()
        return Reply(f"{control.RESPONSE} This is answer number {next(numbers)}, and all is well.")

    return reply


def named(name: str) -> Script:
    """`silent`, `red`, `answering`, or the path of a JSON list of replies.

    Each is an object with `text`, `status`, `delay_s`, `hang`. Raises `ValueError` that says what is wrong.
    """
    builtin = {"silent": silent, "red": when_red(), "answering": answering()}
    if name in builtin:
        return builtin[name]
    try:
        replies = msgspec.json.decode(Path(name).read_bytes(), type=list[_Line])
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"no script {name!r} ({error}): give {', '.join(builtin)} or a JSON file") from error
    if not replies:
        raise ValueError(f"the script {name!r} is empty: give at least one reply")
    return in_order(
        [Reply(reply.text, status=reply.status, delay_s=reply.delay_s, hang=reply.hang) for reply in replies]
    )


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str = control.SILENCE
    status: int = 200
    delay_s: float = 0.0
    hang: bool = False
