"""A record second by second: one user and one assistant message for each, as the model will be served.

The user's message is the question, the time marker and the pictures; the assistant's is the control form, silence where
nothing is said (paper, appendix 7.1). The bytes are those of ``vigil.core.prompt``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vigil.core import control
from vigil.core.message import Image, Message, Text
from vigil.core.profile import JOYAI, VIGIL_SMALL, PromptProfile, QueryLayout
from vigil.core.prompt import prompt
from vigil.core.session import Chunk
from vigil.core.turn import FrameRef, Turn
from vigil_recipe.data.check import reply_of
from vigil_recipe.data.records import Record

# The published converter writes queries without the header that the released runtime puts before them.
LAYOUTS: dict[str, PromptProfile] = {
    "joyai": replace(JOYAI, query_layout=QueryLayout.PLAIN),
    "joyai-serving": JOYAI,
    "vigil-small": VIGIL_SMALL,
}
PLACE = "<image>"


@dataclass(frozen=True, slots=True)
class Second:
    """One turn: what the user newly says and what is right to reply; ``seconds`` from the start of the video."""

    second: int
    lines: tuple[str, ...]
    reply: str


def seconds_of(record: Record, duration_s: float) -> tuple[Second, ...]:
    """Every second of the video. What falls into one second is said in it, in order.

    Raises RecordError when two replies of one second cannot be one reply.
    """
    count = max(1, math.ceil(duration_s))
    lines: list[list[str]] = [[] for _ in range(count)]
    replies: list[list[str]] = [[] for _ in range(count)]
    for question in record.questions:
        lines[min(int(question.time_s), count - 1)].append(" ".join(question.content.split()))
    for response in record.responses:
        replies[min(int(response.time_s), count - 1)].append(reply_of(response.content))
    return tuple(
        Second(second, tuple(lines[second]), _joined(record, second, replies[second])) for second in range(count)
    )


def chunks_of(seconds: Sequence[Second], turns: int) -> tuple[tuple[Second, ...], ...]:
    """The seconds in chunks of at most ``turns``; a later chunk begins with the last question before it, as serving
    restates what stands."""
    out = []
    for first in range(0, len(seconds), turns):
        chunk = list(seconds[first : first + turns])
        earlier = [line for second in seconds[:first] for line in second.lines]
        if earlier:
            chunk[0] = replace(chunk[0], lines=(earlier[-1], *chunk[0].lines))
        out.append(tuple(chunk))
    return tuple(out)


def messages_of(chunk: Sequence[Second], profile: PromptProfile, images: int) -> tuple[Message, ...]:
    """The messages of a chunk with its replies, ``images`` pictures a second, first to last."""
    turns = tuple(
        Turn(second.second, second.second * 1000, (FrameRef("", 0, 0),) * images, second.reply, second.lines)
        for second in chunk
    )
    shown = prompt(profile, Chunk(0, turns=turns[:-1]), turns[-1])
    return (*shown, Message("assistant", (Text(profile.spelling.write(turns[-1].reply)),)))


def content_of(message: Message, place: str = PLACE) -> str:
    """A message as one text, with ``place`` for each picture."""
    return "".join(place if isinstance(part, Image) else part.text for part in message.parts)


def _joined(record: Record, second: int, replies: Sequence[str]) -> str:
    """One reply of several: the texts one after the other, a delegation last."""
    if len(replies) < 2:
        return replies[0] if replies else control.SILENCE
    if any(control.DELEGATION in reply for reply in replies[:-1]):
        raise record.error(f"a reply follows a delegation within second {second}: only the last may delegate")
    texts = [reply.removeprefix(control.RESPONSE).strip() for reply in replies]
    return f"{control.RESPONSE} {' '.join(texts)}"
