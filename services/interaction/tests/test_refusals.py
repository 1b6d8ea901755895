"""What is tried when an engine refuses prompts again and again: by value."""

from itertools import count, pairwise

import pytest

from vigil.core.command import Ask
from vigil.core.memory import Block
from vigil.core.profile import VIGIL_SMALL
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.turn import Exchange, FrameRef, Turn
from vigil.runtime.engine.errors import (
    EngineAnswerInvalid,
    EngineError,
    EngineRejected,
    EngineTimeout,
    EngineUnreachable,
    ImagesMissing,
    ModelNotServed,
    PromptTooLong,
)
from vigil.runtime.store.sessions import Waiting
from vigil_interaction.refusals import Attempt, Refusals

SPEC = SessionSpec("demo", "s-1", Source("cam", SourceKind.PUSHED), "vigil-small", "m")
TURN = Turn(0, 0, (FrameRef("f", 32, 32),), "</silence>")
STATE = SessionState(1, 0, Chunk(turns=(TURN,)), dialogue=(Exchange("Who is there?", 0, "A man.", 0),))
ASKED = Waiting((Ask("q", "Why?"),))
FAILURE = EngineRejected(500, "CUDA error")


def tried(refusals: Refusals, waiting: Waiting = ASKED, state: SessionState = STATE) -> Attempt:
    return refusals.attempt(SPEC, VIGIL_SMALL, state, waiting)


def left_out_after(*errors: EngineError, waiting: Waiting = ASKED, state: SessionState = STATE) -> list[str]:
    """What is left out of the turn after each failure."""
    refusals, found = Refusals(), []
    for error in errors:
        tried(refusals, waiting, state)
        refusals.failed(error)
        found.append(tried(refusals, waiting, state).left_out)
    return found


def test_like_failures_lead_to_a_round_of_trials_and_then_to_the_whole_again() -> None:
    assert left_out_after(*[FAILURE] * 7) == ["", "", "turns", "dialogue", "waiting", "everything", ""]
    assert left_out_after(*[FAILURE] * 5, waiting=Waiting()) == ["", "", "turns", "dialogue", ""]
    assert set(left_out_after(*[FAILURE] * 9, waiting=Waiting(), state=SessionState())) == {""}, "nothing to leave out"


def test_blocks_of_memory_that_wait_are_not_suspected_and_wait_on() -> None:
    block = Block("0-1000-0", 0, 0, 1_000, "A man reads.")
    only_blocks, both = Waiting(blocks=(block,)), Waiting(ASKED.commands, (), (block,))
    assert left_out_after(*[FAILURE] * 5, waiting=only_blocks) == ["", "", "turns", "dialogue", ""]
    refusals = Refusals()
    for _ in range(5):
        tried(refusals, both)
        refusals.failed(FAILURE)
    assert (tried(refusals, both).left_out, tried(refusals, both).waiting) == ("waiting", only_blocks)


@pytest.mark.parametrize(
    ("error", "needed"),
    [
        (EngineRejected(500, "x"), 3),
        (EngineRejected(503, "x"), 3),
        (EngineRejected(400, "x"), 2),
        (EngineRejected(422, "x"), 2),
        (EngineAnswerInvalid("http://engine", "x"), 2),
        (PromptTooLong(400, "x"), 1),
        (ImagesMissing(["f"], "x"), 1),
    ],
)
def test_so_many_like_failures_are_needed(error: EngineError, needed: int) -> None:
    assert left_out_after(*[error] * needed) == [""] * (needed - 1) + ["turns"]


@pytest.mark.parametrize(
    "error",
    [
        EngineUnreachable("http://engine", "refused"),
        EngineTimeout("http://engine", 10.0),
        EngineRejected(429, "slow down"),
        ModelNotServed("m", ()),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_says_nothing_about_the_prompt_changes_nothing(error: EngineError) -> None:
    assert set(left_out_after(*[error] * 20)) == {""}
    assert left_out_after(FAILURE, error, FAILURE, error, FAILURE)[-1] == "turns", "nor is it in between"


def test_failures_are_alike_whatever_their_numbers_and_ids() -> None:
    like = [
        EngineRejected(500, f"request {uuid} failed at token {at}")
        for uuid, at in (("8f3a21bc", 7), ("0a", 12), ("9", 1))
    ]
    assert left_out_after(*like)[-1] == "turns"
    unlike = [EngineRejected(500, "CUDA error"), EngineRejected(502, "CUDA error"), EngineRejected(500, "no memory")]
    assert set(left_out_after(*unlike)) == {""}


def test_what_the_engine_takes_is_the_end_of_the_trials() -> None:
    refusals = Refusals()
    for _ in range(3):
        refusals.failed(FAILURE)
    trial = tried(refusals)
    assert (trial.left_out, trial.state.chunk.turns, trial.waiting) == ("turns", (), ASKED)
    refusals.succeeded(trial)
    assert tried(refusals) == Attempt(STATE, ASKED)


def test_what_clients_said_is_given_up_only_when_it_is_sure_to_be_the_cause() -> None:
    refusals = Refusals()
    while (trial := tried(refusals)).left_out != "waiting":
        refusals.failed(FAILURE)
    assert not trial.gives_up, "the engine may have recovered just now"
    refusals.succeeded(trial)
    assert tried(refusals) == Attempt(STATE, ASKED)
    refusals.failed(FAILURE)
    again = tried(refusals)
    assert (again.left_out, again.state, again.gives_up) == ("waiting", STATE, True)
    refusals.succeeded(again)
    assert not tried(refusals).gives_up


def test_a_whole_that_is_taken_clears_what_clients_said() -> None:
    refusals = Refusals()
    while (trial := tried(refusals)).left_out != "waiting":
        refusals.failed(FAILURE)
    refusals.succeeded(trial)
    refusals.succeeded(tried(refusals))
    for _ in range(2):
        refusals.failed(FAILURE)
        assert tried(refusals).left_out == ""


def test_rounds_in_vain_come_later_and_later_and_never_stop() -> None:
    refusals, trials_at = Refusals(), []
    for number in count():
        refusals.failed(FAILURE)
        if tried(refusals, Waiting()).left_out == "turns":
            trials_at.append(number)
        if len(trials_at) == 6:
            break
    gaps = [later - earlier for earlier, later in pairwise(trials_at)]
    assert gaps == sorted(gaps)
    assert gaps[0] == 2 + 4 * 3
    assert gaps[-1] == gaps[-2] == 2 + 64 * 3
