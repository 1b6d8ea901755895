"""How a session's state is laid out over Redis: each part under its own key, written only when it has changed.

The head changes every turn and stays small. The rest would be rewritten every second although most of it changes once
in minutes: up to sixteen instructions and thirty-two exchanges, and the prefix that restates them. The turns of the
chunk are not here: they are appended one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vigil.core.alert import Alert
from vigil.core.duplicate import Utterances
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instructions
from vigil.core.memory import Memory
from vigil.core.message import Image, Parts, Text
from vigil.core.session import Chunk, SessionState
from vigil.core.turn import Exchange, FrameRef, Task, Turn
from vigil.runtime.store import form
from vigil.runtime.store.keys import Part
from vigil.runtime.store.record import decode, decode_numbered, encode, form_of

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Head:
    """What every turn changes, and the form of all of the state."""

    form: int = 0
    next_sequence: int = 0
    last_time_ms: int = -1
    malformed_total: int = 0


@dataclass(frozen=True, slots=True)
class _PrefixPart:
    """A text, or a picture. JSON holds no type names, so one record stands for both."""

    text: str = ""
    image: FrameRef | None = None


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the chunk begins with, and what later ones begin with. The prefix changes at a boundary and never within a
    chunk; the tiers change there, too, and when a summary is asked for."""

    chunk: int = 0
    prefix: tuple[_PrefixPart, ...] = ()
    began_at: int = -1
    tiers: Memory = field(default_factory=Memory)


_VIEWS: Mapping[Part, Callable[[SessionState], Any]] = {
    Part.HEAD: lambda state: _Head(form.WRITTEN, state.next_sequence, state.last_time_ms, state.malformed_total),
    Part.MEMORY: lambda state: (state.chunk.number, state.chunk.prefix, state.chunk.began_at, state.memory),
    Part.INSTRUCTIONS: lambda state: state.instructions,
    Part.ALERTS: lambda state: state.alerts,
    Part.UTTERED: lambda state: state.uttered,
    Part.DIALOGUE: lambda state: state.dialogue,
    Part.TASKS: lambda state: state.tasks,
}

STATE_PARTS = tuple(_VIEWS)


def encode_parts(state: SessionState, before: SessionState | None) -> dict[Part, bytes]:
    """The parts of `state` in which it differs from `before`; with none before, all of them."""
    views = {part: view(state) for part, view in _VIEWS.items() if before is None or view(state) != view(before)}
    return {part: encode(_memory(*view) if part is Part.MEMORY else view) for part, view in views.items()}


def decode_parts(key: SessionKey, parts: Sequence[bytes | None], turns: Sequence[bytes]) -> SessionState:
    """The state of the parts, in the order of `STATE_PARTS`, and its turns. A part that is not there has not begun.
    Raises `StoreNewer`, `StoreCorrupt`."""
    found = dict(zip(STATE_PARTS, parts, strict=True))
    head = decode_head(key, found[Part.HEAD])
    memory = _decoded(key, found[Part.MEMORY], _Memory, _Memory())
    return SessionState(
        next_sequence=head.next_sequence,
        last_time_ms=head.last_time_ms,
        malformed_total=head.malformed_total,
        chunk=Chunk(memory.chunk, _prefix(memory), tuple(decode(key, turn, Turn) for turn in turns), memory.began_at),
        instructions=_decoded(key, found[Part.INSTRUCTIONS], Instructions, ()),
        alerts=_decoded(key, found[Part.ALERTS], tuple[Alert, ...], ()),
        uttered=_decoded(key, found[Part.UTTERED], Utterances, ()),
        dialogue=_decoded(key, found[Part.DIALOGUE], tuple[Exchange, ...], ()),
        tasks=_decoded(key, found[Part.TASKS], tuple[Task, ...], ()),
        memory=memory.tiers,
    )


def decode_head(key: SessionKey, data: bytes | None) -> _Head:
    """What every turn changes; of a session that has not begun, what it begins with. Raises `StoreNewer`,
    `StoreCorrupt`."""
    return _Head() if data is None else decode_numbered(key, data, _Head)


def is_of_old_form(key: SessionKey, head: bytes | None) -> bool:
    """Whether an older release wrote the state, which must then be written anew. One that has not begun is of no form.
    Raises `StoreCorrupt`."""
    return head is not None and form_of(key, head) < form.WRITTEN


def _decoded(key: SessionKey, data: bytes | None, kind: Any, nothing: V) -> V:
    if data is None:
        return nothing
    value: V = decode(key, data, kind)
    return value


def _memory(chunk: int, prefix: Parts, began_at: int, tiers: Memory) -> _Memory:
    parts = (_PrefixPart(part.text) if isinstance(part, Text) else _PrefixPart(image=part.ref) for part in prefix)
    return _Memory(chunk, tuple(parts), began_at, tiers)


def _prefix(memory: _Memory) -> Parts:
    return tuple(Text(part.text) if part.image is None else Image(part.image) for part in memory.prefix)
