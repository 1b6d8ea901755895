"""The longest prompt of a session against the context of its model: what is refused, and what the refusal says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.chunk import is_full
from vigil.core.context_length import check_fits, longest_prompt
from vigil.core.control import SILENCE
from vigil.core.errors import InvalidSpec
from vigil.core.memory import Block, Memory, MemoryLimits, block_id, tokens
from vigil.core.message import Image, Text
from vigil.core.profile import PROFILES, PromptProfile
from vigil.core.prompt import chunk_prefix, prompt
from vigil.core.session import Cadence, Chunk, SessionSpec, SessionState, Window
from vigil.core.source import Source, SourceKind
from vigil.core.turn import FrameRef, Turn

JOYAI = PROFILES["joyai"]
CAMERA = Source("lobby", SourceKind.RTSP, "rtsp://camera/1")
OFF, ON = MemoryLimits(), MemoryLimits(is_on=True)


def spec(memory: MemoryLimits = OFF, *, chunk: int = 100, frames: int = 1) -> SessionSpec:
    """A session of these sizes."""
    cadence, window = Cadence(frames_per_turn=frames), Window(chunk, min(9, chunk - 1))
    return SessionSpec("demo", "s-1", CAMERA, "joyai", "large", cadence, window, memory=memory)


def test_the_defaults_fit_into_what_the_presets_serve_also_with_memory() -> None:
    size = longest_prompt(spec(ON), JOYAI)
    assert (size.turns, size.dialogue) == (27_200, 2_000)
    assert size.memory > ON.most_tokens + ON.most_pictures * 256
    check_fits(spec(ON), JOYAI, 40_960)


def test_memory_that_is_off_takes_nothing() -> None:
    assert longest_prompt(spec(), JOYAI).memory == 0
    check_fits(spec(), JOYAI, 32_768)


def test_what_cannot_fit_is_refused_with_the_numbers_and_what_to_lower() -> None:
    with pytest.raises(InvalidSpec) as refused:
        check_fits(spec(ON), JOYAI, 32_768)
    said = str(refused.value)
    size = longest_prompt(spec(ON), JOYAI)
    for number in (size.total, size.memory, size.turns, size.dialogue, 32_768):
        assert f"{number:,}" in said
    assert "the model 'large' takes 32,768: lower window.chunk_turns to" in said
    assert "or lower memory.long_tokens, memory.block_tokens, memory.mid_blocks or memory.key_frames" in said
    assert "--max-model-len" in said


def test_following_the_advice_makes_it_fit() -> None:
    with pytest.raises(InvalidSpec) as refused:
        check_fits(spec(ON), JOYAI, 32_768)
    turns = int(str(refused.value).partition("lower window.chunk_turns to ")[2].split()[0])
    check_fits(spec(ON, chunk=turns), JOYAI, 32_768)
    with pytest.raises(InvalidSpec):
        check_fits(spec(ON, chunk=turns + 1), JOYAI, 32_768)


def test_where_no_chunk_is_short_enough_none_is_advised() -> None:
    with pytest.raises(InvalidSpec) as refused:
        check_fits(spec(ON, frames=2), JOYAI, 4_096)
    assert "window.chunk_turns" not in str(refused.value)
    assert ": lower cadence.frames_per_turn, or lower memory.long_tokens" in str(refused.value)


def test_a_context_that_no_engine_tells_is_not_checked() -> None:
    check_fits(spec(ON, chunk=125, frames=2), JOYAI, 0)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(chunk=st.integers(2, 12), frames=st.integers(1, 3))
def test_no_silent_prompt_is_longer(profile: PromptProfile, chunk: int, frames: int) -> None:
    """The text of a whole chunk with full memory, counted as the core counts, without the marks of messages."""
    limits = replace(ON, block_tokens=32, long_tokens=200)
    asked = replace(spec(limits, chunk=chunk, frames=frames), profile=profile.name)
    blocks = tuple(_block(place, int(place < limits.long_blocks)) for place in range(25))
    blocks = blocks[: limits.long_blocks + limits.most_mid_blocks]
    prefix = chunk_prefix(profile, (), (), Memory(blocks))
    picture = FrameRef("f", 512, 512)
    turns = tuple(Turn(place, place * 1_000, (picture,) * frames, SILENCE) for place in range(chunk))
    assert is_full(SessionState(chunk=Chunk(turns=turns)), asked, 0)
    messages = prompt(profile, Chunk(1, prefix, turns[:-1]), replace(turns[-1], reply=""))
    parts = [part for message in messages for part in message.parts]
    text = "".join(part.text for part in parts if isinstance(part, Text))
    shown = sum(isinstance(part, Image) for part in parts) * (profile.max_pixels // profile.pixel_multiple**2)
    words = len(text.split())  # no tokenizer has fewer tokens than words; the core counts more than there are
    size = longest_prompt(asked, profile)
    assert words + shown <= size.total
    assert sum(tokens(block.text) for block in blocks) <= size.memory


def _block(place: int, level: int) -> Block:
    begin, end = place * 10_000, (place + 1) * 10_000
    return Block(block_id(begin, end, level), level, begin, end, "A door opens. " * 3)
