"""The OpenAI-compatible door before a real codec and a real interaction service: each call is one turn.

The door is two gateways behind a proxy that gives each request to the next of them: clients notice nothing of it."""

import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
import pytest_asyncio
from chat_stage import KEYS, Stage, chat_stage
from door import process

from vigil.contract import subjects
from vigil.contract.streams import ALERTS
from vigil.core.command import Ask
from vigil.core.control import DELEGATION, RESPONSE
from vigil.core.ids import SessionKey
from vigil.core.profile import VIGIL_SMALL
from vigil.core.source import Source, SourceKind
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg, redness
from vigil.testing.script import Reply, Seen, when_red
from vigil_client.api import Client
from vigil_client.errors import NotFound

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

RED, GREY = jpeg((230, 30, 20), (320, 192)), jpeg((90, 90, 90), (320, 192))
NUMBERS = count()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One system for all tests of this file."""
    async with chat_stage(tmp_path_factory.mktemp("chat")) as started:
        yield started


@pytest.fixture
def stage(shared_stage: Stage) -> Stage:
    """The system, with a session of the test's own and an engine that sees fire in what is red."""
    shared_stage.engine.script = when_red()
    return replace(shared_stage, session=f"kitchen-{next(NUMBERS)}")


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
    assert [extra["sequence"] for extra in extras] == [0, 1, 2]
    assert [extra["action"] for extra in extras] == ["silent", "speak", "silent"]
    assert [extra["spoke"] for extra in extras] == [False, True, False]
    assert extras[1]["p"]["speak"] == pytest.approx(0.9)
    times = [extra["time_s"] for extra in extras]
    assert times[0] == 0.0
    assert times == sorted(set(times)), "model time is the time between the calls"
    usage = answers[2].usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens > (usage.prompt_tokens_details.cached_tokens or 0) > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.completion_tokens >= 1
    assert [(decision.sequence, decision.time_ms / 1000) for decision in await stage.decisions(3)] == list(
        zip(range(3), times, strict=True)
    )
    picture = stage.engine.seen[-2].newest
    assert redness(picture) == 1.0
    assert len(stage.engine.seen[-1].fresh) == 1, "only the new picture travels"
    assert len(stage.engine.seen[-1].uuids) == 3, "the session remembers the others"
    spec = await stage.store.spec(stage.key)
    assert (spec.source, spec.profile) == (Source(stage.session, SourceKind.PUSHED), VIGIL_SMALL.name)


async def test_what_the_engine_was_sent_can_be_looked_at_byte_for_byte(stage: Stage) -> None:
    async with stage.client() as client, Client(stage.url, KEYS["demo"]) as sdk:
        for picture, question in ((GREY, ""), (RED, "What burns? 什么?"), (GREY, "")):
            await client.chat.completions.create(model="scripted", messages=shown(picture, question))
        received = list(stage.engine.seen)[-3:]
        await stage.decisions(3)
        page = await sdk.turns(stage.session, limit=2)
        earlier = await sdk.turns(stage.session, before=page.next)
        assert [turn.sequence for turn in (*page.turns, *earlier.turns)] == [2, 1, 0]
        assert (page.turns[1].action, earlier.next) == ("speak", None)
        for sequence, seen in enumerate(received):
            prompt = await sdk.prompt(stage.session, sequence)
            parts = [
                (message.role, [part.text if part.type == "text" else part.uuid for part in message.parts])
                for message in prompt.messages
            ]
            assert parts == sent(seen.body)
            assert await sdk.frame(stage.session, sequence) == seen.newest, "the picture, as the model saw it"
        assert (await sdk.prompt(stage.session, 1)).reply == "</response> A fire has started."
        async with Client(stage.url, KEYS["rival"]) as rival:
            for asked in (rival.prompt(stage.session, 1), rival.frame(stage.session, 1), rival.turns(stage.session)):
                with pytest.raises(NotFound, match="there is no session"):
                    await asked


