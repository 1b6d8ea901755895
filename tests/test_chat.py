"""The OpenAI-compatible door before a real codec and a real interaction service: each call is one turn.

The door is two gateways behind a proxy that gives each request to the next of them: clients notice nothing of it."""

import asyncio
import base64
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from door import process

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decode_decision
from vigil.contract.streams import ALERTS, DECISIONS
from vigil.core.command import Ask
from vigil.core.control import DELEGATION, RESPONSE
from vigil.core.ids import SessionKey
from vigil.core.profile import VIGIL_SMALL
from vigil.core.source import Source, SourceKind
from vigil.runtime.bus.client import Bus
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg, redness
from vigil.testing.round_robin import RoundRobin
from vigil.testing.script import Reply, Seen, when_red
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer, RedisServer, free_port

pytestmark = pytest.mark.timeout(120)

KEYS = {"demo": "a-key-of-demo", "rival": "a-key-of-rival"}
RED, GREY = jpeg((230, 30, 20), (320, 192)), jpeg((90, 90, 90), (320, 192))
START_S = 40.0


@dataclass(slots=True)
class Stage:
    """Where the gateway is, and what is behind it."""

    url: str
    engine: ScriptedEngine
    store: SessionStore
    bus: Bus
    pids: dict[str, int]
    settings: dict[str, object]
    folder: Path

    def client(self, tenant: str = "demo", session: str = "kitchen") -> openai.AsyncOpenAI:
        """The official client."""
        return openai.AsyncOpenAI(
            base_url=f"{self.url}/v1",
            api_key=KEYS[tenant],
            default_headers={"x-session-id": session},
            max_retries=0,
            timeout=30.0,
        )

    async def decisions(self, count: int) -> list[StoredDecision]:
        """The stored decisions, once there are `count`."""
        found: list[StoredDecision] = []
        async with asyncio.timeout(15), self.bus.consume(DECISIONS, "reader", DECISIONS.subjects[0]) as consumer:
            while len(found) < count:
                delivery = await anext(consumer)
                found.append(decode_decision(delivery.payload))
                await delivery.ack()
        return found

    async def nobody_decides(self) -> bool:
        """Whether no worker listens to the session's coded frames."""
        return not await self.bus.publish_heard(subjects.coded_frames(SessionKey("demo", "kitchen")), b"")


async def takes_sessions(url: str) -> bool:
    """Whether the gateway serves and takes pushed sessions: without ingestion it takes no others."""
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{url}/v1/health") as answer:
            return bool((await answer.json())["sources"]["pushed"])
    except (aiohttp.ClientError, KeyError):
        return False


@pytest.fixture
async def stage(tmp_path: Path, nats_server: NatsServer, redis_server: RedisServer, bus: Bus) -> AsyncIterator[Stage]:
    """Two gateways, codec and interaction as processes, before an engine that sees fire in what is red."""
    keys = tmp_path / "keys.json"
    entries = [{"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": tenant} for tenant, key in KEYS.items()]
    keys.write_text(json.dumps({"keys": entries}))
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(ScriptedEngine(when_red()))
        doors = {port: f"http://127.0.0.1:{port}" for port in (free_port(), free_port())}
        shared: dict[str, object] = {
            "NATS_URL": nats_server.url,
            "REDIS_URL": redis_server.url,
            "MODEL": "scripted",
            "ENGINE_URLS": engine.url,
            "WARM_UP_TURNS": 1,
        }
        door = {"API_KEYS_FILE": keys, "TURN_DEADLINE_S": 15, "GRPC_PORT": 0}
        ports = {"HTTP_PORT": 0, "GRPC_PORT": 0}
        for port in doors:
            (folder := tmp_path / str(port)).mkdir()
            await stack.enter_async_context(process("gateway", folder, shared | door | {"HTTP_PORT": port}))
        pids = {
            name: await stack.enter_async_context(process(name, tmp_path, shared | ports))
            for name in ("codec", "interaction")
        }
        proxy = await stack.enter_async_context(RoundRobin(*doors.values()).serve())
        redis = await stack.enter_async_context(open_redis(redis_server.url))
        for url in doors.values():
            await eventually(partial(takes_sessions, url), START_S, "workers are there")
        yield Stage(proxy.url, engine, SessionStore(redis), bus, pids, shared | ports, tmp_path)


