"""The prompt: within a chunk it only grows at its end, byte for byte (design §1.3).

A prompt is a system message and one user and one assistant message per committed turn, then the new user turn. The
first user message of a chunk carries the chunk's prefix. Nothing before the new turn depends on anything new.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vigil.core.control import plain
from vigil.core.instruction import Instruction
from vigil.core.message import Image, Message, Parts, Text
from vigil.core.profile import PromptProfile, QueryLayout
from vigil.core.session import Chunk
from vigil.core.turn import Exchange, Turn

QUERY_HEADER = "[User Query (IMPORTANT — follow this instruction)]"
RESULT_HEADER = "[Background Result (answer to a question that you delegated)]"
DIALOGUE_HEADER = "[Q&A History]"
MAX_KEEP_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt that the engine was asked: `messages` show `chunk` and then one new turn."""

    chunk: Chunk
    messages: tuple[Message, ...]


def prompt(profile: PromptProfile, chunk: Chunk, new: Turn, last: Asked | None = None) -> tuple[Message, ...]:
    """The messages that ask for the decision of turn `new`, whose reply is not there yet.

    `last` is an earlier prompt of the same session and profile. What it shows of this chunk is taken from it, as the
    same objects, so that a long history costs nothing to show again.
    """
    return (*_past(profile, chunk, last), _user(profile, new, () if chunk.turns else chunk.prefix))


def asked_for(profile: PromptProfile, chunk: Chunk, sequence: int) -> tuple[Message, ...] | None:
    """The messages that asked for the decision of an earlier turn of the chunk. They are exactly those that the engine
    was sent, because within a chunk nothing before a turn ever changes.

    None for a turn that is not in the chunk, and for one that was carried into it: that turn was asked with the prompt
    of the chunk before, which is gone.
    """
    if not chunk.has_asked(sequence):
        return None
    place = next(place for place, turn in enumerate(chunk.turns) if turn.sequence == sequence)
    return prompt(profile, replace(chunk, turns=chunk.turns[:place]), replace(chunk.turns[place], reply=""))


def goes_on(last: Asked, chunk: Chunk, messages: tuple[Message, ...]) -> bool:
    """Whether the prompt `messages`, which shows `chunk`, begins with all of the past that `last` showed. It must for
    two prompts of the same chunk, else the engine computes again what it has. For different chunks this is True."""
    past = last.messages[:-1]
    return chunk.number != last.chunk.number or messages[: len(past)] == past


def prefix_share(last: tuple[Message, ...], new: tuple[Message, ...]) -> float:
    """The share of the last prompt's messages with which the new prompt begins unchanged; 1.0 with no last one.

    Within a chunk it is 1.0, always: the engine's prefix cache then serves all but the newest turn.
    """
    same = 0
    for before, after in zip(last, new, strict=False):
        if before is not after and before != after:
            break
        same += 1
    return same / len(last) if last else 1.0


def opening(profile: PromptProfile, chunk: Chunk) -> tuple[Message, ...]:
    """All that the first prompt of `chunk` will begin with and that can be asked now. It ends with a user message: that
    of the last turn there is, or that of the prefix alone."""
    if chunk.turns:
        return _past(profile, chunk)[:-1]
    return (*_past(profile, chunk), *([Message("user", chunk.prefix)] if chunk.prefix else []))


def chunk_prefix(profile: PromptProfile, instructions: Sequence[Instruction], dialogue: Sequence[Exchange]) -> Parts:
    """What the first user message of a new chunk begins with: earlier dialogue and the standing instructions."""
    texts = [instruction.text for instruction in instructions]
    if profile.query_layout is QueryLayout.PLAIN:
        text = "".join(f"{text}\n" for text in texts)
    else:
        text = "\n\n".join(section for section in (_dialogue(dialogue), _query(texts)) if section)
    return (Text(text),) if text else ()


def stop_text(instruction: Instruction) -> str:
    """How the model is told that an instruction no longer stands: in a new line, because earlier turns never change."""
    return f"Stop watching: {instruction.text}"