def sent(body: Any) -> list[tuple[str, list[str]]]:
    """The messages of a request to the engine: the text of each part, or the picture's UUID."""
    return [
        (message["role"], [message["content"]])
        if isinstance(message["content"], str)
        else (message["role"], [part.get("text") or part["uuid"] for part in message["content"]])
        for message in body["messages"]
    ]


async def test_a_recording_keeps_its_own_clock_and_brings_its_watches(stage: Stage) -> None:
    watch = {"name": "fire", "text": "Alert me when a fire starts.", "hold_s": 2}
    first = {"time_s": 100.0, "watches": [watch], "instructions": ["Be brief."]}
    async with (
        stage.client() as client,
        stage.bus.consume(ALERTS, "pager", subjects.alerts_of("demo", stage.session)) as alerts,
    ):
        answers = []
        for second, picture in enumerate((GREY, RED, RED, GREY, GREY, GREY)):
            extra = {"vigil": first if second == 0 else {"time_s": 100.0 + 10 * second}}
            answers.append(
                await client.chat.completions.create(model="scripted", messages=shown(picture), extra_body=extra)
            )
        deliveries = [await anext(alerts) for _ in range(3)]
        for wrong, code in (({"time_s": 140.0}, "time_not_later"), (first, "already_begun")):
            with pytest.raises(openai.ConflictError) as refused:
                await client.chat.completions.create(
                    model="scripted", messages=shown(GREY), extra_body={"vigil": wrong}
                )
            assert refused.value.code == code
        ours = await client.chat.completions.create(model="scripted", messages=shown(GREY))
    assert (ours.model_extra or {})["vigil"]["time_s"] == 150.001, "without a time of its own, after the last one"
    extras = [(answer.model_extra or {})["vigil"] for answer in answers]
    assert [extra["time_s"] for extra in extras] == [100, 110, 120, 130, 140, 150]
    assert all(0 < extra["latency_ms"] < 15_000 for extra in extras), "counted from the picture's arrival"
    told = [json.loads(delivery.payload)["data"] for delivery in deliveries]
    assert [(alert["state"], alert["watch"], alert["time_s"]) for alert in told] == [
        ("opened", "fire", 110),
        ("updated", "fire", 120),
        ("closed", "fire", 130),
    ], "by the recording's clock it went on for ten seconds, and was then quiet for ten"
    turns = await stage.store.log(stage.key)
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
    asked = [turn.queries for turn in await stage.store.log(stage.key)]
    assert asked == [("Who is there?",), (), ("And why?",), ()]


async def test_a_question_that_waits_is_asked_once_and_answered_by_the_call(stage: Stage) -> None:
    stage.engine.script = lambda seen: Reply(f"{RESPONSE} Nobody.") if "Who is there?" in seen.text else Reply()
    key = stage.key
    async with stage.client() as client:
        await client.chat.completions.create(model="scripted", messages=shown(GREY))
        await stage.store.submit(key, Ask("q-earlier", "Who is there?"))  # of a call that failed; its nudge was lost
        answer = await client.chat.completions.create(model="scripted", messages=shown(GREY, "Who is there?"))
    assert content(answer) == "</response> Nobody."
    asked = [turn.queries for turn in await stage.store.log(key)]
    assert [queries for queries in asked if queries] == [("Who is there?",)]


async def test_a_client_that_repeats_by_itself_asks_once_and_gets_its_own_decision(stage: Stage) -> None:
    answers = iter((Reply(), Reply("CUDA error", status=500)))
    stage.engine.script = lambda seen: next(answers, Reply(f"{RESPONSE} Nobody."))
    async with stage.client(retries=2) as client:
        await client.chat.completions.create(
            model="scripted", messages=shown(GREY), extra_body={"vigil": {"time_s": 1}}
        )
        answer = await client.chat.completions.create(
            model="scripted", messages=shown(GREY, "Who is there?"), extra_body={"vigil": {"time_s": 2}}
        )
    assert content(answer) == "</response> Nobody."
    assert (answer.model_extra or {})["vigil"]["time_s"] == 2.0
    assert [turn.queries for turn in await stage.store.log(stage.key)] == [(), ("Who is there?",)]


