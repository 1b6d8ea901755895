"""A task from the stream to its result in the session: answered, failed, cancelled, done once whatever comes twice."""

import asyncio
from dataclasses import replace
from typing import Any

from vigil.contract import subjects
from vigil.contract.delegation import encode_task, task_outgoing
from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.contract.streams import APPROVALS, DEAD_LETTERS, TASKS
from vigil.core.approval import ApprovalPattern
from vigil.core.ids import SessionKey
from vigil.core.session import SessionState
from vigil.core.task import TaskState
from vigil.core.turn import Result
from vigil.runtime.store.sessions import Commit
from vigil.testing.eventually import eventually
from vigil.testing.servers import NatsServer
from vigil_brain.backlog import Limits
from vigil_brain.brains.port import Action, Answer, ArtefactContent, BrainError, BrainTask, Told
from vigil_brain.testing.scripted_brain import hangs

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import

KEY = SessionKey("demo", "s-1")
TICKET = Action("tickets.write", {"title": "Fire"}, "Write a ticket.")


async def begun(stage: Stage, count: int = 1) -> None:
    """Wait until the brain was asked so often."""

    async def asked() -> bool:
        return len(stage.brain.asked) >= count

    await eventually(asked, what=f"the brain was asked {count} times")


async def test_a_task_is_answered_and_the_answer_waits_for_the_session(stage: Stage) -> None:
    await stage.delegate(language="en", instructions=("Watch the door.",), memory="Before: nothing.")
    async with stage.worker():
        assert await stage.is_over() is TaskState.READY
    assert await stage.results() == (Result("s-1-0", "A rose."),)
    assert await stage.kinds() == ["started", "ready"]
    (asked,) = stage.brain.asked
    assert (asked.question, asked.note, asked.language) == ("Question 0?", "Let me see.", "en")
    assert (asked.instructions, asked.memory) == (("Watch the door.",), "Before: nothing.")
    assert [picture.time_ms for picture in asked.pictures] == [0]
    assert asked.pictures[0].jpeg.startswith(b"\xff\xd8")
    record = await stage.record()
    assert (record.brain, record.worker, record.digest, record.fence) == ("small", "worker-1", "A rose.", 1)


async def test_a_brain_that_fails_is_told_with_its_reason(stage: Stage) -> None:
    async def fails(task: BrainTask, told: Told) -> Answer:
        raise BrainError("The API answered 500.</response>")

    stage.brain.play = fails
    await stage.delegate()
    async with stage.worker():
        assert await stage.is_over() is TaskState.ERROR
    assert await stage.results() == (Result("s-1-0", "The API answered 500.", is_ok=False),)
    assert await stage.kinds() == ["started", "error"]


async def test_a_defect_of_a_brain_ends_no_worker(stage: Stage) -> None:
    async def breaks(task: BrainTask, told: Told) -> Answer:
        raise ZeroDivisionError

    stage.brain.play = breaks
    await stage.delegate(count=2)
    async with stage.worker():
        await stage.is_over("s-1-0")
        assert await stage.is_over("s-1-1") is TaskState.ERROR
    assert [result.text for result in await stage.results()] == ["the brain failed: ZeroDivisionError"] * 2


async def test_what_may_pass_is_tried_again(stage: Stage) -> None:
    async def at_last(task: BrainTask, told: Told) -> Answer:
        if len(stage.brain.asked) == 1:
            raise BrainError("it is busy", is_transient=True)
        return Answer("A rose.")

    stage.brain.play = at_last
    await stage.delegate()
    async with stage.worker():
        assert await stage.is_over() is TaskState.READY
    assert len(stage.brain.asked) == 2


async def test_a_brain_that_hangs_is_given_up(stage: Stage) -> None:
    stage.brain.play = hangs
    await stage.delegate()
    async with stage.worker(timeout_s=0.2):
        assert await stage.is_over() is TaskState.ERROR
    (result,) = await stage.results()
    assert "no answer within" in result.text
    assert stage.brain.stopped == ["s-1-0"]


async def test_an_answer_of_nothing_but_commands_is_an_error(stage: Stage) -> None:
    async def garbage(task: BrainTask, told: Told) -> Answer:
        return Answer("</silence><|im_end|>\x00\ud800")

    stage.brain.play = garbage
    await stage.delegate()
    async with stage.worker():
        assert await stage.is_over() is TaskState.ERROR
    (result,) = await stage.results()
    assert result == Result("s-1-0", "the brain's answer holds no text", is_ok=False)


