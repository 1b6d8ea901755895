"""Recalls from the store: bounded in number, in time, and in what it answers."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vigil.contract.errors import InvalidMessage
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey
from vigil.core.recall import MAX_CHARS, MAX_LINES
from vigil.core.session import SessionSpec
from vigil.core.turn import Exchange, Reply
from vigil.runtime.errors import StoreError, StoreUnavailable, UnknownSession
from vigil.runtime.store.memory_archive import Archive, ArchivedBlock
from vigil.v1 import memory_pb2 as pb
from vigil_memory.recall import metrics
from vigil_memory.recall.answer import Limits, Line, Recalled, recall
from vigil_memory.recall.blending import NO_NEARNESS, Nearness
from vigil_memory.recall.moment import Moment
from vigil_memory.recall.passages import Entry, EntryKind, passages
from vigil_memory.recall.semantics import Semantics
from vigil_memory.recall.time_expressions import MAX_QUESTION_CHARS

MAX_RECALLS = 4  # at once; more wait, as long as they may
DEADLINE_S = 1.0
MAX_REPLIES = 3  # of one exchange, the newest
MAX_TIME_MS = 10**12  # of model time: thirty years


class Archives(Protocol):
    """Where archives of sessions and their options are read: the session store."""

    async def spec(self, key: SessionKey) -> SessionSpec:
        """What the session is asked to be. Raises `UnknownSession`, `StoreError`."""
        ...

    async def archive(self, key: SessionKey) -> Archive:
        """Empty for a session that is gone. Raises `StoreError`."""
        ...


class ArchiveRecaller:
    """Answers questions from the archives of sessions. `time_zone` is the one in which people name times of day where
    neither a request nor its session names one; with `semantics` sentences are also found by their meaning."""

    def __init__(
        self,
        sessions: Archives,
        time_zone: str = "UTC",
        *,
        semantics: Semantics | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._sessions = sessions
        self._semantics = semantics
        self._time_zone = time_zone
        self._deadline_s = deadline_s
        self._places = asyncio.Semaphore(MAX_RECALLS)

    async def recall(self, request: pb.RecallRequest) -> pb.RecallResponse:
        """The lines, best first; none for a session that is gone.

        Raises `InvalidMessage` for a request that names no session, no time zone or no time, `StoreError` when the
        store does not answer or too many questions are asked at once.
        """
        try:
            with metrics.SECONDS.time():
                found = await self._recalled(request)
        except InvalidMessage:
            metrics.RECALLS.labels("invalid").inc()
            raise
        except StoreError:
            metrics.RECALLS.labels("unavailable").inc()
            raise
        metrics.RECALLS.labels("found" if found.lines else "nothing").inc()
        return response(found)

    async def _recalled(self, request: pb.RecallRequest) -> Recalled:
        key = _key(request)
        try:
            async with asyncio.timeout(self._deadline_s), self._places:
                moment = _moment(request, request.time_zone or await self._zone(key))
                archive = await self._sessions.archive(key)
                searched = entries(archive)
                nearness = await self._nearness(key, request.question, searched)
                # Beside the loop: reading the archive of a day takes tens of milliseconds.
                return await asyncio.to_thread(
                    recall, request.question, searched, moment, _limits(request), archive.key_frames, nearness
                )
        except TimeoutError:
            reason = f"nothing was recalled within {self._deadline_s:g} s: too many questions, or a slow store"
            raise StoreUnavailable(reason) from None

    async def _nearness(self, key: SessionKey, question: str, searched: Sequence[Entry]) -> Nearness:
        if self._semantics is None:
            return NO_NEARNESS
        found = await asyncio.to_thread(passages, searched)
        return await self._semantics.nearness(key, question, [passage.text for passage in found])

    async def _zone(self, key: SessionKey) -> str:
        """Where the times of day of a question hold that names no time zone."""
        try:
            return (await self._sessions.spec(key)).memory.time_zone or self._time_zone
        except UnknownSession:
            return self._time_zone


def entries(archive: Archive) -> tuple[Entry, ...]:
    """What is searched of an archive: every summary, what modules noticed, and every exchange that was answered."""
    blocks = (
        Entry(kept.block.id, EntryKind.BLOCK, kept.block.from_ms, kept.block.to_ms, kept.block.text)
        for kept in archive.blocks
    )
    return (*blocks, *_observations(archive.blocks), *_exchanges(archive.exchanges))


def _observations(blocks: Iterable[ArchivedBlock]) -> Iterator[Entry]:
    for kept in blocks:
        if kept.observed:
            block, text = kept.block, "\n".join(kept.observed)
            yield Entry(f"{block.id}-o", EntryKind.OBSERVATION, block.from_ms, block.to_ms, text)


def _exchanges(exchanges: tuple[Exchange, ...]) -> Iterator[Entry]:
    for place, exchange in enumerate(exchanges):
        replies = [*exchange.replies, *([Reply(exchange.answered_ms, exchange.answer)] if exchange.answer else [])]
        if replies:
            replies.sort(key=lambda reply: reply.time_ms)
            said = " ".join(reply.text for reply in replies[-MAX_REPLIES:])
            text = f'Asked: "{exchange.query}" Answered: "{said}"'
            ended_ms = max(exchange.asked_ms, replies[-1].time_ms)
            yield Entry(f"{exchange.asked_ms}-q{place}", EntryKind.EXCHANGE, exchange.asked_ms, ended_ms, text)


def response(found: Recalled) -> pb.RecallResponse:
    """The protobuf message of what was recalled."""
    span = found.span
    return pb.RecallResponse(
        lines=map(_line, found.lines), from_ms=span.from_ms if span else 0, to_ms=span.to_ms if span else 0
    )


def _line(line: Line) -> pb.RecalledLine:
    return pb.RecalledLine(
        text=line.text,
        from_ms=line.from_ms,
        to_ms=line.to_ms,
        kind=line.kind,
        frame_ids=[frame.uuid for frame in line.frames],
    )


def _key(request: pb.RecallRequest) -> SessionKey:
    try:
        return SessionKey(request.tenant, request.session)
    except InvalidToken as error:
        raise InvalidMessage(str(error)) from None


def _moment(request: pb.RecallRequest, zone: str) -> Moment:
    if len(request.question) > MAX_QUESTION_CHARS:
        raise InvalidMessage(f"the question has more than {MAX_QUESTION_CHARS:,} characters: shorten it")
    if not 0 <= request.time_ms <= MAX_TIME_MS:
        raise InvalidMessage(f"time_ms is {request.time_ms}: give the model time of the question")
    try:
        return Moment(request.time_ms, request.origin_us, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidMessage(f"{zone[:64]!r} is no time zone: give a name such as 'Europe/Berlin'") from None


def _limits(request: pb.RecallRequest) -> Limits:
    """Never more than the service's own bounds."""
    return Limits(
        lines=min(request.max_lines or MAX_LINES, MAX_LINES),
        chars=min(request.max_chars or MAX_CHARS, MAX_CHARS),
        known_from_ms=max(0, request.known_from_ms),
    )
