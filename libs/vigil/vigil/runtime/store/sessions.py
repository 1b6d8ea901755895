"""The session store: everything a session is, in Redis, written by one Lua script a tick that checks the fence.

A worker *takes* a session with the fence of its claim, then commits turn after turn; a commit of a worker that was
overtaken raises `FenceLost` and writes nothing. After `StoreUnavailable` a write may or may not have happened: take
the session again to know.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from vigil.contract.outgoing import Outgoing
from vigil.core.command import Command
from vigil.core.ids import SessionKey
from vigil.core.memory import Block
from vigil.core.session import SessionSpec, SessionState
from vigil.core.task import KeyFrame
from vigil.core.turn import Result
from vigil.runtime.errors import InboxFull
from vigil.runtime.store import form, metrics, record, redis_client, state_parts
from vigil.runtime.store.bounds import MAX_BLOCKS, MAX_INBOX, MAX_LOG, MAX_RESULTS
from vigil.runtime.store.commit_arguments import commit_arguments, place
from vigil.runtime.store.keys import Part, from_member, index_key, member, part_key, session_keys
from vigil.runtime.store.memory_archive import Archive, frame_field
from vigil.runtime.store.record import Commit, Ended, LoggedTurn, Look, Taken, Waiting
from vigil.runtime.store.redis_client import unavailable
from vigil.runtime.store.refusals import accepted, refuse
from vigil.runtime.store.state_parts import STATE_PARTS

__all__ = ["Commit", "Ended", "LoggedTurn", "Look", "Outgoing", "SessionStore", "Taken", "Waiting"]

RETENTION_S = 3_600.0
_UNCONFIRMED_MS = 60_000
_PACKAGE = "vigil.runtime.store"


class SessionStore:
    """Sessions in Redis. `retention_s` is how long an ended session can still be read."""

    def __init__(self, redis: Redis, *, retention_s: float = RETENTION_S) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes
        self._retention_ms = round(retention_s * 1000)
        self._create = redis_client.script(redis, _PACKAGE, "session", "create")
        self._confirm = redis_client.script(redis, _PACKAGE, "session", "confirm")
        self._discard = redis_client.script(redis, _PACKAGE, "session", "discard")
        self._change_spec = redis_client.script(redis, _PACKAGE, "session", "change_spec")
        self._set_origin = redis_client.script(redis, _PACKAGE, "session", "set_origin")
        self._take = redis_client.script(redis, _PACKAGE, "session", "take")
        self._commit = redis_client.script(redis, _PACKAGE, "session", "archive", "commit")
        self._submit = redis_client.script(redis, _PACKAGE, "session", "submit")
        self._memory_written = redis_client.script(redis, _PACKAGE, "session", "memory_written")
        self._set_status = redis_client.script(redis, _PACKAGE, "session", "set_status")
        self._erase = redis_client.script(redis, _PACKAGE, "session", "erase")
        self._end = redis_client.script(redis, _PACKAGE, "session", "end")
        self._listing = redis_client.script(redis, _PACKAGE, "list")

    async def ping(self) -> None:
        """One round trip, or `StoreUnavailable`."""
        await redis_client.ping(self._redis)

    async def create(self, spec: SessionSpec, commands: Sequence[Command] = (), *, confirmed: bool = True) -> None:
        """Write a new session with the commands that its first turn will show. Raises `AlreadyExists`, `InboxFull`.

        One that is not `confirmed` is forgotten after a minute unless `confirm` follows: whoever creates it may die
        before workers can claim it.
        """
        key = SessionKey(spec.tenant, spec.session)
        if len(commands) > MAX_INBOX:
            raise InboxFull(key, f"session {key} cannot begin with {len(commands)} commands: give at most {MAX_INBOX}")
        forget_ms = 0 if confirmed else _UNCONFIRMED_MS
        arguments = [record.encode_numbered(spec), forget_ms, *(_enveloped(command) for command in commands)]
        # Listed first: a session that exists is always found. What is not completed is forgotten by itself.
        await self._list(key, _UNCONFIRMED_MS, only_new=True)
        await self._run(self._create, key, arguments)
        if confirmed:
            await self._list(key, "inf")

    async def confirm(self, key: SessionKey) -> None:
        """The session is whole: it stays until it ends. Idempotent. Raises `UnknownSession`."""
        await self._list(key, "inf")
        await self._run(self._confirm, key, [])

    async def discard(self, key: SessionKey) -> None:
        """Forget a session that was not confirmed, as if it had never been created. A confirmed one stays."""
        if await self._run(self._discard, key, []):
            with unavailable():
                await self._redis.zrem(index_key(key.tenant), member(key))

    async def spec(self, key: SessionKey) -> SessionSpec:
        """What the session is asked to be. Raises `UnknownSession`."""
        return record.decode_numbered(key, await self._stored_spec(key), SessionSpec)

    async def change_spec(self, key: SessionKey, change: Callable[[SessionSpec], SessionSpec]) -> SessionSpec:
        """Replace what the session is asked to be by what `change` makes of it; returns that. When another change
        comes first, `change` is asked again, so that neither is lost; made twice it must change nothing more. Raises
        `UnknownSession`, `SessionEnded`."""
        while True:
            before = await self._stored_spec(key)
            after = change(record.decode_numbered(key, before, SessionSpec))
            if await self._run(self._change_spec, key, [record.encode_numbered(after), before]) == b"ok":
                return after

    async def sessions(self, tenant: str) -> list[SessionKey]:
        """The tenant's sessions, sorted: those that are open and those that ended within the retention."""
        now_ms = await self._now_ms()
        with unavailable():
            await self._redis.zremrangebyscore(index_key(tenant), 0, f"({now_ms}")
            return sorted(from_member(listed) for listed in await self._redis.zrange(index_key(tenant), 0, -1))

    async def open_sessions(self, tenant: str) -> int:
        """How many sessions of the tenant are open."""
        with unavailable():
            return int(await self._redis.zcount(index_key(tenant), "inf", "inf"))

    async def set_origin(self, key: SessionKey, capture_us: int) -> int:
        """Set when the session's clock began, once; returns what holds. Microseconds since the epoch."""
        return int(await self._run(self._set_origin, key, [capture_us]))

    async def watched_until_us(self, key: SessionKey) -> int:
        """Capture time up to which the session has been decided on (microseconds since the epoch); 0 before that."""
        with unavailable():
            origin, head = await self._redis.mget(part_key(key, Part.ORIGIN), part_key(key, Part.HEAD))
        if origin is None or head is None:
            return 0
        return int(origin) + state_parts.decode_head(key, head).last_time_ms * 1_000

    async def take(self, key: SessionKey, fence: int) -> Taken:
        """Load a session to work on it; from now on lower fences cannot commit. Raises `FenceLost`, and `StoreNewer`,
        which changes nothing about the session."""
        take_id = uuid4().hex
        answer = await self._run(self._take, key, [fence, take_id, form.READ])
        spec, parts, turns, outbox, inbox, results, blocks, ended = answer
        return Taken(
            spec=record.decode_numbered(key, spec, SessionSpec),
            state=state_parts.decode_parts(key, parts, turns),
            outbox=tuple(record.decode_outgoing(key, message) for message in outbox),
            waiting=record.decode_waiting(key, inbox, results, blocks),
            ended=None if ended is None else record.decode(key, ended, Ended),
            id=take_id,
            is_of_old_form=state_parts.is_of_old_form(key, parts[STATE_PARTS.index(Part.HEAD)]),
        )

    async def is_overtaken(self, key: SessionKey, fence: int) -> bool:
        """Whether a higher fence than this one has taken the session, or it has ended or is gone."""
        with unavailable():
            spec, ended, taken = await self._redis.mget(
                part_key(key, Part.SPEC), part_key(key, Part.ENDED), part_key(key, Part.FENCE)
            )
        return spec is None or ended is not None or (taken is not None and int(taken) > fence)

    async def commit(self, key: SessionKey, fence: int, commit: Commit) -> Waiting:
        """Write a tick in one round trip, all of it or nothing; returns what is left in the inboxes.

        Raises `FenceLost` (also when `commit.after` is not the last id any more), `StoreFull`, and `SessionEnded` for
        a turn of an ended session; without a turn it can be committed to, so that its alerts are closed.
        """
        with metrics.COMMIT_SECONDS.time():
            inbox, results, blocks = await self._run(self._commit, key, commit_arguments(fence, commit))
        return record.decode_waiting(key, inbox, results, blocks)

    async def submit(self, key: SessionKey, command: Command) -> None:
        """Put a command into the session's inbox. Raises `InboxFull`, `UnknownSession`, `SessionEnded`."""
        await self._run(self._submit, key, [place(Part.INBOX), MAX_INBOX, "inbox full", _enveloped(command)])

    async def submit_result(self, key: SessionKey, result: Result) -> None:
        """Put what a worker found out into the session's inbox for results, which is beside the one for commands: a
        client's commands cannot crowd it out, nor it them. A result that waits there already is not put in again.

        Raises `InboxFull` (which is counted; try again after the session's next turn), `UnknownSession`,
        `SessionEnded`.
        """
        try:
            arguments = [place(Part.RESULTS), MAX_RESULTS, "results full", record.encode_numbered(result)]
            await self._run(self._submit, key, arguments)
        except InboxFull:
            metrics.RESULTS_REFUSED.inc()
            raise

    async def write_block(self, key: SessionKey, block: Block) -> bool:
        """Put a block of memory into the session's inbox for them; it enters the state when a chunk begins. Whether it
        was written now: a block of an id that was written before changes nothing, also when its words differ.

        Raises `InboxFull` (try again after the session's next chunk has begun), `UnknownSession`, `SessionEnded`.
        """
        answer = await self._run(self._memory_written, key, [block.id, record.encode_numbered(block), MAX_BLOCKS])
        return bool(answer == b"ok")

    async def archive(self, key: SessionKey) -> Archive:
        """Every summary and exchange that is kept to be recalled, oldest first; empty for a session that is gone."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hgetall(part_key(key, Part.ARCHIVE))
            pipeline.hkeys(part_key(key, Part.KEYFRAMES))
            with unavailable():
                texts, frames = await pipeline.execute()
        return record.decode_archive(key, texts, frames)

    async def key_frames(self, key: SessionKey, frames: Sequence[KeyFrame]) -> dict[str, bytes]:
        """JPEGs of key frames of the archive by uuid; those that have made way are left out."""
        if not frames:
            return {}
        with unavailable():
            found = await self._redis.hmget(part_key(key, Part.KEYFRAMES), [frame_field(frame) for frame in frames])
        return {frame.uuid: jpeg for frame, jpeg in zip(frames, found, strict=True) if jpeg is not None}

    async def commands(self, key: SessionKey) -> tuple[Command, ...]:
        """The commands that no turn has shown yet, oldest first."""
        with unavailable():
            return record.decode_commands(key, await self._redis.lrange(part_key(key, Part.INBOX), 0, -1))

    async def look(self, key: SessionKey) -> Look:
        """What others may have changed, in one round trip. Raises `UnknownSession`."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.mget(part_key(key, Part.SPEC), part_key(key, Part.ENDED))
            pipeline.lrange(part_key(key, Part.INBOX), 0, -1)
            pipeline.lrange(part_key(key, Part.RESULTS), 0, -1)
            pipeline.lrange(part_key(key, Part.WRITTEN), 0, -1)
            with unavailable():
                (spec, ended), inbox, results, blocks = await pipeline.execute()
        if spec is None:
            refuse("unknown", key)
        return record.decode_look(key, spec, ended, inbox, results, blocks)

    async def frames(self, key: SessionKey, uuids: Sequence[str]) -> dict[str, bytes]:
        """JPEGs of the current chunk and of unwritten spans by uuid; those that are not there are left out."""
        if not uuids:
            return {}
        with unavailable():
            found = await self._redis.hmget(part_key(key, Part.FRAMES), list(uuids))
        return {uuid: jpeg for uuid, jpeg in zip(uuids, found, strict=True) if jpeg is not None}

    async def history(self, key: SessionKey) -> SessionState:
        """The state as last committed, to look at. Raises `UnknownSession`."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.exists(part_key(key, Part.SPEC))
            pipeline.mget(*(part_key(key, part) for part in STATE_PARTS))
            pipeline.lrange(part_key(key, Part.TURNS), 0, -1)
            with unavailable():
                known, parts, turns = await pipeline.execute()
        if not known:
            refuse("unknown", key)
        return state_parts.decode_parts(key, parts, turns)

    async def log(self, key: SessionKey, last: int = MAX_LOG) -> tuple[LoggedTurn, ...]:
        """The replies of the last turns, oldest first, over chunk boundaries; at most `MAX_LOG` are kept."""
        with unavailable():
            entries = await self._redis.lrange(part_key(key, Part.LOG), -last, -1)
        return tuple(record.decode(key, entry, LoggedTurn) for entry in entries)

    async def end(self, key: SessionKey, reason: str) -> None:
        """End the session; the first reason stays. It can be read until the retention is over."""
        await self._run(self._end, key, [record.encode(reason), self._retention_ms])
        await self._list(key, self._retention_ms)

    async def erase(self, key: SessionKey, within_s: float) -> None:
        """An ended session is forgotten within so many seconds instead of after the retention, with all that is kept of
        it. One that is open stays. Raises `UnknownSession`."""
        within_ms = round(within_s * 1000)
        left_ms = int(await self._run(self._erase, key, [within_ms]))
        if left_ms >= 0:
            await self._list(key, left_ms)

    async def ended(self, key: SessionKey) -> Ended | None:
        """Why the session ended; None while it is open (or unknown)."""
        with unavailable():
            data = await self._redis.get(part_key(key, Part.ENDED))
        return None if data is None else record.decode(key, data, Ended)

    async def set_status(self, key: SessionKey, role: str, text: str) -> None:
        """Write a role's short view of the session (JSON), for people to read."""
        await self._run(self._set_status, key, [role, text])

    async def status(self, key: SessionKey) -> dict[str, str]:
        """Every role's view of the session."""
        with unavailable():
            found = await self._redis.hgetall(part_key(key, Part.STATUS))
        return {role.decode(): text.decode() for role, text in found.items()}

    async def _stored_spec(self, key: SessionKey) -> bytes:
        with unavailable():
            data: bytes | None = await self._redis.get(part_key(key, Part.SPEC))
        if data is None:
            refuse("unknown", key)
        return data

    async def _list(self, key: SessionKey, forget_in_ms: int | str, *, only_new: bool = False) -> None:
        """Put the session on its tenant's list, and take those off it that are forgotten by now."""
        with unavailable():
            await self._listing(keys=[index_key(key.tenant)], args=[member(key), forget_in_ms, int(only_new)])

    async def _now_ms(self) -> int:
        with unavailable():
            seconds, microseconds = await self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    async def _run(self, script: Any, key: SessionKey, arguments: Sequence[Any]) -> Any:
        """Run a session script; a refusal becomes its error."""
        with unavailable():
            answer = await script(keys=session_keys(key), args=arguments)
        return accepted(answer, key)


def _enveloped(command: Command) -> bytes:
    return record.encode_command(command, uuid4().hex)
