"""The brain as a process: its gRPC, its drain, a worker that is killed in the middle of a task."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from aiohttp import web

from vigil.contract.delegation import task_to_pb
from vigil.core.ids import SessionKey
from vigil.core.task import TaskState
from vigil.core.turn import Result
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.scripted_brain import Behaviour, ScriptedBrain
from vigil.testing.servers import NatsServer
from vigil.v1 import brain_pb2 as pb
from vigil.v1.brain_pb2_grpc import BrainServiceStub

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import

KEY = SessionKey("demo", "s-1")


@asynccontextmanager
async def process(stage: Stage, **variables: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """A brain process that is killed afterwards, unless it has ended."""
    given = {"NATS_URL": stage.nats_url, "REDIS_URL": stage.redis_url, "HTTP_PORT": 0, "GRPC_PORT": 0, **variables}
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vigil_brain.main"),
        env={"PATH": os.defpath, **{f"VIGIL_{name}": str(value) for name, value in given.items()}},
        cwd=stage.folder,  # where no embedded brain is installed
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


@asynccontextmanager
async def api(answers: asyncio.Event, calls: list[str]) -> AsyncIterator[str]:
    """An OpenAI-compatible API that answers once it may."""

    async def chat(request: web.Request) -> web.Response:
        calls.append(await request.text())
        await answers.wait()
        message = {"role": "assistant", "content": "A rose."}
        body = {"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": message}]}
        if not json.loads(calls[-1]).get("stream"):
            return web.json_response(body)
        piece = {"choices": [{"index": 0, "delta": message, "finish_reason": "stop"}]}
        text = f"data: {json.dumps(piece)}\n\ndata: [DONE]\n\n"
        return web.Response(text=text, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port := free_port())
    await site.start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        answers.set()
        await runner.cleanup()


def brains_file(folder: Path, url: str) -> Path:
    path = folder / "own-brains.json"
    path.write_text(json.dumps({"brains": [{"name": "chat", "kind": "openai", "url": url, "model": "m"}]}))
    return path


async def test_without_brains_the_user_is_told_how_to_get_one_and_a_drain_is_clean(stage: Stage) -> None:
    await stage.delegate()
    port = free_port()
    async with process(stage, GRPC_PORT=port) as running:
        assert await stage.is_over() is TaskState.ERROR
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await asyncio.wait_for(channel.channel_ready(), DEADLINE_S)  # it serves beside its work on tasks
            stub = BrainServiceStub(channel)
            listed = await cast(Any, stub.List(pb.ListRequest(), timeout=DEADLINE_S))
            solving = stub.Solve(pb.SolveRequest(task=task_to_pb((await stage.open("s-2"))[0])), timeout=DEADLINE_S)
            answers = [answer async for answer in cast(Any, solving)]
            cancelled = await cast(Any, stub.Cancel(pb.CancelRequest(tenant="demo", session="s-1", task="s-1-0")))
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), DEADLINE_S) == 0
    (result,) = await stage.results()
    assert "VIGIL_BRAINS_FILE" in result.text
    assert (listed.concurrency, list(listed.tasks)) == (4, [])
    assert [answer.state for answer in answers] == [pb.TASK_STATE_RUNNING, pb.TASK_STATE_ERROR]
    assert not cancelled.cancelled, "it was over"


async def test_a_broken_file_is_told_line_by_line(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"brains": [{"name": "a", "kind": "oracle"}, {"name": "b c", "kind": "openai"}]}')
    async with process(stage, BRAINS_FILE=path) as running:
        assert await asyncio.wait_for(running.wait(), DEADLINE_S) == 2
        assert running.stderr is not None
        said = (await running.stderr.read()).decode().splitlines()
    assert len(said) >= 3
    assert "brain 'a'" in said[0]


@pytest.mark.slow
async def test_a_worker_that_is_killed_in_the_middle_of_a_task_is_replaced_and_the_task_is_done_once(
    stage: Stage, tmp_path: Path
) -> None:
    answers, calls = asyncio.Event(), list[str]()
    async with api(answers, calls) as url:
        file = brains_file(tmp_path, url)
        await stage.delegate()
        async with process(stage, BRAINS_FILE=file, WORKER="first") as first:
            await eventually(lambda: len(calls) == 1, what="the first worker has asked")
            async with process(stage, BRAINS_FILE=file, WORKER="second"):
                first.send_signal(signal.SIGKILL)
                await eventually(lambda: len(calls) == 2, what="the second worker has asked")
                answers.set()
                assert await stage.is_over() is TaskState.READY
    assert await stage.results() == (Result("s-1-0", "A rose."),)
    assert (await stage.record()).worker == "second"
    assert (await stage.kinds()).count("ready") == 1


@pytest.mark.slow
async def test_ending_a_session_ends_the_call_of_its_brain(stage: Stage, tmp_path: Path) -> None:
    answers, calls = asyncio.Event(), list[str]()
    async with api(answers, calls) as url:
        await stage.delegate()
        async with process(stage, BRAINS_FILE=brains_file(tmp_path, url)):
            await eventually(lambda: len(calls) == 1, what="the worker has asked")
            await stage.sessions.end(KEY, "the client ended it")
            assert await stage.is_over() is TaskState.CANCELLED
    assert (await stage.kinds())[-1] == "cancelled"


@pytest.mark.slow
async def test_a_restart_of_nats_while_a_brain_works_costs_no_task(
    stage: Stage, nats_server: NatsServer, tmp_path: Path
) -> None:
    answers, calls = asyncio.Event(), list[str]()
    async with api(answers, calls) as url:
        await stage.delegate()
        async with process(stage, BRAINS_FILE=brains_file(tmp_path, url)) as running:
            await eventually(lambda: len(calls) == 1, what="the worker has asked")
            await nats_server.kill()
            await nats_server.start()
            await stage.bus.connected()
            await stage.delegate("s-2")
            await eventually(lambda: len(calls) == 2, what="the worker takes tasks again")
            answers.set()
            assert await stage.is_over() is TaskState.READY
            assert await stage.is_over("s-2-0", "s-2") is TaskState.READY
            assert running.returncode is None
    assert len(calls) == 2, "each was asked once"
    assert await stage.results() == (Result("s-1-0", "A rose."),)
    assert (await stage.kinds()).count("ready") == 2


@pytest.mark.slow
async def test_brains_that_fail_in_every_way_end_no_worker(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "failing-brains.json"
    async with AsyncExitStack() as stack:
        brains = {way: await stack.enter_async_context(ScriptedBrain(lambda _: "A red rose.")) for way in Behaviour}
        for way, brain in brains.items():
            brain.behaviour = way
        entries = [
            {"name": way, "kind": "openai", "url": brain.url, "model": "m", "timeout_s": 60}
            | ({"timeout_s": 1} if way is Behaviour.HANG else {})
            for way, brain in brains.items()
        ]
        path.write_text(json.dumps({"brains": entries, "default": Behaviour.ANSWER}))
        for way in Behaviour:
            await stage.delegate(f"s-{way}", brain=way)
        async with process(stage, BRAINS_FILE=path, BRAIN_CONCURRENCY=len(Behaviour)) as running:
            ends = {way: await stage.is_over(f"s-{way}-0", f"s-{way}") for way in Behaviour}
            assert running.returncode is None
    answered = {Behaviour.ANSWER, Behaviour.FLOOD}
    assert ends == {way: TaskState.READY if way in answered else TaskState.ERROR for way in Behaviour}
    for way in Behaviour:
        (result,) = await stage.results(f"s-{way}")
        assert 0 < len(result.text) <= 2_000, way
