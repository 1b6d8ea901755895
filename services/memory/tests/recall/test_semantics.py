"""An embedding model behind a recall: asked over HTTP, never waited for, and nothing of a session outlives it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from vigil.core.ids import SessionKey
from vigil.core.memory import Block
from vigil.runtime.process.config import load
from vigil.runtime.process.startup import StartupError
from vigil.testing.eventually import eventually
from vigil_memory.config import MemorySettings
from vigil_memory.recall import metrics
from vigil_memory.recall.blending import NO_NEARNESS
from vigil_memory.recall.opened import open_semantics
from vigil_memory.recall.semantics import BATCH, Semantics

Api = Any  # the fixture of conftest.py, which importlib mode does not let tests import

KEY = SessionKey("demo", "s-1")
CAR, DOG = "A red car stood at the gate.", "A dog lay on the mat."
MEANT = {"vehicle": [1.0, 0.0], CAR: [0.9, 0.1], DOG: [0.0, 1.0]}


def embedded(call: Mapping[str, Any]) -> web.Response:
    """A stand-in for a model: what was said of a text in `MEANT`, in an order of its own."""
    data = [
        {"object": "embedding", "index": place, "embedding": MEANT.get(text, [0.5, 0.5])}
        for place, text in enumerate(call["input"])
    ]
    return web.json_response({"object": "list", "model": call["model"], "data": data[::-1]})


def answered(outcome: str) -> float:
    return float(metrics.EMBEDDINGS.labels(outcome)._value.get())


@asynccontextmanager
async def opened(api: Api, **given: Any) -> AsyncIterator[Semantics]:
    api.answers = [embedded]
    settings = {"embeddings_url": f"{api.url}/v1", "embeddings_model": "m", "embeddings_api_key": "k", **given}
    async with open_semantics(load(MemorySettings, settings)) as semantics:
        assert semantics is not None
        yield semantics


async def learned(semantics: Semantics, *texts: str) -> dict[str, float]:
    """The cosines, once all of these sentences have a vector."""

    async def all_known() -> dict[str, float]:
        found = dict((await semantics.nearness(KEY, "vehicle", texts)).cosines)
        return found if len(found) == len(texts) else {}

    return await eventually(all_known, what="every sentence has a vector")


async def test_sentences_get_vectors_beside_and_are_near_from_the_next_question_on(api: Api) -> None:
    async with opened(api, embeddings_least=0.7) as semantics:
        first = await semantics.nearness(KEY, "vehicle", [DOG, CAR])
        cosines = await learned(semantics, DOG, CAR)
        calls = len(api.calls)
        again = await semantics.nearness(KEY, "vehicle", [DOG, CAR])
    assert first.least == 0.7
    assert cosines[CAR] > 0.9
    assert cosines[DOG] == pytest.approx(0.0)
    assert dict(again.cosines) == cosines
    assert len(api.calls) == calls + 1, "only the question was embedded"
    assert {call["model"] for call in api.calls} == {"m"}
    assert {headers["Authorization"] for headers in api.headers} == {"Bearer k"}


async def test_many_sentences_go_in_calls_of_a_few(api: Api) -> None:
    texts = [f"Sentence {number}." for number in range(2 * BATCH + 1)]
    async with opened(api) as semantics:
        await learned(semantics, *texts)
    assert max(len(call["input"]) for call in api.calls) == BATCH
    sent = [text for call in api.calls for text in call["input"] if text != "vehicle"]
    assert sorted(sent) == sorted(texts), "each once"
    assert sent[0] == texts[-1], "the newest first"


async def test_the_sentences_of_a_block_get_their_vectors_when_it_is_written(api: Api) -> None:
    async with opened(api) as semantics:
        semantics.learn(KEY, Block("0-5000-0", 0, 0, 5_000, f"{CAR} {DOG}"))

        async def near() -> dict[str, float]:
            return dict((await semantics.nearness(KEY, "vehicle", [CAR, DOG])).cosines)

        cosines = await eventually(near, what="they have a vector")
    assert cosines.keys() == {CAR, DOG}
    assert [call["input"] for call in api.calls if call["input"] != ["vehicle"]] == [[DOG, CAR]]


async def test_vectors_of_many_numbers_are_read(api: Api) -> None:
    async with opened(api) as semantics:
        api.answers = [
            lambda call: web.json_response(
                {"data": [{"index": place, "embedding": [0.123456789] * 4_096} for place in range(len(call["input"]))]}
            )
        ]
        found = await learned(semantics, *(f"Sentence {number}." for number in range(BATCH)))
    assert len(found) == BATCH


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda call: web.Response(status=500), "unavailable"),
        (lambda call: web.Response(status=401), "refused"),
        (lambda call: web.json_response({"data": []}), "invalid"),
        (lambda call: web.json_response({"data": [{"index": 1, "embedding": [1.0]}]}), "invalid"),
        (lambda call: web.json_response({"data": [{"index": 0, "embedding": []}]}), "invalid"),
        (lambda call: web.json_response({"data": [{"index": 0, "embedding": ["a"]}]}), "invalid"),
        (lambda call: web.Response(body=b"garbage"), "invalid"),
    ],
)
async def test_a_model_that_fails_costs_the_meaning_and_not_the_recall(api: Api, answer: Any, kind: str) -> None:
    before = answered(kind)
    async with opened(api) as semantics:
        api.answers = [answer]
        assert await semantics.nearness(KEY, "vehicle", [CAR]) == NO_NEARNESS
    assert answered(kind) > before


async def test_a_model_that_is_slow_is_not_waited_for(api: Api) -> None:
    before = answered("timeout")
    async with opened(api) as semantics:
        api.may_answer.clear()
        assert await semantics.nearness(KEY, "vehicle", [CAR]) == NO_NEARNESS
    assert answered("timeout") == before + 1


async def test_nothing_that_was_derived_from_a_session_outlives_it(api: Api) -> None:
    async with opened(api) as semantics:
        await learned(semantics, CAR)
        assert metrics.VECTOR_BYTES._value.get() > 0
        semantics.forget(KEY)
        assert metrics.VECTOR_BYTES._value.get() == 0
        late = await semantics.nearness(KEY, "vehicle", [CAR])
        sent = [text for call in api.calls for text in call["input"]]
    assert dict(late.cosines) == {}
    assert sent.count(CAR) == 1, "a question that was under way learns nothing anew"


async def test_a_session_that_ends_ends_the_call_for_its_sentences(api: Api) -> None:
    async with opened(api) as semantics:
        api.may_answer.clear()
        asking = asyncio.create_task(semantics.nearness(KEY, "vehicle", [CAR]))
        await eventually(lambda: len(api.calls) == 2, what="the sentences are asked for")
        semantics.forget(KEY)
        await asking
        api.may_answer.set()
        assert dict((await semantics.nearness(KEY, "vehicle", [CAR])).cosines) == {}


async def test_without_an_address_there_is_none_and_an_address_needs_a_model() -> None:
    async with open_semantics(load(MemorySettings, {})) as semantics:
        assert semantics is None
    with pytest.raises(StartupError, match="VIGIL_EMBEDDINGS_MODEL"):
        async with open_semantics(load(MemorySettings, {"embeddings_url": "http://x/v1"})):
            pass