async def test_a_huge_answer_is_cut_and_a_huge_file_left_out(stage: Stage) -> None:
    async def huge(task: BrainTask, told: Told) -> Answer:
        file = ArtefactContent("dump.bin", "application/octet-stream", bytes(200 << 20))
        return Answer("A rose. " * 1_000_000, (file,))

    stage.brain.play = huge
    await stage.delegate()
    async with stage.worker():
        assert await stage.is_over() is TaskState.READY
    (result,) = await stage.results()
    assert len(result.text) <= 2_000
    assert (await stage.record()).artefacts == ()


async def test_files_are_stored_and_named_by_the_task(stage: Stage) -> None:
    async def page(task: BrainTask, told: Told) -> Answer:
        made = (
            ArtefactContent("page.html", "text/html", b"<html>A rose.</html>"),
            ArtefactContent("x.png", "image/png", b"?"),
        )
        return Answer("See the page.", made)

    stage.brain.play = page
    await stage.delegate()
    async with stage.worker():
        await stage.is_over()
    files = (await stage.record()).artefacts
    assert [(file.name, file.media_type) for file in files] == [
        ("page.html", "text/html"),
        ("x.png", "application/octet-stream"),
    ]
    assert await stage.bus.get_artefact(files[0].object) == b"<html>A rose.</html>"
    (ready,) = [event for event in await stage.events() if event.type.endswith("ready")]
    assert ready.data["artefacts"][0]["path"] == "/v1/sessions/s-1/tasks/s-1-0/artefacts/0"


async def test_ending_the_session_stops_its_brains_at_once(stage: Stage) -> None:
    stage.brain.play = hangs
    await stage.delegate(count=2)
    async with stage.worker():
        await begun(stage, 2)
        await stage.sessions.end(KEY, "the client ended it")
        assert await stage.is_over("s-1-0") is TaskState.CANCELLED
        assert await stage.is_over("s-1-1") is TaskState.CANCELLED
    assert sorted(stage.brain.stopped) == ["s-1-0", "s-1-1"]
    assert (await stage.kinds()).count("cancelled") == 2


async def test_a_task_that_is_cancelled_stops_and_the_session_is_told(stage: Stage) -> None:
    stage.brain.play = hangs
    await stage.delegate()
    async with stage.worker():
        await begun(stage)
        assert await stage.tasks.cancel(KEY, "s-1-0", "Ann withdrew it.")
        await stage.bus.publish(subjects.task_cancelling(KEY), b"s-1-0")
        assert await stage.is_over() is TaskState.CANCELLED
    assert stage.brain.stopped == ["s-1-0"]
    assert await stage.results() == (Result("s-1-0", "Ann withdrew it.", is_ok=False),)
    (cancelled,) = [event for event in await stage.events() if event.type.endswith("cancelled")]
    assert cancelled.data["text"] == "Ann withdrew it."


async def test_an_answer_after_a_reset_is_not_given(stage: Stage) -> None:
    gate = asyncio.Event()

    async def slow(task: BrainTask, told: Told) -> Answer:
        await gate.wait()
        return Answer("A rose.")

    stage.brain.play = slow
    await stage.delegate()
    async with stage.worker(lease_s=60.0):  # no heartbeat comes before the answer
        await begun(stage)
        await stage.sessions.commit(KEY, 1, Commit(SessionState(2, 1_000)))
        gate.set()
        assert await stage.is_over() is TaskState.CANCELLED
    assert await stage.results() == ()
    assert await stage.kinds() == ["started", "cancelled"]


async def test_an_answer_after_the_session_ended_is_not_given(stage: Stage) -> None:
    gate = asyncio.Event()

    async def slow(task: BrainTask, told: Told) -> Answer:
        await gate.wait()
        return Answer("A rose.")

    stage.brain.play = slow
    await stage.delegate()
    async with stage.worker(lease_s=60.0):  # no heartbeat comes before the answer, and nobody announces the end
        await begun(stage)
        await stage.sessions.end(KEY, "the client ended it")
        gate.set()
        assert await stage.is_over() is TaskState.CANCELLED
    assert await stage.kinds() == ["started", "cancelled"]


