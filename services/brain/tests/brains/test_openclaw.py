"""The kind `openclaw` against a stand-in that speaks its two doors."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from vigil_brain.brains.kinds import open_brain
from vigil_brain.brains.port import BrainError, BrainTask
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.testing.told import RecordedTold

ANSWER = [
    {"type": "response.created"},
    {"type": "response.output_text.delta", "delta": "It is "},
    {"type": "response.output_text.delta", "delta": "408."},
    {"type": "response.completed"},
]


class StandIn:
    """Plays `events` as the answer, and takes hooks."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = ANSWER
        self.asked: list[dict[str, Any]] = []
        self.hooks: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in self.events:
            await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        return response

    async def hook(self, request: web.Request) -> web.Response:
        self.hooks.append((request.headers["Idempotency-Key"], await request.json()))
        return web.json_response({"ok": True, "runId": "run-7"})


@pytest.fixture
async def gateway() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    app = web.Application()
    app.add_routes([web.post("/v1/responses", stand_in.respond), web.post("/hooks/agent", stand_in.hook)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stand_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield stand_in
    await runner.cleanup()


def spec(gateway: StandIn, **settings: object) -> BrainSpec:
    return BrainSpec("claw", "openclaw", {"url": gateway.url, **settings}, key="k", timeout_s=30.0)


async def test_no_run_begins_without_an_approval(gateway: StandIn, task: BrainTask) -> None:
    told = RecordedTold(grants=False)
    async with open_brain(spec(gateway)) as brain:
        with pytest.raises(BrainError, match="no operator allowed"):
            await brain.solve(task, told)
    assert [action.tool for action in told.asked] == ["openclaw_run"]
    assert gateway.asked == []


async def test_it_answers_once_an_operator_agreed(gateway: StandIn, task: BrainTask) -> None:
    async with open_brain(spec(gateway)) as brain:
        assert (await brain.solve(task, RecordedTold(grants=True))).text == "It is 408."
    assert gateway.asked[0]["input"].startswith("What is 12 times 34?")


async def test_one_that_is_confined_needs_no_approval(gateway: StandIn, task: BrainTask, told: RecordedTold) -> None:
    async with open_brain(spec(gateway, is_confined=True)) as brain:
        await brain.solve(task, told)
    assert told.asked == []


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (ANSWER[:2], "broke off"),
        ([{"type": "response.failed", "response": {"error": {"message": "no model"}}}], r"turn failed \(no model\)"),
        ([{"type": "response.completed"}], "answered nothing"),
    ],
)
async def test_what_goes_wrong_is_told(
    gateway: StandIn, task: BrainTask, told: RecordedTold, events: list[dict[str, Any]], reason: str
) -> None:
    gateway.events = events
    async with open_brain(spec(gateway, is_confined=True)) as brain:
        with pytest.raises(BrainError, match=reason):
            await brain.solve(task, told)


async def test_a_hook_takes_the_task_once(gateway: StandIn, task: BrainTask) -> None:
    async with open_brain(spec(gateway, api="hook", agent="ops")) as brain:
        answer = await brain.solve(task, RecordedTold(grants=True))
    assert answer.text == "OpenClaw has taken the task (run run-7)."
    key, body = gateway.hooks[0]
    assert key == "vigil-s1-7"
    assert (body["agentId"], body["deliver"]) == ("ops", False)
