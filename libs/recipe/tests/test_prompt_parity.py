"""Training and serving write the same bytes: the recipe's layout against the core's prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.command import Ask, Clear, Command, Instruct
from vigil.core.decide import Percept, decide
from vigil.core.instruction import Instruction, Watch
from vigil.core.message import Message, Text
from vigil.core.profile import VIGIL_SMALL
from vigil.core.prompt import prompt
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.turn import FrameRef, Turn
from vigil_recipe.scenarios import Line, Said, Scenario, sample_script
from vigil_recipe.scenarios.delegation import result_line
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import KEEP, STOP
from vigil_recipe.world import Split, make_episode

replies = st.sampled_from(["</silence>", "</response> A fire has started."])
lines = st.lists(
    st.sampled_from(["Alert me when a fire starts.", "Stop watching: Tell me if someone falls."]), max_size=2
)
turns = st.lists(st.tuples(st.integers(0, 86_400), lines, st.integers(1, 2), replies), min_size=1, max_size=6)


def written(messages: Sequence[Message]) -> str:
    """The core's messages as the model's chat template writes them."""
    text = ""
    for message in messages:
        parts = [part.text if isinstance(part, Text) else prompt_format.image_block(15) for part in message.parts]
        text += f"<|im_start|>{message.role}\n{''.join(parts)}<|im_end|>\n"
    return text + "<|im_start|>assistant\n"


@given(turns)
def test_the_core_writes_what_was_trained(made: list[tuple[int, list[str], int, str]]) -> None:
    frame = FrameRef("uuid", 160, 96)
    served = [
        Turn(index, second * 1000, (frame,) * images, reply, tuple(new))
        for index, (second, new, images, reply) in enumerate(made)
    ]
    trained = prompt_format.system_block()
    for second, new, images, reply in made:
        trained += prompt_format.user_block(new, float(second), [15] * images) + prompt_format.reply_block(reply)
    *before, newest = served
    messages = prompt(VIGIL_SMALL, Chunk(turns=tuple(before)), newest)
    assert written(messages) == trained.removesuffix(prompt_format.reply_block(made[-1][3]))


SPEC = SessionSpec("demo", "s-1", Source("cam", SourceKind.PUSHED), VIGIL_SMALL.name, VIGIL_SMALL.name)
FRAME = FrameRef("uuid", 160, 96)


def command(line: Line) -> Command:
    """What a client sends so that the model is told this line; a watch is called after its words."""
    name = hashlib.sha256(line.text.removeprefix(STOP).encode()).hexdigest()[:8]
    match line.said:
        case Said.INSTRUCTION:
            return Instruct(Instruction(name, line.text, Watch(name)))
        case Said.CLEARING:
            return Clear(name)
        case _:
            return Ask("q", line.text)


@pytest.mark.parametrize("seed", range(40))
def test_the_core_tells_of_watches_what_the_scripts_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    script = sample_script(rng, Scenario.ALERTING, make_episode(seed, Split.VALIDATION, 40), 40)
    state, told, expected = SessionState(), [], []
    for index, turn in enumerate(script.turns):
        commands = tuple(command(line) for line in turn.lines if line.said is not Said.KEPT)
        state, infer = decide(SPEC, VIGIL_SMALL, state, Percept(index * 1000, index, (FRAME,), commands))
        assert infer is not None
        told.append(infer.turn.queries)
        expected.append(tuple(line.text for line in turn.lines))
        state = replace(state, chunk=replace(state.chunk, turns=(*state.chunk.turns, infer.turn)))
    assert told == expected
    assert {line.said for turn in script.turns for line in turn.lines if line.text.startswith(KEEP)} <= {Said.KEPT}


def test_the_scripts_name_watches_again() -> None:
    """Many of them, so that the test above is about something."""
    scripts = [
        sample_script(np.random.default_rng(seed), Scenario.ALERTING, make_episode(seed, Split.VALIDATION, 40), 40)
        for seed in range(40)
    ]
    kept = [line for script in scripts for turn in script.turns for line in turn.lines if line.said is Said.KEPT]
    assert len(kept) > 5


def test_the_profile_keeps_a_camera_at_the_trained_size() -> None:
    assert VIGIL_SMALL.fit(640, 384) == VIGIL_SMALL.fit(1280, 720) == (160, 96)
    assert VIGIL_SMALL.visual_tokens(160, 96) == 15


def test_a_result_is_told_as_the_scripts_tell_it() -> None:
    question, answer = "What is 12 times 34?", "It is 408."
    assert VIGIL_SMALL.result_line(question, answer) == result_line(question, answer)
