"""The kind `hermes` against a stand-in that speaks its API.

Hermes Agent itself was run by hand: see docs/brain-kinds.md.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from vigil.testing.eventually import eventually
from vigil_brain.brains.kinds import open_brain
from vigil_brain.brains.port import BrainError, BrainTask
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.testing.told import RecordedTold


class StandIn:
    """Runs are played from `events`; `end` is the state that the run has when it is asked for."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.end: dict[str, Any] = {"status": "running"}
        self.started: list[dict[str, Any]] = []
        self.approvals: list[dict[str, Any]] = []
        self.stopped = 0
        self.hangs = False
        self.url = ""

    async def start(self, request: web.Request) -> web.Response:
        self.started.append(await request.json())
        return web.json_response({"run_id": "run_1", "status": "started"}, status=202)

    async def follow(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in self.events:
            await response.write(b": keepalive\n\ndata: " + json.dumps(event).encode() + b"\n\n")
        if self.hangs:
            await asyncio.Event().wait()
        return response

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response({"run_id": "run_1", **self.end})

    async def approve(self, request: web.Request) -> web.Response:
        self.approvals.append(await request.json())
        return web.json_response({"ok": True})

    async def stop(self, request: web.Request) -> web.Response:
        self.stopped += 1
        return web.json_response({"status": "stopping"})


@pytest.fixture
async def hermes() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    app = web.Application()
    app.add_routes(
        [
            web.post("/v1/runs", stand_in.start),
            web.get("/v1/runs/run_1", stand_in.state),
            web.get("/v1/runs/run_1/events", stand_in.follow),
            web.post("/v1/runs/run_1/approval", stand_in.approve),
            web.post("/v1/runs/run_1/stop", stand_in.stop),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stand_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield stand_in
    await runner.cleanup()


def spec(hermes: StandIn) -> BrainSpec:
    return BrainSpec("agent", "hermes", {"url": hermes.url}, key="k", timeout_s=30.0)


async def test_it_follows_the_run(hermes: StandIn, task: BrainTask, told: RecordedTold) -> None:
    hermes.events = [
        {"event": "tool.started", "tool": "web_search"},
        {"event": "message.delta", "delta": "It is "},
        {"event": "message.delta", "delta": "408."},
        {"event": "run.completed", "output": "It is 408."},
    ]
    async with open_brain(spec(hermes)) as brain:
        assert (await brain.solve(task, told)).text == "It is 408."
    assert told.said == ["uses web_search"]
    assert hermes.started[0]["input"].startswith("What is 12 times 34?")
    assert hermes.stopped == 0


@pytest.mark.parametrize(("is_granted", "choice"), [(True, "once"), (False, "deny")])
async def test_an_operator_decides_what_the_agent_may_do(
    hermes: StandIn, task: BrainTask, is_granted: bool, choice: str
) -> None:
    told = RecordedTold(grants=is_granted)
    hermes.events = [
        {"event": "approval.request", "command": "rm -r /srv", "description": "deletes a folder"},
        {"event": "run.completed", "output": "Done."},
    ]
    async with open_brain(spec(hermes)) as brain:
        await brain.solve(task, told)
    assert [(action.tool, action.arguments["command"], action.summary) for action in told.asked] == [
        ("hermes_terminal", "rm -r /srv", "deletes a folder: rm -r /srv")
    ]
    assert hermes.approvals == [{"choice": choice}]


async def test_lost_events_are_made_up_by_asking(hermes: StandIn, task: BrainTask, told: RecordedTold) -> None:
    hermes.events = [{"event": "message.delta", "delta": "It"}]
    hermes.end = {"status": "completed", "output": "It is 408."}
    async with open_brain(spec(hermes)) as brain:
        assert (await brain.solve(task, told)).text == "It is 408."


async def test_a_failed_run_says_why(hermes: StandIn, task: BrainTask, told: RecordedTold) -> None:
    hermes.events = [{"event": "run.failed", "error": "no credits"}]
    async with open_brain(spec(hermes)) as brain:
        with pytest.raises(BrainError, match=r"run is failed \(no credits\)"):
            await brain.solve(task, told)


async def test_cancelling_stops_the_run(hermes: StandIn, task: BrainTask, told: RecordedTold) -> None:
    hermes.events, hermes.hangs = [{"event": "tool.started", "tool": "terminal"}], True
    async with open_brain(spec(hermes)) as brain:
        work = asyncio.create_task(brain.solve(task, told))
        await eventually(lambda: told.said)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    assert hermes.stopped == 1
