"""Training and serving write the same bytes: the recipe's layout against the core's prompt."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from vigil.core.profile import VIGIL_SMALL
from vigil.core.prompt import Message, Text, prompt
from vigil.core.session import Chunk
from vigil.core.turn import FrameRef, Turn
from vigil_recipe import layout

replies = st.sampled_from(["</silence>", "</response> A fire has started."])
lines = st.lists(
    st.sampled_from(["Alert me when a fire starts.", "Stop watching: Tell me if someone falls."]), max_size=2
)
turns = st.lists(st.tuples(st.integers(0, 86_400), lines, st.integers(1, 2), replies), min_size=1, max_size=6)


def written(messages: Sequence[Message]) -> str:
    """The core's messages as the model's chat template writes them."""
    text = ""
    for message in messages:
        parts = [part.text if isinstance(part, Text) else layout.image_block(15) for part in message.parts]
        text += f"<|im_start|>{message.role}\n{''.join(parts)}<|im_end|>\n"
    return text + "<|im_start|>assistant\n"


@given(turns)
def test_the_core_writes_what_was_trained(made: list[tuple[int, list[str], int, str]]) -> None:
    frame = FrameRef("uuid", 160, 96)
    served = [
        Turn(index, second * 1000, (frame,) * images, reply, tuple(new))
        for index, (second, new, images, reply) in enumerate(made)
    ]
    trained = layout.system_block()
    for second, new, images, reply in made:
        trained += layout.user_block(new, float(second), [15] * images) + layout.reply_block(reply)
    *before, newest = served
    messages = prompt(VIGIL_SMALL, Chunk(turns=tuple(before)), newest)
    assert written(messages) == trained.removesuffix(layout.reply_block(made[-1][3]))


def test_the_profile_keeps_a_camera_at_the_trained_size() -> None:
    assert VIGIL_SMALL.fit(640, 384) == VIGIL_SMALL.fit(1280, 720) == (160, 96)
    assert VIGIL_SMALL.visual_tokens(160, 96) == 15
