"""The three kinds of summarisers against servers that answer, fail, hang and lie."""

import base64
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from vigil.core.memory import Block, MemoryRequest, RequestKind
from vigil.runtime.engine.pool import EnginePool
from vigil.runtime.process.config import load
from vigil.runtime.process.startup import StartupError
from vigil.testing.images import jpeg
from vigil.testing.script import Reply, in_order
from vigil.testing.scripted_engine import ScriptedEngine
from vigil_memory.config import MemorySettings
from vigil_memory.summarisers.engine import EngineSummariser
from vigil_memory.summarisers.kinds import open_summariser
from vigil_memory.summarisers.port import Picture, SummariserError, SummaryTask

Api = Any  # the fixture of conftest.py, which importlib mode does not let tests import

REQUEST = MemoryRequest(
    RequestKind.SUMMARY, "demo", "s-1", "lobby", "0-2000-0", 0, 0, 2_000, "joyai", "scripted",
    language="en", instructions=("Watch the door.",), asked=("Is it open?",),
    blocks=(Block("0-1-0", 0, 0, 1, "A table."),), max_tokens=64,
)  # fmt: skip
PICTURES = (Picture("a", 0, jpeg(size=(32, 32))), Picture("b", 1_000, jpeg((9, 9, 9), (32, 32))))
TASK = SummaryTask(REQUEST, PICTURES, 30.0)
KINDS = pytest.mark.parametrize("kind", ["openai", "http"])


def settings(kind: str, url: str, **fields: Any) -> MemorySettings:
    given = {"summariser": kind, "summariser_url": url, "summariser_model": "big", "summariser_api_key": "k-1"}
    return load(MemorySettings, {**given, **fields})


async def asked(kind: str, url: str, task: SummaryTask = TASK) -> str:
    async with open_summariser(settings(kind, url)) as summariser:
        return await summariser.write(task)


async def failure(asking: Awaitable[str]) -> SummariserError:
    with pytest.raises(SummariserError) as caught:
        await asking
    assert "k-1" not in caught.value.reason
    return caught.value


async def test_a_chat_model_is_shown_the_pictures_and_told_the_general_words(api: Api) -> None:
    assert await asked("openai", f"{api.url}/v1/") == "The door is open."
    (call,) = api.calls
    system, user = call["messages"]
    assert (call["model"], call["max_tokens"]) == ("big", 256)
    assert system["content"].startswith("You write the memory of an assistant")
    urls = [part["image_url"]["url"] for part in user["content"] if part["type"] == "image_url"]
    assert urls == [f"data:image/jpeg;base64,{base64.b64encode(shown.jpeg).decode()}" for shown in PICTURES]
    assert api.headers[0]["Authorization"] == "Bearer k-1"


async def test_a_memory_service_of_somebody_else_is_asked_with_plain_json(api: Api) -> None:
    api.answers = [lambda call: web.json_response({"text": f"From {call['from_ms']} to {call['to_ms']}."})]
    assert await asked("http", f"{api.url}/remember") == "From 0 to 2000."
    (call,) = api.calls
    assert call == {
        "kind": "summary",
        "tenant": "demo",
        "session": "s-1",
        "source_id": "lobby",
        "id": "0-2000-0",
        "level": 0,
        "from_ms": 0,
        "to_ms": 2_000,
        "profile": "joyai",
        "language": "en",
        "replies": [],
        "observed": [],
        "asked": ["Is it open?"],
        "instructions": ["Watch the door."],
        "before": "",
        "blocks": [{"id": "0-1-0", "level": 0, "from_ms": 0, "to_ms": 1, "text": "A table."}],
        "max_tokens": 64,
        "pictures": [{"time_ms": shown.time_ms, "jpeg": base64.b64encode(shown.jpeg).decode()} for shown in PICTURES],
        "deadline_s": 30.0,
    }