def keep_texts(left: Sequence[Instruction]) -> list[str]:
    """How the watches that are left after a stop are named again: told to drop one watch, the model drops all.

    Other instructions are not named: the model would begin an interval anew, and read a memory twice. When the texts
    are very long together, none is named: to name some of them would say that the others do not stand.
    """
    texts = list(dict.fromkeys(f"Keep watching: {instruction.text}" for instruction in left if instruction.watch))
    return texts if sum(map(len, texts)) <= MAX_KEEP_CHARS else []


def time_marker(time_ms: int) -> str:
    """Model time as the weights know it: one decimal, always the plural word."""
    return f"<{time_ms / 1000:.1f} seconds>"


def _past(profile: PromptProfile, chunk: Chunk, last: Asked | None = None) -> tuple[Message, ...]:
    """The system message, then two messages for each turn of the chunk."""
    messages = list(_shown(profile, chunk, last))
    for turn in chunk.turns[len(messages) // 2 :]:
        messages.append(_user(profile, turn, chunk.prefix if len(messages) == 1 else ()))
        messages.append(Message("assistant", (Text(profile.spelling.write(turn.reply)),)))
    return tuple(messages)


def _shown(profile: PromptProfile, chunk: Chunk, last: Asked | None) -> tuple[Message, ...]:
    """The messages of the past that can be taken from `last`; the system message at least."""
    if last is not None and last.chunk.prefix == chunk.prefix:
        turns = last.chunk.turns
        if chunk.turns[: len(turns)] == turns:
            return last.messages[:-1]
    return (Message("system", (Text(profile.system),)),)


def _user(profile: PromptProfile, turn: Turn, prefix: Parts) -> Message:
    if profile.query_layout is QueryLayout.PLAIN:
        lines = "".join(f"{line}\n" for line in (*turn.queries, *turn.results))
        parts: list[Text | Image] = [*prefix, Text(f"{lines}{time_marker(turn.time_ms)}\n")]
        for index, frame in enumerate(turn.frames):
            parts += [Text("\n")] * (index > 0) + [Image(frame)]
        return Message("user", _merged(parts))
    texts = (_query(turn.queries), _section(RESULT_HEADER, turn.results), time_marker(turn.time_ms))
    pictures = (Image(frame) for frame in turn.frames)
    return Message("user", (*prefix, *(Text(text) for text in texts if text), *pictures))


def _merged(parts: Sequence[Text | Image]) -> Parts:
    """The same bytes, with neighbouring texts as one part: the plain layout has no borders between texts."""
    merged: list[Text | Image] = []
    for part in parts:
        if merged and isinstance(part, Text) and isinstance(merged[-1], Text):
            merged[-1] = Text(merged[-1].text + part.text)
        else:
            merged.append(part)
    return tuple(merged)


def _query(texts: Sequence[str]) -> str:
    return _section(QUERY_HEADER, texts)


def _section(header: str, lines: Sequence[str]) -> str:
    return "\n".join((header, *lines)) if lines else ""


def _dialogue(dialogue: Sequence[Exchange]) -> str:
    return _section(DIALOGUE_HEADER, [_exchange(number, exchange) for number, exchange in enumerate(dialogue, start=1)])


def _exchange(number: int, exchange: Exchange) -> str:
    """A question and every reply that was given to it. A holding reply is one, and stands as a response also while the
    question is on its way or when it stays unanswered: weights know a question with a response, and one without, but no
    third form. With the answer the holding reply stands before it, since one query may have several responses.

    Replies come from a model or a brain, and may have been stored by an earlier release: they are made plain here."""
    lines = [f"#{number} [Query@{exchange.asked_ms / 1000:.1f} seconds] {exchange.query}"]
    if exchange.task is not None and exchange.task.note:
        lines.append(_response(exchange.task.opened_ms, exchange.task.note))
    if exchange.answered_ms >= 0:
        lines.append(_response(exchange.answered_ms, exchange.answer))
    return "\n".join(lines)


def _response(time_ms: int, text: str) -> str:
    return f"[Response@{time_ms / 1000:.1f} seconds] {plain(text)}"
