"""What the store takes and gives, and how these values are written: JSON by msgspec, here and nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import msgspec

from vigil.contract.outgoing import Outgoing
from vigil.contract.unreadable import UNREADABLE
from vigil.core.command import Ask, Clear, Command, Instruct, Reset
from vigil.core.ids import SessionKey
from vigil.core.memory import Block
from vigil.core.session import SessionSpec, SessionState
from vigil.core.task import KeyFrame
from vigil.core.turn import Exchange, Result, Turn
from vigil.runtime.errors import StoreCorrupt, StoreNewer
from vigil.runtime.store import form
from vigil.runtime.store.memory_archive import Archive, ArchivedBlock, frame_of, is_exchange

_COMMANDS: dict[str, type[Command]] = {"ask": Ask, "instruct": Instruct, "clear": Clear, "reset": Reset}
_COMMAND_NAMES = {kind: name for name, kind in _COMMANDS.items()}

_BYTES_FIELD = b"bytes"  # of the archive: it counts, and is no text

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one tick writes, at once or not at all.

    `turn` is appended; with `restart` the turns become those of `state.chunk` instead, and frames that neither the
    chunk shows nor a span of `state.memory` waits with are dropped. `frames` are new ones, uuid and JPEG. `published`
    entries leave the outbox's head, `consumed` commands, `consumed_results` results and `consumed_blocks` blocks of
    memory leave the heads of their inboxes, then `outgoing` is appended to the outbox.

    `archived` texts enter the archive, and the pictures of `key_frames`, which the chunk showed until now. One that
    `forgets` removes all that was archived before, and all blocks that wait.

    `after` is the id of the commit or take that this one builds on: when something else was written since, nothing is.
    Empty, it builds on whatever is there. `before` is the state that `after` left in the store: parts of the state that
    are the same are not written again. Without it all parts are written.
    """

    state: SessionState
    turn: Turn | None = None
    restart: bool = False
    frames: tuple[tuple[str, bytes], ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    published: int = 0
    consumed: int = 0
    consumed_results: int = 0
    consumed_blocks: int = 0
    archived: tuple[ArchivedBlock | Exchange, ...] = ()
    key_frames: tuple[KeyFrame, ...] = ()
    forgets: bool = False
    after: str = ""
    before: SessionState | None = None
    id: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        if self.before is not None and not self.after:
            raise ValueError("a commit with `before` needs `after`: only then is it sure what the store holds")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a session's next turn: what clients said, and what workers found out; and the blocks of memory
    that wait for the next chunk. All oldest first."""

    commands: tuple[Command, ...] = ()
    results: tuple[Result, ...] = ()
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """Why and when a session ended (milliseconds since the epoch, Redis's clock)."""

    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A session as the worker that takes it over finds it. The worker publishes `outbox`, perhaps once more: JetStream
    drops what it has. `is_of_old_form`: an older release wrote the state, so the first commit writes all of it anew."""

    spec: SessionSpec
    state: SessionState
    outbox: tuple[Outgoing, ...]
    waiting: Waiting
    ended: Ended | None = None
    id: str = ""
    is_of_old_form: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What others may have changed about a session that a worker holds."""

    spec: SessionSpec
    waiting: Waiting
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """One entry of a session's log: what the model was newly told (`queries`), what modules noticed (`observed`) and
    what it replied, with model time."""

    sequence: int
    time_ms: int
    reply: str
    queries: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Envelope:
    """A command with its kind. `nonce` tells a repeated submission from a second one."""

    kind: str
    nonce: str
    value: msgspec.Raw


def encode(value: Any) -> bytes:
    """A value as JSON."""
    return msgspec.json.encode(value)


def decode(key: SessionKey, data: bytes, kind: type[V]) -> V:
    """JSON as a value of `kind`; raises `StoreCorrupt`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (*UNREADABLE, ValueError) as error:
        raise StoreCorrupt(key, f"the stored {kind.__name__} of session {key} cannot be read: {error}") from error


def encode_numbered(value: Any) -> bytes:
    """A value as a JSON object that says of which form it is."""
    return form.numbered(encode(value))


def decode_numbered(key: SessionKey, data: bytes, kind: type[V]) -> V:
    """Read what `encode_numbered` wrote, in this release or in one before. Raises `StoreNewer`, `StoreCorrupt`."""
    if form_of(key, data) > form.READ:
        raise StoreNewer(key, form.IS_NEWER.format(key=key))
    return decode(key, data, kind)


def form_of(key: SessionKey, data: bytes) -> int:
    """Of which form a JSON object is. Raises `StoreCorrupt`."""
    try:
        return form.form_of(data)
    except UNREADABLE as error:
        raise StoreCorrupt(key, f"the form of session {key} cannot be read: {error}") from error


def encode_command(command: Command, nonce: str) -> bytes:
    """A command in its envelope."""
    return encode_numbered(_Envelope(_COMMAND_NAMES[type(command)], nonce, msgspec.Raw(encode(command))))


def decode_command(key: SessionKey, data: bytes) -> Command:
    """Read what `encode_command` wrote."""
    envelope = decode_numbered(key, data, _Envelope)
    if envelope.kind not in _COMMANDS:
        raise StoreCorrupt(key, f"session {key} has a command of unknown kind {envelope.kind!r}")
    return decode(key, bytes(envelope.value), _COMMANDS[envelope.kind])


def decode_commands(key: SessionKey, entries: Sequence[bytes]) -> tuple[Command, ...]:
    """Read the commands of an inbox."""
    return tuple(decode_command(key, entry) for entry in entries)


def decode_waiting(
    key: SessionKey, inbox: Sequence[bytes], results: Sequence[bytes] = (), blocks: Sequence[bytes] = ()
) -> Waiting:
    """Read the inboxes."""
    return Waiting(
        decode_commands(key, inbox),
        tuple(decode_numbered(key, result, Result) for result in results),
        tuple(decode_numbered(key, block, Block) for block in blocks),
    )


def decode_look(
    key: SessionKey,
    spec: bytes,
    ended: bytes | None,
    inbox: Sequence[bytes],
    results: Sequence[bytes] = (),
    blocks: Sequence[bytes] = (),
) -> Look:
    """What others may have changed about a session that is there. Who serves a client need not give the results and
    the blocks."""
    return Look(
        spec=decode_numbered(key, spec, SessionSpec),
        waiting=decode_waiting(key, inbox, results, blocks),
        ended=None if ended is None else decode(key, ended, Ended),
    )


def decode_archive(key: SessionKey, texts: Mapping[bytes, bytes], frames: Sequence[bytes]) -> Archive:
    """The archive of its hash and of the fields of its key frames. Raises `StoreCorrupt`, `StoreNewer`."""
    entries = {name.decode(): data for name, data in texts.items() if name != _BYTES_FIELD}
    blocks = (decode_numbered(key, data, ArchivedBlock) for name, data in entries.items() if not is_exchange(name))
    exchanges = (decode_numbered(key, data, Exchange) for name, data in entries.items() if is_exchange(name))
    pictures = (frame_of(name.decode()) for name in frames)
    return Archive(
        tuple(sorted(blocks, key=lambda entry: entry.block.from_ms)),
        tuple(sorted(exchanges, key=lambda exchange: exchange.asked_ms)),
        tuple(sorted(pictures, key=lambda frame: frame.time_ms)),
    )


def encode_outgoing(outgoing: Outgoing) -> bytes:
    """A message of the outbox; msgpack, because its payload is bytes."""
    return msgspec.msgpack.encode(outgoing)


def decode_outgoing(key: SessionKey, data: bytes) -> Outgoing:
    """Read what `encode_outgoing` wrote."""
    try:
        return msgspec.msgpack.decode(data, type=Outgoing)
    except UNREADABLE as error:
        raise StoreCorrupt(key, f"the outbox of session {key} cannot be read: {error}") from error


def logged(turn: Turn) -> bytes:
    """A turn's entry in the log; what it told of results stands with the queries."""
    told = (*turn.queries, *turn.results)
    return encode(LoggedTurn(turn.sequence, turn.time_ms, turn.reply, told, turn.observed))
