"""Every way in which an engine can fail is one typed error with a clear message."""

import pytest
from prometheus_client import REGISTRY

from vigil.core.profile import HARNESS, VIGIL_SMALL
from vigil.runtime.engine.client import Engine, EngineConfig
from vigil.runtime.engine.errors import (
    ControlTokensMissing,
    EngineAnswerInvalid,
    EngineError,
    EngineRejected,
    EngineTimeout,
    EngineUnreachable,
    ModelNotServed,
)
from vigil.testing.prompts import Pixels, request
from vigil.testing.script import Reply, in_order, silent
from vigil.testing.scripted_engine import ScriptedEngine


async def test_nothing_listens() -> None:
    async with ScriptedEngine() as gone:
        url = gone.url
    async with Engine(EngineConfig(url, "scripted")) as client:
        for call in (client.complete(request(0), Pixels(0)), client.ping(), client.check_model(VIGIL_SMALL)):
            with pytest.raises(EngineUnreachable, match=f"no engine answers at {url}") as caught:
                await call
            assert caught.value.retryable


async def test_an_engine_that_comes_back_is_used_again(scripted: ScriptedEngine, engine: Engine) -> None:
    await engine.complete(request(0), Pixels(0))
    await scripted.__aexit__(None, None, None)
    with pytest.raises(EngineUnreachable):
        await engine.complete(request(1), Pixels(1))
    scripted.forget()
    async with scripted:
        assert (await engine.complete(request(1), Pixels(1))).resent


@pytest.mark.parametrize(("status", "retryable"), [(500, True), (503, True), (429, True), (400, False), (401, False)])
async def test_an_error_status_says_what_the_engine_said(
    scripted: ScriptedEngine, engine: Engine, status: int, retryable: bool
) -> None:
    scripted.script = in_order([Reply("out of\n  memory", status=status)])
    with pytest.raises(EngineRejected, match=f"the engine answered {status}: out of memory") as caught:
        await engine.complete(request(0), Pixels(0))
    assert caught.value.retryable is retryable
    assert len(scripted.seen) == 1


async def test_a_hang_ends_at_the_deadline(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.script = lambda _: Reply(hang=True)
    with pytest.raises(EngineTimeout, match=r"did not answer within 0\.05 s") as caught:
        await engine.complete(request(0, deadline_s=0.05), Pixels(0))
    assert caught.value.retryable
    scripted.script = silent
    assert (await engine.complete(request(0), Pixels(0))).text == "</silence>"


@pytest.mark.parametrize("body", [b"<html>", b"null", b"{}", b'{"choices":[]}', b'{"choices":[{"message":3}]}'])
async def test_an_answer_that_is_no_completion(scripted: ScriptedEngine, engine: Engine, body: bytes) -> None:
    scripted.script = in_order([Reply(body=body)])
    with pytest.raises(EngineAnswerInvalid, match="is not OpenAI-compatible"):
        await engine.complete(request(0), Pixels(0))


async def test_missing_logprobs_and_usage_are_no_failure(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.script = in_order([Reply(body=b'{"choices":[{"message":{"content":null}}]}')])
    completion = await engine.complete(request(0), Pixels(0))
    assert (completion.text, dict(completion.first_token_logprobs), completion.cached_tokens) == ("", {}, 0)


async def test_a_model_that_is_not_served_is_named_with_those_that_are(scripted: ScriptedEngine) -> None:
    async with Engine(EngineConfig(scripted.url, "vigil-large")) as client:
        with pytest.raises(ModelNotServed, match=r"'vigil-large' \(it serves: scripted\)"):
            await client.check_model(VIGIL_SMALL)
        with pytest.raises(EngineRejected, match="404: The model `vigil-large` does not exist"):
            await client.complete(request(0), Pixels(0))


async def test_the_control_tokens_have_ids(engine: Engine) -> None:
    assert await engine.check_model(VIGIL_SMALL) == {"</silence>": 7, "</response>": 8, "</delegation>": 9}


async def test_a_model_without_the_control_tokens_is_refused() -> None:
    splits = frozenset({"</silence>", "</delegation>"})
    async with ScriptedEngine(splits=splits) as server, Engine(EngineConfig(server.url, "scripted")) as client:
        with pytest.raises(ControlTokensMissing, match="splits </silence>, </delegation>: use an interaction model"):
            await client.check_model(VIGIL_SMALL)


async def test_a_grammar_based_profile_needs_no_control_tokens(engine: Engine) -> None:
    assert await engine.check_model(HARNESS) == {}


async def test_ping_tells_a_sick_engine_from_a_well_one(scripted: ScriptedEngine, engine: Engine) -> None:
    await engine.ping()
    scripted.healthy = False
    with pytest.raises(EngineRejected, match="503"):
        await engine.ping()


async def test_failures_are_counted_by_kind_and_engine(scripted: ScriptedEngine, engine: Engine) -> None:
    labels = {"engine": engine.config.address, "outcome": "EngineRejected"}
    before = REGISTRY.get_sample_value("vigil_engine_requests_total", labels) or 0.0
    scripted.script = in_order([Reply("no", status=500)])
    with pytest.raises(EngineError):
        await engine.complete(request(0), Pixels(0))
    assert REGISTRY.get_sample_value("vigil_engine_requests_total", labels) == before + 1


def test_an_engine_is_named_without_its_credentials() -> None:
    assert EngineConfig("https://user:secret@gpu:8000/v1").address == "gpu:8000"


async def test_a_key_is_sent_and_never_shown(scripted: ScriptedEngine) -> None:
    config = EngineConfig(scripted.url, "scripted", api_key="sesame")
    assert "sesame" not in repr(config)
    async with Engine(config) as client:
        await client.complete(request(0), Pixels(0))
    assert scripted.seen[0].authorization == "Bearer sesame"