@KINDS
@pytest.mark.parametrize(
    ("status", "kind_of_failure", "is_transient"),
    [(500, "unavailable", True), (429, "unavailable", True), (401, "refused", False), (302, "refused", False)],
)
async def test_an_error_says_whether_it_may_pass(
    api: Api, kind: str, status: int, kind_of_failure: str, is_transient: bool
) -> None:
    api.answers = [lambda call: web.Response(status=status, text="k-1", headers={"Location": "http://x.invalid"})]
    error = await failure(asked(kind, api.url))
    assert (error.kind, error.is_transient) == (kind_of_failure, is_transient)


@KINDS
@pytest.mark.parametrize("body", [b"garbage\xff", b"[]", b"{}", b'{"choices": []}', b'{"text": 1}', b"null"])
async def test_garbage_is_no_answer(api: Api, kind: str, body: bytes) -> None:
    api.answers = [lambda call: web.Response(body=body, content_type="application/json")]
    assert (await failure(asked(kind, api.url))).kind == "invalid"


@KINDS
async def test_a_flood_is_cut_off(api: Api, kind: str) -> None:
    api.answers = [lambda call: web.Response(body=b" " * (3 << 20))]
    assert (await failure(asked(kind, api.url))).kind == "invalid"


@KINDS
async def test_one_that_hangs_costs_its_deadline(api: Api, kind: str) -> None:
    api.may_answer.clear()
    assert (await failure(asked(kind, api.url, replace(TASK, deadline_s=0.2)))).kind == "timeout"


@KINDS
async def test_nobody_at_the_address_may_pass(kind: str) -> None:
    error = await failure(asked(kind, "http://127.0.0.1:1"))
    assert (error.kind, error.is_transient) == ("unavailable", True)


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"summariser": "openai", "summariser_model": "m"}, "VIGIL_SUMMARISER_URL"),
        ({"summariser": "http"}, "VIGIL_SUMMARISER_URL"),
        ({"summariser": "openai", "summariser_url": "http://x"}, "VIGIL_SUMMARISER_MODEL"),
    ],
)
async def test_what_is_lacking_is_named(given: dict[str, str], variable: str) -> None:
    with pytest.raises(StartupError, match=variable):
        async with open_summariser(load(MemorySettings, given)):
            pass


async def test_the_sessions_own_engine_is_asked_by_the_names_of_its_pictures() -> None:
    async with ScriptedEngine(in_order([Reply("The door is open.")])) as engine, EnginePool([engine.url]) as pool:
        summariser = EngineSummariser(pool, "other")
        assert await summariser.write(TASK) == "The door is open."  # the engine knew no picture, and was sent all
        assert await summariser.write(TASK) == "The door is open."
    refused, sent, by_name = engine.seen
    assert refused.refused
    assert (sent.uuids, sorted(sent.fresh)) == (("a", "b"), ["a", "b"])
    assert (by_name.uuids, dict(by_name.fresh)) == (("a", "b"), {})
    assert (by_name.body["model"], by_name.body["max_tokens"], by_name.body["temperature"]) == ("scripted", 64, 0)


async def test_without_a_model_of_its_own_a_request_goes_to_the_services_model() -> None:
    async with ScriptedEngine(in_order([Reply("Yes.")])) as engine, EnginePool([engine.url]) as pool:
        nameless = replace(TASK, request=replace(REQUEST, model=""))
        assert await EngineSummariser(pool, "scripted").write(nameless) == "Yes."


@pytest.mark.parametrize(
    ("reply", "kind", "is_transient"),
    [
        (Reply("out of memory", status=500), "unavailable", True),
        (Reply("no", status=400), "refused", False),
        (Reply(body=b"garbage"), "invalid", False),
        (Reply(hang=True), "timeout", True),
    ],
)
async def test_a_failing_engine_says_whether_it_may_pass(reply: Reply, kind: str, is_transient: bool) -> None:
    async with ScriptedEngine(in_order([reply])) as engine, EnginePool([engine.url]) as pool:
        error = await failure(EngineSummariser(pool, "scripted").write(replace(TASK, deadline_s=1.0)))
    assert (error.kind, error.is_transient) == (kind, is_transient)
