"""Prompts of earlier turns, rebuilt from the state: exactly those that were asked, over every boundary of chunks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.command import Ask, Clear, Command, Instruct, Reset
from vigil.core.decide import Completion, Percept, decide, settle
from vigil.core.instruction import Instruction, Watch
from vigil.core.message import Message
from vigil.core.profile import PROFILES, VIGIL_SMALL, PromptProfile
from vigil.core.prompt import asked_for
from vigil.core.session import Chunk, SessionSpec, SessionState, Window
from vigil.core.source import Source, SourceKind
from vigil.core.turn import FrameRef, Result, Turn

FIRE = Instruction("w-fire", "Alert me when a fire starts.", Watch("fire"))
GREET = Instruction("i-greet", "Greet everyone.")
SOURCE = Source("cam-1", SourceKind.RTSP, "rtsp://user:secret@camera")
SPEC = SessionSpec("demo", "s-1", SOURCE, "vigil-small", "vigil-small", window=Window(6, 2))
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(Ask, st.just("q-1"), st.sampled_from(["Is it dark?", "How many cups?"])),
    st.sampled_from([Instruct(FIRE), Instruct(GREET), Instruct(replace(GREET, text="Greet nobody."))]),
    st.sampled_from([Clear("w-fire"), Clear("i-greet"), Reset()]),
)
replies = st.sampled_from(
    ["</silence>", "</response> A grey wall.", "</response> Let me see. </delegation> How many?", "no control word"]
)
turns = st.lists(st.tuples(st.lists(commands, max_size=2), replies, st.integers(1, 2)), max_size=16)


def observed(sequence: int, told: list[Command], pictures: int, state: SessionState) -> Percept:
    """What the turn sees; a task that is open gets its result."""
    frames = tuple(FrameRef(f"f{sequence}-{index}", 160, 96) for index in range(pictures))
    results = tuple(Result(task.id, "Seven.") for task in state.tasks[:1])
    return Percept(sequence * 1_000, sequence * 1_000_000, frames, tuple(told), results)


@given(st.sampled_from(list(PROFILES.values())), turns)
def test_the_prompt_of_every_turn_of_the_chunk_is_the_one_that_was_asked(
    profile: PromptProfile, script: list[tuple[list[Command], str, int]]
) -> None:
    spec, state = replace(SPEC, profile=profile.name), SessionState()
    asked: dict[int, tuple[tuple[Message, ...], int]] = {}
    for sequence, (told, reply, pictures) in enumerate(script):
        planned, infer = decide(spec, profile, state, observed(sequence, told, pictures, state))
        assert infer is not None
        asked[sequence] = (infer.messages, planned.chunk.number)
        state = settle(spec, profile, planned, infer, Completion(reply, {})).state
        for turn in state.chunk.turns:
            messages, chunk = asked[turn.sequence]
            expected = messages if chunk == state.chunk.number else None
            assert asked_for(profile, state.chunk, turn.sequence) == expected


def turn(sequence: int) -> Turn:
    return Turn(sequence, sequence * 1_000, (FrameRef(f"f{sequence}", 160, 96),), "</silence>")


@pytest.mark.parametrize(
    ("chunk", "shown"),
    [
        (Chunk(turns=(turn(0), turn(1))), [0, 1]),
        (Chunk(2, (), (turn(7), turn(8), turn(9)), began_at=9), [9]),
        (Chunk(2, (), (turn(7), turn(8)), began_at=9), []),  # what was asked is not committed yet
        (Chunk(2, (), (turn(7), turn(8))), []),  # an older release began it
    ],
)
def test_a_turn_that_was_carried_into_the_chunk_was_asked_with_another_prompt(chunk: Chunk, shown: list[int]) -> None:
    assert [number for number in range(-1, 12) if asked_for(VIGIL_SMALL, chunk, number) is not None] == shown
