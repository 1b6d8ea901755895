"""Where a chunk ends: by its turns, and by its pictures, of which an engine takes so many in one prompt."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.chunk import shorter, tail, turns_left
from vigil.core.decide import Completion, Percept, decide, settle
from vigil.core.memory import MemoryLimits
from vigil.core.message import Image
from vigil.core.prewarm import Warm, warm
from vigil.core.profile import VIGIL_SMALL
from vigil.core.session import MAX_PICTURES, Chunk, SessionSpec, SessionState, Window
from vigil.core.source import Source, SourceKind
from vigil.core.turn import Exchange, FrameRef, Turn

ENGINE_PICTURES = 256  # of deploy/engine/serve.sh
OFF = MemoryLimits(is_on=False)


def spec(window: Window) -> SessionSpec:
    return SessionSpec("demo", "s", Source("cam", SourceKind.PUSHED), "vigil-small", "m", window=window, memory=OFF)


def play(window: Window, pictures: list[int]) -> tuple[list[int], list[tuple[int, int]], list[Warm]]:
    """Turns with so many pictures each: the pictures of each prompt, turns and pictures of each new chunk's beginning,
    and what was warmed last for each chunk."""
    state, before = SessionState(), None
    shown: list[int] = []
    carried: list[tuple[int, int]] = []
    warmed: dict[int, Warm] = {}
    for number, count in enumerate(pictures):
        frames = tuple(FrameRef(f"f{number}-{index}", 32, 32) for index in range(count))
        told, infer = decide(spec(window), VIGIL_SMALL, state, Percept(number * 1_000, number * 1_000_000, frames))
        assert infer is not None
        shown.append(sum(isinstance(part, Image) for message in infer.messages for part in message.parts))
        if infer.restart:
            carried.append((len(told.chunk.turns), len(told.chunk.frames)))
            if told.chunk.number in warmed:
                known = warmed[told.chunk.number].messages
                is_warm = infer.messages[: len(known)] == known
                assert is_warm or len(set(pictures)) > 1, "what was warmed is what is asked"
        state = settle(spec(window), VIGIL_SMALL, told, infer, Completion("</silence>", {})).state
        before = warm(spec(window), VIGIL_SMALL, state, before, 10) or before
        if before is not None and before.left == 0:
            warmed[before.chunk] = before
    return shown, carried, list(warmed.values())


@given(st.lists(st.integers(1, 8), max_size=120), st.integers(2, 250), st.integers(0, 249))
def test_no_prompt_has_more_pictures_than_an_engine_takes(counts: list[int], chunk_turns: int, tail_turns: int) -> None:
    shown, _, _ = play(Window(chunk_turns, min(tail_turns, chunk_turns - 1)), counts)
    assert max(shown, default=0) <= MAX_PICTURES <= ENGINE_PICTURES


@pytest.mark.parametrize(
    ("window", "each", "carried"),
    [
        (Window(), 8, (9, 72)),  # the 32nd turn begins a chunk with nine turns of the last one
        (Window(100, 90), 8, (21, 168)),  # fewer than asked for: ten turns still fit behind them
        (Window(100, 0), 8, (0, 0)),
        (Window(250, 249), 1, (249, 249)),
        (Window(100, 9), 1, (9, 9)),
    ],
)
def test_a_chunk_of_many_pictures_turns_over_early_and_leaves_room(
    window: Window, each: int, carried: tuple[int, int]
) -> None:
    _, boundaries, warmed = play(window, [each] * 260)
    assert boundaries[0] == carried
    assert set(boundaries) == {carried}
    assert window == Window(100, 0) or warmed, "and is warmed before"


def test_the_turns_that_are_left_are_those_until_the_next_chunk() -> None:
    turns = tuple(Turn(number, number, (FrameRef(f"f{number}", 1, 1),) * 8, "") for number in range(40))
    left = [turns_left(SessionState(chunk=Chunk(turns=turns[:count])), spec(Window())) for count in (0, 1, 30, 31)]
    assert left == [100, 30, 1, 0]
    assert [before - after for before, after in pairwise(left[1:])] == [29, 1]


def test_the_tail_is_what_is_there_already_of_it() -> None:
    turns = tuple(Turn(number, number, (FrameRef(f"f{number}", 1, 1),), "") for number in range(98))
    state = SessionState(98, chunk=Chunk(turns=turns))
    assert [turn.sequence for turn in tail(state, spec(Window()), left=2)] == list(range(91, 98))
    assert tail(state, spec(Window()), left=20) == ()


def test_what_is_left_out_is_first_the_turns_and_then_the_dialogue() -> None:
    turn, exchange = Turn(0, 0, (FrameRef("f", 1, 1),), ""), Exchange("Who is there?", 0, "A man.", 0)
    whole = SessionState(1, 0, Chunk(turns=(turn,)), dialogue=(exchange,))
    without_turns, without_dialogue = shorter(spec(Window()), VIGIL_SMALL, whole)
    assert (without_turns.chunk.turns, without_turns.dialogue) == ((), (exchange,))
    assert (without_dialogue.chunk.turns, without_dialogue.dialogue) == ((), ())
    assert shorter(spec(Window()), VIGIL_SMALL, SessionState()) == ()
