"""The memory of a task: recalled over NATS within its time, bounded and plain, and never in the way of the task."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from vigil.contract import subjects
from vigil.core.task import TaskRequest
from vigil.runtime.bus.client import Bus
from vigil.testing.eventually import DEADLINE_S
from vigil.v1 import memory_pb2 as pb
from vigil_brain.memory import RECALLED, memory, question

TASK = TaskRequest(
    "demo", "s-1", "lobby", "s-1-4", "Where are the keys?", time_ms=90_000, opened_at_us=1_795_932_090_000_000
)


@asynccontextmanager
async def memory_service(bus: Bus, answer: Callable[[pb.RecallRequest], bytes | None]) -> AsyncIterator[None]:
    """A memory service whose answers are these; None: it never answers."""

    async def answering() -> None:
        async for message in channel:
            if (data := answer(pb.RecallRequest.FromString(message.payload))) is not None:
                await bus.answer(message, data)

    async with bus.subscribe(subjects.ALL_MEMORY_RECALLS, 8, queue="memory") as channel:
        task = asyncio.create_task(answering())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def response(*texts: str) -> bytes:
    return pb.RecallResponse(lines=[pb.RecalledLine(text=text) for text in texts]).SerializeToString()


async def test_a_task_takes_along_what_is_recalled_for_its_question(bus: Bus) -> None:
    asked: list[pb.RecallRequest] = []

    def answer(request: pb.RecallRequest) -> bytes:
        asked.append(request)
        return response("At 40 seconds someone put the keys on the table.")

    async with memory_service(bus, answer):
        assert await memory(bus, TASK, DEADLINE_S) == f"{RECALLED}\nAt 40 seconds someone put the keys on the table."
    assert [(request.question, request.time_ms, request.origin_us) for request in asked] == [
        ("Where are the keys?", 90_000, 1_795_932_000_000_000)
    ]


async def test_without_a_memory_service_the_task_goes_at_once_with_what_the_prompt_held(bus: Bus) -> None:
    task = TaskRequest("demo", "s-1", "lobby", "s-1-4", "Where?", time_ms=90_000, memory="At 3 seconds a car stopped.")
    assert await memory(bus, task, DEADLINE_S) == "At 3 seconds a car stopped."


async def test_a_memory_service_that_is_silent_or_writes_nonsense_costs_no_task(bus: Bus) -> None:
    async with memory_service(bus, lambda _request: None):
        assert await memory(bus, TASK) == ""
    async with memory_service(bus, lambda _request: b"\xff\xff"):
        assert await memory(bus, TASK, DEADLINE_S) == ""


async def test_what_the_prompt_held_already_is_not_told_twice(bus: Bus) -> None:
    line = "At 40 seconds someone put the keys on the table."
    task = TaskRequest("demo", "s-1", "lobby", "s-1-4", "Where?", time_ms=90_000, memory=f"Memory. {line}")
    async with memory_service(bus, lambda _request: response(line)):
        assert await memory(bus, task, DEADLINE_S) == f"Memory. {line}"


def test_a_task_before_the_first_turn_has_nothing_to_remember() -> None:
    assert question(TaskRequest("demo", "s-1", "lobby", "s-1-0", "Where?")) is None