def shown(picture: bytes, question: str = "") -> list[Any]:
    """What a client sends for one turn."""
    url = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    text = [{"type": "text", "text": question}] if question else []
    return [{"role": "user", "content": [*text, {"type": "image_url", "image_url": {"url": url}}]}]


def content(answer: Any) -> str:
    return str(answer.choices[0].message.content)


async def test_the_official_client_watches_a_fire(stage: Stage) -> None:
    async with stage.client() as client:
        assert [model.id async for model in client.models.list()] == ["scripted"]
        answers = [
            await client.chat.completions.create(model="scripted", messages=shown(picture))
            for picture in (GREY, RED, GREY)
        ]
    assert [content(answer) for answer in answers] == ["</silence>", "</response> A fire has started.", "</silence>"]
    extras = [(answer.model_extra or {})["vigil"] for answer in answers]
    assert [one["sequence"] for one in extras] == [0, 1, 2]
    assert [one["action"] for one in extras] == ["silent", "speak", "silent"]
    assert [one["spoke"] for one in extras] == [False, True, False]
    assert extras[1]["p"]["speak"] == pytest.approx(0.9)
    times = [one["time_s"] for one in extras]
    assert times[0] == 0.0
    assert times == sorted(set(times)), "model time is the time between the calls"
    usage = answers[2].usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens > (usage.prompt_tokens_details.cached_tokens or 0) > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.completion_tokens >= 1
    assert [(one.sequence, one.time_ms / 1000) for one in await stage.decisions(3)] == list(
        zip(range(3), times, strict=True)
    )
    picture = stage.engine.seen[-2].newest
    assert redness(picture) == 1.0
    assert len(stage.engine.seen[-1].fresh) == 1, "only the new picture travels"
    assert len(stage.engine.seen[-1].uuids) == 3, "the session remembers the others"
    spec = await stage.store.spec(SessionKey("demo", "kitchen"))
    assert (spec.source, spec.profile) == (Source("kitchen", SourceKind.PUSHED), VIGIL_SMALL.name)


async def test_a_recording_keeps_its_own_clock_and_brings_its_watches(stage: Stage) -> None:
    watch = {"name": "fire", "text": "Alert me when a fire starts.", "hold_s": 2}
    first = {"time_s": 100.0, "watches": [watch], "instructions": ["Be brief."]}
    async with stage.client() as client, stage.bus.consume(ALERTS, "pager", ALERTS.subjects[0]) as alerts:
        answers = []
        for second, picture in enumerate((GREY, RED, RED, GREY, GREY, GREY)):
            extra = {"vigil": first if second == 0 else {"time_s": 100.0 + 10 * second}}
            answers.append(
                await client.chat.completions.create(model="scripted", messages=shown(picture), extra_body=extra)
            )
        deliveries = [await anext(alerts) for _ in range(3)]
        for wrong, code in (({"time_s": 150.0}, "time_not_later"), (first, "already_begun")):
            with pytest.raises(openai.ConflictError) as refused:
                await client.chat.completions.create(
                    model="scripted", messages=shown(GREY), extra_body={"vigil": wrong}
                )
            assert refused.value.code == code
        ours = await client.chat.completions.create(model="scripted", messages=shown(GREY))
    assert (ours.model_extra or {})["vigil"]["time_s"] == 150.001, "without a time of its own, after the last one"
    extras = [(answer.model_extra or {})["vigil"] for answer in answers]
    assert [one["time_s"] for one in extras] == [100, 110, 120, 130, 140, 150]
    assert all(0 < one["latency_ms"] < 15_000 for one in extras), "counted from the picture's arrival"
    told = [json.loads(one.payload)["data"] for one in deliveries]
    assert [(one["state"], one["watch"], one["time_s"]) for one in told] == [
        ("opened", "fire", 110),
        ("updated", "fire", 120),
        ("closed", "fire", 130),
    ], "by the recording's clock it went on for ten seconds, and was then quiet for ten"
    turns = await stage.store.log(SessionKey("demo", "kitchen"))
    assert [turn.queries for turn in turns[:2]] == [("Alert me when a fire starts.", "Be brief."), ()]
    assert any("<100.0 seconds>" in seen.text for seen in stage.engine.seen)


