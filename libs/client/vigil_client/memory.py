"""A session's memory over REST: its tiers, its archive and pictures, and what a question recalls of it."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from vigil_client.options import Memory as MemoryOptions
from vigil_client.transport import Transport
from vigil_client.values import read


@dataclass(frozen=True, slots=True)
class MemoryFrame:
    """A picture of a span. `time_s` is model time, None where only the reference is known; `path` is on the gateway."""

    id: str
    time_s: float | None
    path: str


@dataclass(frozen=True, slots=True)
class Block:
    """What was written of the span from `from_s` to before `to_s` (model time). `level` 0 is a summary of what was
    seen, 1 and more was merged from earlier blocks. `text` is data: it tells of pictures."""

    id: str
    level: int
    from_s: float
    to_s: float
    tokens: int
    text: str


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A span whose block is not there yet. `asked` counts the requests for it; `frames` stand for it meanwhile."""

    from_s: float
    to_s: float
    asked: int
    frames: tuple[MemoryFrame, ...]


@dataclass(frozen=True, slots=True)
class Tier:
    """How full one tier is. Tokens are an upper estimate."""

    blocks: int
    tokens: int
    limit_blocks: int
    limit_tokens: int


@dataclass(frozen=True, slots=True)
class Tiers:
    """The summaries (`mid`), and the blocks that were merged from them (`long`)."""

    mid: Tier
    long: Tier


@dataclass(frozen=True, slots=True)
class Memory:
    """What a session's prompt holds of the time before its turns, oldest first. `began_at` is when model time 0 was.

    Nothing is kept of the time before `forgotten_s`. From `turns_from_s` on the turns themselves are in the prompt."""

    session: str
    settings: MemoryOptions
    time_s: float | None
    began_at: datetime | None
    forgotten_s: float
    turns_from_s: float | None
    turns: int
    tiers: Tiers
    blocks: tuple[Block, ...]
    unwritten: tuple[Unwritten, ...]


@dataclass(frozen=True, slots=True)
class Archived:
    """An entry of the archive: `kind` "block" is a summary as it was written, "exchange" a question with its answer.
    `observed` is what modules noticed in the span of a summary."""

    id: str
    kind: str
    from_s: float
    to_s: float
    question: str
    text: str
    frames: tuple[MemoryFrame, ...]
    observed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """Entries of the archive, newest first. `next`, where it is not None, names those that are earlier."""

    entries: tuple[Archived, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Recalled:
    """One thing that was found: `kind` is "block", "exchange" or "observation". `text` is data."""

    kind: str
    from_s: float
    to_s: float
    from_at: datetime | None
    to_at: datetime | None
    text: str
    frames: tuple[MemoryFrame, ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """What the memory holds about a question. `from_s` and `to_s` are the time that the question names, None when it
    names none."""

    session: str
    question: str
    from_s: float | None
    to_s: float | None
    lines: tuple[Recalled, ...]


class Memories:
    """The memories of a tenant's sessions. Every call raises what the client's own calls raise."""

    def __init__(self, gateway: Transport) -> None:
        self._gateway = gateway

    async def __call__(self, session_id: str) -> Memory:
        """What the session's prompt holds of the time before its turns."""
        return read(Memory, await self._gateway.call("GET", _path(session_id)))

    async def archive(self, session_id: str, *, limit: int | None = None, before: str | None = None) -> ArchivePage:
        """Summaries and answers, newest first: the last 50, or as many as `limit` says (up to 200), or those `before`
        an entry, which is the `next` of another page."""
        asked = {"limit": limit, "before": before}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        path = _path(session_id, "archive") + (f"?{query}" if query else "")
        return read(ArchivePage, await self._gateway.call("GET", path))

    async def recall(self, session_id: str, question: str, *, time_zone: str = "", lines: int | None = None) -> Recall:
        """What the memory holds about a question; the model is not asked. Times of day in it hold in `time_zone` (a
        name of the IANA, empty: UTC). `Unavailable` when no memory service answers within 2 s."""
        body = {"question": question, "time_zone": time_zone or None, "lines": lines}
        given = {name: value for name, value in body.items() if value is not None}
        return read(Recall, await self._gateway.call("POST", _path(session_id, "recall"), given))

    async def frame(self, session_id: str, frame_id: str) -> bytes:
        """A picture (JPEG) that the memory names. `NotFound` once it has made way for newer ones."""
        path = f"{_path(session_id, 'frames')}/{quote(frame_id, safe='')}"
        async with self._gateway.request("GET", path) as response:
            return await response.read()


def _path(session_id: str, part: str = "") -> str:
    """The path of a session's memory, or of a part of it; an id that was mistyped must not become another path."""
    memory = f"/v1/sessions/{quote(session_id, safe='')}/memory"
    return f"{memory}/{part}" if part else memory
