"""What a completion carries there and back."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from prometheus_client import REGISTRY

from vigil.core.control import RESPONSE, SILENCE
from vigil.core.message import Message, Text
from vigil.core.profile import HARNESS
from vigil.runtime.engine.client import Engine, EngineConfig
from vigil.runtime.engine.wire import Sampling
from vigil.testing.images import jpeg
from vigil.testing.prompts import Pixels, frame, picture, request
from vigil.testing.script import Reply, in_order, when_red
from vigil.testing.scripted_engine import ScriptedEngine


async def test_the_reply_and_the_probabilities_of_its_first_token(scripted: ScriptedEngine, engine: Engine) -> None:
    logprobs = {RESPONSE: math.log(0.7), SILENCE: math.log(0.3)}
    scripted.script = in_order([Reply(f"{RESPONSE} A fire has started.", logprobs)])
    completion = await engine.complete(request(0), Pixels(0))
    assert completion.text == "</response> A fire has started."
    assert completion.first_token_logprobs == pytest.approx(logprobs)
    assert completion.engine_ms > 0
    assert not completion.resent


async def test_the_request_is_greedy_and_asks_for_log_probabilities(scripted: ScriptedEngine, engine: Engine) -> None:
    await engine.complete(request(0), Pixels(0))
    body = dict(scripted.seen[0].body)
    assert [message["role"] for message in body.pop("messages")] == ["system", "user"]
    assert body == {
        "model": "scripted",
        "temperature": 0,
        "max_tokens": 48,
        "skip_special_tokens": False,
        "logprobs": True,
        "top_logprobs": 20,
    }


async def test_bias_and_regex_travel_when_they_are_given(scripted: ScriptedEngine, engine: Engine) -> None:
    asked = replace(request(0), logit_bias={8: 2.0, 7: -1.5}, regex=HARNESS.grammar)
    await engine.complete(asked, Pixels(0))
    body = scripted.seen[0].body
    assert body["logit_bias"] == {"8": 2.0, "7": -1.5}
    assert body["structured_outputs"] == {"regex": HARNESS.grammar}


async def test_a_reply_that_has_begun_is_gone_on_with_at_its_temperature(
    scripted: ScriptedEngine, engine: Engine
) -> None:
    begun = (*request(0).messages, Message("assistant", (Text(RESPONSE),)))
    scripted.script = in_order([Reply(" A fire.")])
    asked = replace(request(0), messages=begun, rendered=None, sampling=Sampling(0.7, seed=3, stop="</delegation>"))
    completion = await engine.complete(asked, Pixels(0))
    body = scripted.seen[0].body
    assert completion.text == " A fire."
    assert (body["temperature"], body["seed"], body["stop"]) == (0.7, 3, ["</delegation>"])
    assert body["continue_final_message"] is True
    assert body["add_generation_prompt"] is False
    assert body["messages"][-1] == {"role": "assistant", "content": RESPONSE}


async def test_text_and_pictures_keep_their_order_and_bytes(scripted: ScriptedEngine, engine: Engine) -> None:
    await engine.complete(request(0), Pixels(0))
    await engine.complete(request(1), Pixels(0))
    system, first, reply, second = scripted.seen[1].body["messages"]
    assert system == {"role": "system", "content": "You watch a camera."}
    assert first["content"] == [
        {"type": "text", "text": "<0.0 seconds>\n"},
        {"type": "image_url", "image_url": None, "uuid": "frame-0"},
    ]
    assert reply == {"role": "assistant", "content": "</silence>"}
    assert second["content"][0] == {"type": "text", "text": "<1.0 seconds>\n"}
    assert scripted.seen[1].fresh == {"frame-1": picture(1)}


async def test_only_the_newest_picture_travels_so_bytes_hardly_grow(scripted: ScriptedEngine, engine: Engine) -> None:
    """A turn of history costs its text and a UUID: under 200 bytes, where a frame costs thousands."""
    pixels = Pixels(0)
    sizes = [(await engine.complete(request(turn), pixels)).request_bytes for turn in range(30)]
    assert [list(seen.fresh) for seen in scripted.seen] == [[frame(turn).uuid] for turn in range(30)]
    assert sizes == [seen.request_bytes for seen in scripted.seen]
    pictures = [len(picture(turn)) * 4 / 3 for turn in range(30)]
    text = [size - size_of_picture for size, size_of_picture in zip(sizes, pictures, strict=True)]
    assert all(later - earlier < 200 for earlier, later in pairwise(text))
    assert pixels.asked == []


async def test_compressed_requests_are_as_large_as_their_new_picture(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.gzip = True
    await engine.check_model(HARNESS)
    sizes = [(await engine.complete(request(turn), Pixels(0))).request_bytes for turn in range(90)]
    assert sizes == [seen.request_bytes for seen in scripted.seen]
    assert max(sizes[2:]) < 1.2 * min(sizes[2:])
    assert scripted.seen[-1].fresh == {"frame-89": picture(89)}


async def test_requests_are_compressed_only_while_the_engine_says_that_it_takes_them(
    scripted: ScriptedEngine, engine: Engine
) -> None:
    sizes = []
    for gzip in (False, True, False):  # learned from the refusal that comes before the full request
        scripted.gzip = gzip
        sizes.append((await engine.complete(request(40), Pixels(40))).request_bytes)
        scripted.forget()
    plain, compressed, plain_again = sizes
    assert plain == plain_again
    assert compressed < 0.8 * plain


async def test_cached_tokens_are_those_of_the_stable_prefix(scripted: ScriptedEngine, engine: Engine) -> None:
    first = await engine.complete(request(0), Pixels(0))
    second = await engine.complete(request(1), Pixels(0))
    assert first.cached_tokens == 0
    assert second.cached_tokens == first.prompt_tokens
    assert second.prompt_tokens > second.cached_tokens


async def test_the_url_may_end_in_v1(scripted: ScriptedEngine) -> None:
    async with Engine(EngineConfig(f"{scripted.url}/v1/", "scripted")) as client:
        assert (await client.complete(request(0), Pixels(0))).text == SILENCE


async def test_success_is_counted_in_base_units_and_by_engine(engine: Engine) -> None:
    address = engine.config.address

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    completion = await engine.complete(request(0), Pixels(0))
    assert value("vigil_engine_requests_total", engine=address, outcome="ok") == 1
    assert value("vigil_engine_prompt_tokens_total", engine=address) == completion.prompt_tokens


async def test_a_script_can_look_at_the_picture(scripted: ScriptedEngine, engine: Engine) -> None:
    scripted.script = when_red()
    asked = request(0)
    red = replace(asked, fresh={"frame-0": jpeg((230, 40, 20))})
    quiet = await engine.complete(asked, Pixels(0))
    known = await engine.complete(red, Pixels(0))
    scripted.forget("frame-0")
    loud = await engine.complete(red, Pixels(0))
    assert (quiet.text, loud.text) == (SILENCE, "</response> A fire has started.")
    assert known.text == SILENCE, "as vLLM: a UUID stays the picture that it was"
