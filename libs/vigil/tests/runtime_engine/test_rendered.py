"""Prompts as bytes, of which each message is rendered once: always the bytes that rendering anew would give."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.message import Message, Text
from vigil.core.profile import VIGIL_SMALL
from vigil.core.prompt import Asked, prompt
from vigil.core.session import Chunk
from vigil.core.turn import Turn
from vigil.runtime.engine.wire import Rendered, completion_body
from vigil.testing.prompts import frame, picture


def body(messages: tuple[Message, ...], newest: int, rendered: Rendered | None) -> bytes:
    pixels = {frame(newest).uuid: picture(newest)}
    return completion_body("m", messages, pixels, max_tokens=1, logit_bias={}, regex="", rendered=rendered)


@given(st.lists(st.sampled_from(["next", "fails", "boundary", "elsewhere"]), max_size=12))
def test_what_was_rendered_before_changes_no_byte(steps: list[str]) -> None:
    rendered, chunk, last = Rendered(), Chunk(), None
    for number, step in enumerate(steps):
        new = Turn(number, number * 1000, (frame(number),), "</silence>")
        messages = prompt(VIGIL_SMALL, chunk, new, last)
        assert body(messages, number, rendered) == body(messages, number, None)
        last = None if step == "elsewhere" else Asked(chunk, messages)
        if step == "boundary":
            chunk = Chunk(chunk.number + 1, (Text("Watch.\n"),), chunk.turns[-2:])
        elif step != "fails":
            chunk = Chunk(chunk.number, chunk.prefix, (*chunk.turns, new))


def test_a_picture_travels_once_and_then_goes_by_its_name() -> None:
    rendered, chunk, last = Rendered(), Chunk(), None
    for number in range(3):
        new = Turn(number, number * 1000, (frame(number),), "</silence>")
        messages = prompt(VIGIL_SMALL, chunk, new, last)
        sent = msgspec.json.decode(body(messages, number, rendered))["messages"]
        urls = [part["image_url"] for one in sent if one["role"] == "user" for part in one["content"] if "uuid" in part]
        assert [url is not None for url in urls] == [False] * number + [True]
        chunk, last = Chunk(turns=(*chunk.turns, new)), Asked(chunk, messages)
