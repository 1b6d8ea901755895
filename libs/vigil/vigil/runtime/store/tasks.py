"""The work on delegated questions, in Redis beside the session that asked: each task is done once.

A worker *takes* a task with a lease and gets a fence. `finish` checks the fence, writes how the task ended and gives
the result to the session, in one Lua script: of two workers that both worked on a task, one finishes it. Records end
with their session.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from redis.asyncio import Redis

from vigil.contract.delegation import decode_task, encode_task
from vigil.contract.errors import InvalidMessage
from vigil.core.ids import SessionKey
from vigil.core.task import Artefact, TaskRecord, TaskRequest, TaskState
from vigil.core.turn import Result
from vigil.runtime.errors import InboxFull, StoreCorrupt
from vigil.runtime.store import metrics, record, redis_client
from vigil.runtime.store.bounds import MAX_RESULTS, MAX_TASK_RECORDS
from vigil.runtime.store.keys import Part, part_key, session_keys, task_key
from vigil.runtime.store.redis_client import unavailable
from vigil.runtime.store.refusals import accepted, refuse

_PACKAGE = "vigil.runtime.store"
OVER = "the session has ended: its answer was not given"
WITHDRAWN = "nobody waits for the answer any more: the question was withdrawn, or its time was up"


class Finished(StrEnum):
    """What came of finishing a task."""

    GIVEN = "given"  # the task ended as asked, and the session has the result
    OVER = "over"  # the session has ended: the task is cancelled
    WITHDRAWN = "withdrawn"  # the session waits for it no more (reset, deadline): the task is cancelled
    DONE = "done"  # it had ended before: nothing was changed
    OVERTAKEN = "overtaken"  # another worker has it: nothing was changed
    UNKNOWN = "unknown"  # there is no such task, or no longer


@dataclass(frozen=True, slots=True)
class Ending:
    """How a task ends. `result` is what the session is given; None: nothing."""

    state: TaskState
    digest: str = ""
    error: str = ""
    artefacts: tuple[Artefact, ...] = ()
    result: Result | None = None


class TaskStore:
    """Tasks in Redis. Every method raises `StoreUnavailable` when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes
        self._queue, self._take, self._renew, self._finish = (
            redis_client.script(redis, _PACKAGE, "session", "task", f"task_{name}")
            for name in ("queue", "take", "renew", "finish")
        )

    async def queued(self, request: TaskRequest) -> TaskState:
        """The task came to a worker. Returns how far it is: it may have come before. Of more than `MAX_TASK_RECORDS`
        the oldest record goes. Raises `UnknownSession`, `SessionEnded`."""
        arguments = [request.task, encode_task(request), MAX_TASK_RECORDS]
        answer = accepted(await self._run(self._queue, request.key, request.task, arguments), request.key)
        return TaskState(answer.decode())

    async def take(self, key: SessionKey, task: str, worker: str, lease_s: float, brain: str = "") -> int | None:
        """Hold the task for `lease_s`; returns the fence to work under, 0 while another worker holds it, None when
        there is nothing to do: it has ended, or was never queued."""
        fence = int(await self._run(self._take, key, task, [worker, _ms(lease_s), brain]))
        return fence if fence >= 0 else None

    async def renew(
        self, key: SessionKey, task: str, fence: int, lease_s: float, state: TaskState | None = None, progress: str = ""
    ) -> bool:
        """Hold the task for another lease, and say how far it is; a `lease_s` of 0 lets it go. False when there is no
        more to do: it was cancelled, another worker took it, or its session waits for it no more."""
        return bool(await self._run(self._renew, key, task, [task, fence, _ms(lease_s), state or "", progress]))

    async def finish(self, key: SessionKey, task: str, fence: int | None, ending: Ending) -> Finished:
        """End the task under this fence, or whoever holds it (None), and give the session the result; both or neither.

        Raises `InboxFull`, which changes nothing: try again after the session's next turn.
        """
        arguments = [
            task,
            "" if fence is None else fence,
            ending.state,
            ending.digest,
            ending.error,
            record.encode(ending.artefacts),
            MAX_RESULTS,
            b"" if ending.result is None else record.encode_numbered(ending.result),
            OVER,
            WITHDRAWN,
        ]
        answer = await self._run(self._finish, key, task, arguments)
        if answer == b"results full":
            metrics.RESULTS_REFUSED.inc()
            refuse("results full", key)
        return Finished(answer.decode())

    async def cancel(self, key: SessionKey, task: str, reason: str) -> bool:
        """End the task as cancelled, whoever works on it, and tell the session why there is no answer. False when it
        had ended before, or there is no such task."""
        words = Result(task, reason, is_ok=False)
        try:
            finished = await self.finish(key, task, None, Ending(TaskState.CANCELLED, error=reason, result=words))
        except InboxFull:  # the session's next turns have enough to tell: it learns at the deadline
            finished = await self.finish(key, task, None, Ending(TaskState.CANCELLED, error=reason))
        return finished in (Finished.GIVEN, Finished.OVER, Finished.WITHDRAWN)

    async def get(self, key: SessionKey, task: str) -> TaskRecord | None:
        """The record of a task; None when there is none, or no longer."""
        with unavailable():
            found = await self._redis.hgetall(task_key(key, task))
        return _record(key, found) if found else None

    async def list(self, key: SessionKey) -> tuple[TaskRecord, ...]:
        """The records of a session's tasks, newest first."""
        with unavailable():
            ids = await self._redis.zrangebyscore(part_key(key, Part.DELEGATED), "-inf", "inf")
            async with self._redis.pipeline(transaction=False) as pipeline:
                for task in reversed(ids):
                    pipeline.hgetall(task_key(key, task.decode()))
                records = await pipeline.execute()
        return tuple(_record(key, found) for found in records if found)

    async def _run(self, script: Any, key: SessionKey, task: str, arguments: Sequence[Any]) -> Any:
        with unavailable():
            return await script(keys=[*session_keys(key), task_key(key, task)], args=arguments)


def _ms(seconds: float) -> int:
    return round(seconds * 1_000)


def _record(key: SessionKey, found: Mapping[bytes, bytes]) -> TaskRecord:
    text = {name.decode(): value.decode() for name, value in found.items() if name != b"request"}
    try:
        request = decode_task(found[b"request"])
    except (KeyError, InvalidMessage) as error:
        raise StoreCorrupt(key, f"a task of session {key} cannot be read: {error}") from error
    return TaskRecord(
        request=request,
        state=TaskState(text["state"]),
        brain=text.get("brain", ""),
        worker=text.get("worker", ""),
        fence=int(text.get("fence", "0")),
        digest=text.get("digest", ""),
        error=text.get("error", ""),
        progress=text.get("progress", ""),
        artefacts=record.decode(key, found.get(b"artefacts", b"[]"), tuple[Artefact, ...]),
        queued_ms=int(text.get("queued_ms", "-1")),
        started_ms=int(text.get("started_ms", "-1")),
        ended_ms=int(text.get("ended_ms", "-1")),
    )
