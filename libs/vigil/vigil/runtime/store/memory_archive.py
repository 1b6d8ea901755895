"""What a session keeps to recall beyond its prompt: each summary, each exchange, and key frames of what was summarised.

All of it is written by commits, so only the worker that holds the session writes it. It is bounded, and ends with the
session.
"""

from dataclasses import dataclass
from hashlib import blake2b

from vigil.core.memory import Block
from vigil.core.task import KeyFrame
from vigil.core.turn import Exchange


@dataclass(frozen=True, slots=True)
class ArchivedBlock:
    """A summary, with the key frames that were kept of its span, and what modules noticed in it."""

    block: Block
    frames: tuple[KeyFrame, ...] = ()
    observed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive of a session, oldest first. `key_frames` are those whose pictures are there: of the frames that the
    blocks name some may have made way."""

    blocks: tuple[ArchivedBlock, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    key_frames: tuple[KeyFrame, ...] = ()


def field_of(entry: ArchivedBlock | Exchange) -> str:
    """Where an entry stands in the archive. It begins with its time in milliseconds: the oldest leaves first. An
    exchange that is archived again, with another reply, takes its own place; two questions of one turn have two."""
    if isinstance(entry, ArchivedBlock):
        return entry.block.id
    return f"{entry.asked_ms}-q{blake2b(entry.query.encode(), digest_size=4).hexdigest()}"


def is_exchange(field: str) -> bool:
    """Whether an exchange stands under this field."""
    return "-q" in field


def frame_field(frame: KeyFrame) -> str:
    """Where the picture of a key frame stands in the store. It begins with its model time in milliseconds."""
    return f"{frame.time_ms} {frame.uuid}"


def frame_of(field: str) -> KeyFrame:
    """Read what `frame_field` wrote. Raises `ValueError`."""
    time_ms, uuid = field.split(" ", 1)
    return KeyFrame(uuid, int(time_ms))
