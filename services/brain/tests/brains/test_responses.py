"""The kind `responses`: a response in the background, asked for until it is done, cancelled where it runs."""

import asyncio

import pytest

from vigil.testing.eventually import eventually
from vigil.testing.scripted_brain import Behaviour, ScriptedBrain
from vigil_brain.brains.kinds import open_brain
from vigil_brain.brains.port import BrainError, BrainTask
from vigil_brain.brains.remote_id import remote_id
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.testing.told import RecordedTold


def spec(server: ScriptedBrain, timeout_s: float = 30.0) -> BrainSpec:
    return BrainSpec("test", "responses", {"url": server.url, "model": "scripted"}, timeout_s=timeout_s)


async def test_it_waits_for_the_response(server: ScriptedBrain, task: BrainTask, told: RecordedTold) -> None:
    server.answers = lambda body: "It is 408."
    async with open_brain(spec(server)) as brain:
        answer = await brain.solve(task, told)
    assert answer.text == "It is 408."
    assert told.said == ["is queued", "is working"]
    sent = server.seen[0]
    assert (sent["background"], sent["store"]) == (True, True)
    assert [part["type"] for part in sent["input"][0]["content"]][-1] == "input_image"


async def test_cancelling_cancels_the_response_where_it_runs(
    server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    server.behaviour = Behaviour.HANG  # stays queued
    async with open_brain(spec(server)) as brain:
        work = asyncio.create_task(brain.solve(task, told))
        await eventually(lambda: told.said, what="the response is created")
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    assert [response["status"] for response in server.responses.values()] == ["cancelled"]


async def test_a_response_that_takes_too_long_is_cancelled_as_well(
    server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    server.behaviour = Behaviour.HANG
    async with open_brain(spec(server, timeout_s=0.3)) as brain:
        with pytest.raises(BrainError, match="did not answer within"):
            await brain.solve(task, told)
    assert [response["status"] for response in server.responses.values()] == ["cancelled"]


@pytest.mark.parametrize(("status", "is_transient"), [("failed", True), ("cancelled", False)])
async def test_a_response_that_failed_says_why(
    server: ScriptedBrain, task: BrainTask, told: RecordedTold, status: str, is_transient: bool
) -> None:
    server.behaviour = Behaviour.HANG
    error = {"code": "server_error", "message": "out of luck"} if is_transient else None
    async with open_brain(spec(server)) as brain:
        work = asyncio.create_task(brain.solve(task, told))
        await eventually(lambda: server.responses)
        server.responses["resp_1"].update(status=status, error=error)
        with pytest.raises(BrainError, match=f"response is {status}") as caught:
            await work
    assert caught.value.is_transient is is_transient


async def test_a_few_polls_may_fail(server: ScriptedBrain, task: BrainTask, told: RecordedTold) -> None:
    server.answers = lambda body: "It is 408."
    server.behaviour = Behaviour.HANG
    async with open_brain(spec(server)) as brain:
        work = asyncio.create_task(brain.solve(task, told))
        await eventually(lambda: server.responses)
        server.behaviour = Behaviour.ERROR
        await eventually(lambda: server.failed_polls >= 2)
        server.behaviour = Behaviour.ANSWER
        assert (await work).text == "It is 408."


@pytest.mark.parametrize("name", ["", "../files", "a/b", "a b", None, "x" * 300, "a..b"])
def test_an_id_that_leads_elsewhere_is_refused(name: object) -> None:
    with pytest.raises(BrainError, match="no id"):
        remote_id(name)
