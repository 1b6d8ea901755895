"""Asking the memory service over a real NATS: an answer, or in what way there was none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from vigil.contract import subjects
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.recall import RecallFailed, recall
from vigil.v1 import memory_pb2 as pb

QUESTION = pb.RecallRequest(tenant="demo", session="s-1", question="Where are the keys?")
ANSWER = pb.RecallResponse(lines=[pb.RecalledLine(text="At 40 seconds someone put the keys on the table.")])


@asynccontextmanager
async def memory_service(bus: Bus, answer: bytes | None) -> AsyncIterator[None]:
    """A memory service with one answer; None: it never answers."""

    async def answering() -> None:
        async for message in channel:
            if answer is not None:
                await bus.answer(message, answer)

    async with bus.subscribe(subjects.ALL_MEMORY_RECALLS, 8, queue="memory") as channel, asyncio.TaskGroup() as group:
        task = group.create_task(answering())
        yield
        task.cancel()


async def test_the_answer_is_that_of_a_memory_worker(bus: Bus) -> None:
    async with memory_service(bus, ANSWER.SerializeToString()):
        assert await recall(bus, QUESTION, 60.0) == ANSWER


async def test_without_a_memory_service_that_is_known_at_once(bus: Bus) -> None:
    with pytest.raises(RecallFailed, match="no memory service listens") as raised:
        await recall(bus, QUESTION, 60.0)
    assert raised.value.outcome == "absent"


@pytest.mark.parametrize(("answer", "deadline_s", "outcome"), [(None, 0.05, "late"), (b"\xff\xff", 60.0, "unreadable")])
async def test_what_cannot_be_had_is_named(bus: Bus, answer: bytes | None, deadline_s: float, outcome: str) -> None:
    async with memory_service(bus, answer):
        with pytest.raises(RecallFailed) as raised:
            await recall(bus, QUESTION, deadline_s)
    assert raised.value.outcome == outcome