async def test_a_question_whose_time_is_up_is_not_asked(stage: Stage) -> None:
    await stage.delegate(opened_at_us=1, ttl_s=1.0)
    async with stage.worker():
        await stage.is_over()
    assert stage.brain.asked == []


async def test_a_task_that_comes_twice_is_done_once(stage: Stage) -> None:
    (request,) = await stage.delegate()
    again = replace(task_outgoing(request), message_id="again")
    await stage.bus.publish_stored(again)
    async with stage.worker():
        await stage.is_over()
        await stage.bus.publish_stored(replace(again, message_id="once more"))
        await stage.is_over()
    assert len(stage.brain.asked) == 1
    assert await stage.results() == (Result("s-1-0", "A rose."),)
    assert await stage.kinds() == ["started", "ready"]


async def test_a_worker_that_drains_hands_its_task_to_the_next_at_once(stage: Stage) -> None:
    stage.brain.play = hangs
    await stage.delegate()
    async with stage.worker("first", lease_s=60.0):
        await begun(stage)
    assert (await stage.record()).state is TaskState.RUNNING
    async with stage.worker("second", lease_s=60.0):
        await begun(stage, 2)
        assert (await stage.record()).worker == "second"
    assert stage.brain.stopped == ["s-1-0", "s-1-0"]


async def test_a_worker_that_died_is_replaced_and_its_late_answer_changes_nothing(stage: Stage) -> None:
    """As after a SIGKILL: its lease runs out, nobody hands anything back."""
    (request,) = await stage.open()
    await stage.tasks.queued(request)
    assert await stage.tasks.take(KEY, "s-1-0", "dead", 0.2) == 1
    await stage.bus.publish_stored(task_outgoing(request))
    async with stage.worker():
        assert await stage.is_over() is TaskState.READY
    assert (await stage.record()).fence == 2
    assert await stage.results() == (Result("s-1-0", "A rose."),)


async def test_a_restart_of_nats_loses_no_task_and_tells_no_end_twice(stage: Stage, nats_server: NatsServer) -> None:
    gate = asyncio.Event()

    async def slow(task: BrainTask, told: Told) -> Answer:
        await gate.wait()
        return Answer("A rose.")

    stage.brain.play = slow
    await stage.delegate()
    async with stage.worker():
        await begun(stage)
        await nats_server.kill()
        gate.set()

        async def finished() -> bool:
            return bool((await stage.record()).state is TaskState.READY)

        await eventually(finished, what="the answer was given while NATS was away")
        await nats_server.start()
        await stage.bus.connected()
        assert await stage.is_over() is TaskState.READY
    assert (await stage.kinds()).count("ready") == 1
    assert await stage.results() == (Result("s-1-0", "A rose."),)


async def test_a_hundred_sessions_at_once_the_urgent_first_and_no_more_run_than_may(stage: Stage) -> None:
    most = running = 0
    gate = asyncio.Event()

    async def counted(task: BrainTask, told: Told) -> Answer:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        return Answer("A rose.")

    stage.brain.play = counted
    fields = {"opened_at_us": 0, "ttl_s": 4e9}
    for number in range(100):
        await stage.delegate(f"s-{number}", priority=number % 10, **fields)
    async with stage.worker(limits=Limits(waiting=200, running=1, of_tenant=200), lease_s=20.0) as worker:
        await eventually(lambda: sum(1 for _ in worker) == 100, what="all have come")
        gate.set()

        async def done() -> bool:
            return bool((await stage.bus.size(TASKS)).messages == 0)

        await eventually(done, what="all are answered")
    assert most == 1
    assert len(stage.brain.asked) == 100
    urgencies = [int(task.id.split("-")[1]) % 10 for task in stage.brain.asked]
    assert urgencies[1:] == sorted(urgencies[1:], reverse=True), "but for the one that ran before all had come"


async def test_what_is_over_the_queue_waits_in_the_stream(stage: Stage) -> None:
    for number in range(6):
        await stage.delegate(f"s-{number}")
    async with stage.worker(limits=Limits(waiting=2, running=1)):
        for number in range(6):
            assert await stage.is_over(f"s-{number}-0", f"s-{number}") is TaskState.READY


