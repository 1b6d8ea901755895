"""The client against the real engine: stock vLLM on the CPU, serving the model that the repository ships."""

from dataclasses import replace

import aiohttp
import pytest
from system import System

from vigil.core.control import CONTROL_TOKENS
from vigil.core.profile import HARNESS, VIGIL_SMALL
from vigil.runtime.engine.client import Engine, EngineConfig
from vigil.runtime.engine.errors import ImagesMissing
from vigil.testing.prompts import Pixels, request

NAME = "vigil-small"
COLD_S = 60.0

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def served(vigil: System) -> str:
    """The address of the running system's engine."""
    return str(vigil.endpoints["engine_url"])


async def prefix_cache(url: str) -> tuple[float, float]:
    """Tokens looked up in the engine's prefix cache, and tokens found there."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as response:
        lines = (await response.text()).splitlines()
    names = ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total")
    queries, hits = (sum(float(line.split()[-1]) for line in lines if line.startswith(name)) for name in names)
    return queries, hits


async def test_a_chunk_of_ninety_turns_is_cached_and_its_requests_stay_small(served: str) -> None:
    async with Engine(EngineConfig(served, NAME)) as client:
        await client.check_model(VIGIL_SMALL)  # also tells the client that this engine takes compressed requests
        before = await prefix_cache(served)
        turns = [await client.complete(request(turn, COLD_S), Pixels(0)) for turn in range(90)]
        after = await prefix_cache(served)
    assert not any(turn.resent for turn in turns)
    assert (after[1] - before[1]) / (after[0] - before[0]) >= 0.9
    assert sum(turn.cached_tokens for turn in turns) / sum(turn.prompt_tokens for turn in turns) >= 0.9
    sizes = sorted(turn.request_bytes for turn in turns[2:])
    middle = sizes[len(sizes) // 2]
    assert 0.8 * middle <= sizes[0] <= sizes[-1] <= 1.2 * middle
    visual = VIGIL_SMALL.visual_tokens(160, 96) + 2
    assert turns[1].prompt_tokens - turns[0].prompt_tokens > visual


async def test_the_first_token_is_a_control_token_with_its_log_probability(served: str) -> None:
    async with Engine(EngineConfig(served, NAME)) as client:
        ids = await client.check_model(VIGIL_SMALL)
        assert list(ids) == list(CONTROL_TOKENS)
        completion = await client.complete(request(0, COLD_S), Pixels(0))
        first = completion.first_token_logprobs
        assert max(first, key=lambda token: first[token]) in CONTROL_TOKENS
        assert max(first.values()) <= 0.0
        biased = await client.complete(
            replace(request(0, COLD_S), logit_bias={ids["</response>"]: 100.0}, max_tokens=4), Pixels(0)
        )
        assert biased.text.startswith("</response>")


async def test_a_grammar_holds_an_untrained_model_to_its_form(served: str) -> None:
    async with Engine(EngineConfig(served, NAME)) as client:
        completion = await client.complete(replace(request(0, COLD_S), regex=HARNESS.grammar), Pixels(0))
    assert completion.text.startswith(("QUIET", "SPEAK: "))


async def test_pictures_that_the_engine_never_saw_are_sent_in_full_once(served: str) -> None:
    asked = request(95, COLD_S)  # frames 90 to 94 were in no earlier prompt
    async with Engine(EngineConfig(served, NAME)) as client:
        with pytest.raises(ImagesMissing):
            await client.complete(asked, Pixels(0))
        assert (await client.complete(asked, Pixels(95))).resent
        assert not (await client.complete(asked, Pixels(0))).resent