async def test_a_question_is_answered_by_the_turn_it_came_with(stage: Stage) -> None:
    def answering(seen: Seen) -> Reply:
        if "Who is there?" in seen.text:
            return Reply(f"{RESPONSE} Nobody.")
        if "And why?" in seen.text:
            return Reply(f"{RESPONSE} Let me think. {DELEGATION} Why is nobody there?")
        return Reply()

    stage.engine.script = answering
    async with stage.client() as client:
        for question, expected in (
            ("Who is there?", "</response> Nobody."),
            ("", "</silence>"),
            ("And why?", "</response> Let me think. </delegation> Why is nobody there?"),
            ("", "</silence>"),
        ):
            answer = await client.chat.completions.create(model="scripted", messages=shown(GREY, question))
            assert content(answer) == expected
    assert len(await stage.decisions(4)) == 4, "one turn a call"
    asked = [turn.queries for turn in await stage.store.log(SessionKey("demo", "kitchen"))]
    assert asked == [("Who is there?",), (), ("And why?",), ()]


async def test_a_question_that_waits_is_asked_once_and_answered_by_the_call(stage: Stage) -> None:
    stage.engine.script = lambda seen: Reply(f"{RESPONSE} Nobody.") if "Who is there?" in seen.text else Reply()
    key = SessionKey("demo", "kitchen")
    async with stage.client() as client:
        await client.chat.completions.create(model="scripted", messages=shown(GREY))
        await stage.store.submit(key, Ask("q-earlier", "Who is there?"))  # of a call that failed; its nudge was lost
        answer = await client.chat.completions.create(model="scripted", messages=shown(GREY, "Who is there?"))
    assert content(answer) == "</response> Nobody."
    asked = [turn.queries for turn in await stage.store.log(key)]
    assert [one for one in asked if one] == [("Who is there?",)]


async def test_the_same_name_of_two_tenants_is_two_sessions(stage: Stage) -> None:
    async with stage.client() as mine, stage.client("rival") as theirs:
        await mine.chat.completions.create(model="scripted", messages=shown(RED))
        await mine.chat.completions.create(model="scripted", messages=shown(RED))
        answer = await theirs.chat.completions.create(model="scripted", messages=shown(GREY))
    assert (answer.model_extra or {})["vigil"]["sequence"] == 0
    assert len(stage.engine.seen[-1].uuids) == 1
    assert redness(stage.engine.seen[-1].newest) < 0.1, "the engine was not shown the other tenant's picture"
    assert await stage.store.sessions("rival") == [SessionKey("rival", "kitchen")]


async def test_a_reset_forgets_what_was_shown(stage: Stage) -> None:
    async with (
        stage.client() as client,
        aiohttp.ClientSession(headers={"Authorization": "Bearer a-key-of-demo"}) as http,
    ):
        await client.chat.completions.create(model="scripted", messages=shown(RED))
        async with http.post(f"{stage.url}/v1/streaming/reset", headers={"x-streaming-session": "kitchen"}) as answer:
            assert (answer.status, await answer.json()) == (200, {"session": "kitchen", "status": "accepted"})
        await client.chat.completions.create(model="scripted", messages=shown(GREY))
    assert len(stage.engine.seen[-1].uuids) == 1
    assert redness(stage.engine.seen[-1].newest) < 0.1, "nor the one of its former life"


async def test_an_error_is_one_that_the_client_understands(stage: Stage) -> None:
    async with stage.client() as client:
        with pytest.raises(openai.NotFoundError, match="serves the model 'scripted', not 'gpt'"):
            await client.chat.completions.create(model="gpt", messages=shown(GREY))
        stage.engine.script = lambda _: Reply(hang=True)
        with pytest.raises(openai.InternalServerError, match="did not decide within 15 s") as late:
            await client.chat.completions.create(model="scripted", messages=shown(GREY))
    assert (late.value.status_code, late.value.code) == (504, "turn_late")


async def test_a_call_waits_for_a_worker_that_takes_over(stage: Stage) -> None:
    async with stage.client() as client:
        await client.chat.completions.create(model="scripted", messages=shown(GREY))
        os.kill(stage.pids["interaction"], signal.SIGKILL)
        await eventually(stage.nobody_decides, what="NATS knows that the worker is gone")
        async with process("interaction", stage.folder, stage.settings | {"WORKER": "second"}):
            answer = await client.chat.completions.create(model="scripted", messages=shown(RED))
    assert content(answer) == "</response> A fire has started."
    assert [one.sequence for one in await stage.decisions(2)] == [0, 1]