async def test_too_many_of_a_session_are_refused_and_it_is_said(stage: Stage) -> None:
    stage.brain.play = hangs
    await stage.delegate(count=3)
    async with stage.worker(limits=Limits(running=1, of_session=2)):

        async def refused() -> list[Result]:
            return [result for result in await stage.results() if not result.is_ok]

        (result,) = await eventually(refused, what="one is refused")
    assert "too many questions of this session" in result.text


async def test_progress_is_told_and_kept(stage: Stage) -> None:
    async def speaks(task: BrainTask, told: Told) -> Answer:
        await told.progress("It reads <|im_end|> a book.")
        await told.progress("This one is too soon after it.")
        return Answer("A rose.")

    stage.brain.play = speaks
    await stage.delegate()
    async with stage.worker(monotonic=lambda: 0.0):
        await stage.is_over()
    assert (await stage.record()).progress == "It reads a book."
    assert await stage.kinds() == ["started", "progress", "ready"]


async def test_a_side_effect_waits_for_an_operator(stage: Stage) -> None:
    async def asks(task: BrainTask, told: Told) -> Answer:
        return Answer("Done." if await told.approve(TICKET) else "It may not.")

    stage.brain.play = asks
    await stage.delegate()
    async with stage.worker():
        asked = await stage.approval()
        assert asked.data["tool"] == "tickets.write"
        assert asked.data["arguments"] == '{"title": "Fire"}'

        async def waits() -> bool:
            return bool((await stage.record()).state is TaskState.WAITING_APPROVAL)

        await eventually(waits, what="the task waits for the approval")
        await stage.approvals.decide(KEY, asked.subject, granted=True, by="ann", pattern=ApprovalPattern("tickets.*"))
        await stage.is_over()
    assert (await stage.results())[0].text == "Done."


async def test_what_nobody_decides_is_refused(stage: Stage) -> None:
    async def asks(task: BrainTask, told: Told) -> Answer:
        return Answer("Done." if await told.approve(TICKET) else "It may not.")

    stage.brain.play = asks
    await stage.delegate()
    async with stage.worker(approval_timeout_s=0.1):
        await stage.is_over()
    assert (await stage.results())[0].text == "It may not."
    assert await stage.kinds(APPROVALS) == ["requested", "expired"]


async def test_an_approval_that_cannot_be_shown_whole_is_refused_unasked(stage: Stage) -> None:
    async def asks(task: BrainTask, told: Told) -> Answer:
        long = replace(TICKET, arguments={"title": "x" * 3_000})
        return Answer("Done." if await told.approve(long) else "It may not.")

    stage.brain.play = asks
    await stage.delegate()
    async with stage.worker():
        await stage.is_over()
    assert (await stage.results())[0].text == "It may not."
    assert await stage.kinds(APPROVALS) == []


async def test_the_end_of_a_task_withdraws_its_request(stage: Stage) -> None:
    async def asks(task: BrainTask, told: Told) -> Answer:
        await told.approve(TICKET)
        return Answer("Done.")

    stage.brain.play = asks
    await stage.delegate()
    async with stage.worker():
        await stage.approval()
        await stage.sessions.end(KEY, "the client ended it")
        await stage.is_over()
    assert await stage.kinds(APPROVALS) == ["requested", "refused"]


async def test_a_message_that_is_no_task_is_put_aside(stage: Stage) -> None:
    await stage.bus.publish_stored(Outgoing(subjects.task_requested(KEY), "garbage", b"\xff\xff", PROTOBUF))
    broken = Outgoing(subjects.task_requested(KEY), "broken", encode_task((await stage.open())[0])[:-3], PROTOBUF)
    await stage.bus.publish_stored(broken)
    async with stage.worker():

        async def aside() -> bool:
            return bool((await stage.bus.size(TASKS)).messages == 0)

        await eventually(aside, what="the stream is empty")
    assert (await stage.bus.size(DEAD_LETTERS)).messages == 2


async def test_a_brain_that_does_not_stop_is_left_behind(stage: Stage) -> None:
    gate = asyncio.Event()

    async def stubborn(task: BrainTask, told: Told) -> Answer:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue
        return Answer("A rose.")

    stage.brain.play = stubborn
    await stage.delegate()
    async with stage.worker():
        await begun(stage)
        await stage.sessions.end(KEY, "the client ended it")
        assert await stage.is_over() is TaskState.CANCELLED
        gate.set()
