"""Questions over NATS: each is answered by one worker, a bounded number at once, and none that cannot be answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusUnavailable, StoreUnavailable
from vigil.testing.eventually import eventually
from vigil.v1 import memory_pb2 as pb
from vigil_memory.recall.answering import ANSWERING, Recaller, answer_recalls, read

KEY = SessionKey("demo", "s-1")
SUBJECT = subjects.memory_recall(KEY)
WAIT_S = 60.0


class ScriptedRecaller:
    """Answers with the question itself. It fails when asked to, and waits while `gate` is closed."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.running = self.most_running = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def recall(self, request: pb.RecallRequest) -> pb.RecallResponse:
        self.asked.append(request.question)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        if request.question == "fail":
            raise StoreUnavailable("the store is away")
        return pb.RecallResponse(lines=[pb.RecalledLine(text=request.question)])


@asynccontextmanager
async def answering(bus: Bus, *recallers: Recaller) -> AsyncIterator[None]:
    """Workers that answer from these."""
    workers = [asyncio.create_task(answer_recalls(bus, recaller)) for recaller in recallers]
    await eventually(lambda: bus.is_heard(SUBJECT), WAIT_S, "the workers listen")
    yield
    for worker in workers:
        worker.cancel()
    for worker in workers:
        with contextlib.suppress(asyncio.CancelledError):
            await worker


def payload(question: str, session: str = "s-1") -> bytes:
    return pb.RecallRequest(tenant="demo", session=session, question=question).SerializeToString()


async def ask(bus: Bus, question: str) -> str:
    answer = pb.RecallResponse.FromString(await bus.request(SUBJECT, payload(question), WAIT_S))
    return answer.lines[0].text


async def test_a_question_is_answered_by_one_of_several_workers(bus: Bus) -> None:
    first, second = ScriptedRecaller(), ScriptedRecaller()
    async with answering(bus, first, second):
        questions = [f"question {number}" for number in range(20)]
        assert await asyncio.gather(*(ask(bus, question) for question in questions)) == questions
    assert sorted(first.asked + second.asked) == sorted(questions)


async def test_a_question_that_cannot_be_answered_gets_no_answer_and_stops_nothing(bus: Bus) -> None:
    recaller = ScriptedRecaller()
    async with answering(bus, recaller):
        with pytest.raises(BusUnavailable):
            await bus.request(SUBJECT, payload("fail"), 0.2)
        with pytest.raises(BusUnavailable):
            await bus.request(SUBJECT, b"\xff\xff\xff", 0.2)
        assert await ask(bus, "again") == "again"


async def test_only_so_many_questions_are_in_hand_at_once(bus: Bus) -> None:
    recaller = ScriptedRecaller()
    recaller.gate.clear()
    async with answering(bus, recaller):
        asking = [asyncio.create_task(ask(bus, f"question {number}")) for number in range(3 * ANSWERING)]
        await eventually(lambda: recaller.running == ANSWERING, WAIT_S, "as many as may be are in hand")
        recaller.gate.set()
        await asyncio.gather(*asking)
    assert recaller.most_running == ANSWERING


def test_a_message_names_the_session_of_its_subject() -> None:
    assert read(SUBJECT, payload("Where?")).question == "Where?"
    with pytest.raises(InvalidMessage, match="another session"):
        read(SUBJECT, payload("Where?", session="s-2"))
    with pytest.raises(InvalidMessage, match="another subject"):
        read(subjects.command(KEY), payload("Where?"))
    with pytest.raises(InvalidMessage, match="no question"):
        read("nonsense", payload("Where?"))