async def test_a_client_that_repeats_by_itself_does_not_repeat_a_picture_of_now(stage: Stage) -> None:
    asked: list[Seen] = []

    def failing(seen: Seen) -> Reply:
        asked.append(seen)
        return Reply("CUDA error", status=500)

    async with stage.client(retries=2) as client:
        await client.chat.completions.create(model="scripted", messages=shown(GREY))
        stage.engine.script = failing
        with pytest.raises(openai.InternalServerError, match="the engine answered 500: CUDA error") as refused:
            await client.chat.completions.create(model="scripted", messages=shown(RED))
        stage.engine.script = when_red()
        answer = await client.chat.completions.create(model="scripted", messages=shown(GREY))
    assert refused.value.code == "turn_dropped"
    assert len(asked) == 1
    assert content(answer) == "</silence>"


async def test_the_same_name_of_two_tenants_is_two_sessions(stage: Stage) -> None:
    async with stage.client() as mine, stage.client("rival") as theirs:
        await mine.chat.completions.create(model="scripted", messages=shown(RED))
        await mine.chat.completions.create(model="scripted", messages=shown(RED))
        answer = await theirs.chat.completions.create(model="scripted", messages=shown(GREY))
    assert (answer.model_extra or {})["vigil"]["sequence"] == 0
    assert len(stage.engine.seen[-1].uuids) == 1
    assert redness(stage.engine.seen[-1].newest) < 0.1, "the engine was not shown the other tenant's picture"
    assert await stage.store.sessions("rival") == [SessionKey("rival", stage.session)]


async def test_a_reset_forgets_what_was_shown(stage: Stage) -> None:
    async with (
        stage.client() as client,
        aiohttp.ClientSession(headers={"Authorization": "Bearer a-key-of-demo"}) as http,
    ):
        await client.chat.completions.create(model="scripted", messages=shown(RED))
        async with http.post(
            f"{stage.url}/v1/streaming/reset", headers={"x-streaming-session": stage.session}
        ) as answer:
            assert (answer.status, await answer.json()) == (200, {"session": stage.session, "status": "accepted"})
        await client.chat.completions.create(model="scripted", messages=shown(GREY))
    assert len(stage.engine.seen[-1].uuids) == 1
    assert redness(stage.engine.seen[-1].newest) < 0.1, "nor the one of its former life"


async def test_an_error_is_one_that_the_client_understands(stage: Stage) -> None:
    async with stage.client() as client:
        with pytest.raises(openai.NotFoundError, match="serves the model 'scripted', not 'gpt'"):
            await client.chat.completions.create(model="gpt", messages=shown(GREY))
        stage.engine.script = lambda _: Reply(hang=True)
        with pytest.raises(openai.InternalServerError, match="the engine did not answer within 8 s") as late:
            await client.chat.completions.create(model="scripted", messages=shown(GREY))
    assert (late.value.status_code, late.value.code) == (503, "turn_dropped")


@pytest.mark.slow
async def test_calls_outlive_workers_that_die_between_them_and_with_the_picture_in_hand(tmp_path: Path) -> None:
    async with chat_stage(tmp_path) as stage, stage.client() as client:
        await client.chat.completions.create(model="scripted", messages=shown(GREY))
        os.kill(stage.pids["interaction"], signal.SIGKILL)
        await eventually(stage.nobody_decides, what="NATS knows that the worker is gone")
        async with process("interaction", stage.folder, stage.settings | {"WORKER": "second"}) as second:
            answer = await client.chat.completions.create(model="scripted", messages=shown(RED))
            assert content(answer) == "</response> A fire has started."
            stage.engine.script = lambda _: Reply(hang=True)
            asked = len(stage.engine.seen)
            waiting = asyncio.create_task(client.chat.completions.create(model="scripted", messages=shown(GREY)))
            await stage.engine.requests(asked + 1)
            os.kill(second, signal.SIGKILL)
        stage.engine.script = when_red()
        async with process("interaction", stage.folder, stage.settings | {"WORKER": "third"}):
            answer = await waiting
        assert content(answer) == "</silence>"
        assert [decision.sequence for decision in await stage.decisions(3)] == [0, 1, 2]
