"""A delegated question as work for a brain: who answers it, how urgent it is, and its bounded evidence."""

from dataclasses import replace

import pytest

from vigil.core.command import Ask, Instruct
from vigil.core.decide import Completion, Percept, decide, settle
from vigil.core.delegation import KEY_FRAMES, MEMORY_CHARS, key_frames, request
from vigil.core.errors import InvalidToken
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.message import Text
from vigil.core.profile import JOYAI
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.task import KeyFrame
from vigil.core.turn import FrameRef, Task, Turn

SPEC = SessionSpec("demo", "s-1", Source("cam", SourceKind.FILE, "file:x"), "joyai", "m", brain="thinker")
DELEGATES = "</response> A fire has started. </delegation> What should be done about it?"
FIRE = Instruction("fire", "Alert me when a fire starts.", Watch("fire", Severity.CRITICAL), brain="safety")
NOTE = Instruction("note", "Describe what changes.")


def delegated(*commands: Ask | Instruct, spec: SessionSpec = SPEC) -> Task:
    """The task that the first turn opens."""
    seen = Percept(0, 0, (FrameRef("f0", 32, 32),), commands)
    state, infer = decide(spec, JOYAI, SessionState(), seen)
    assert infer is not None
    opened = settle(spec, JOYAI, state, infer, Completion(DELEGATES, {})).task_opened
    assert opened is not None
    return opened


@pytest.mark.parametrize(
    ("commands", "brain", "priority"),
    [
        ([Ask("q", "What should I do?", "small")], "small", 5),
        ([Ask("q", "What should I do?")], "thinker", 5),
        ([Instruct(FIRE)], "safety", 8),
        ([Instruct(replace(FIRE, brain="", watch=Watch("fire", Severity.INFO)))], "thinker", 3),
        ([Instruct(NOTE)], "thinker", 2),
        ([Instruct(NOTE), Instruct(FIRE)], "safety", 8),
        ([], "thinker", 1),
    ],
)
def test_the_brain_is_that_of_the_question_or_of_the_watch_or_of_the_session(
    commands: list[Ask | Instruct], brain: str, priority: int
) -> None:
    task = delegated(*commands)
    assert (task.brain, task.priority) == (brain, priority)


def test_without_any_name_the_deployment_chooses() -> None:
    assert delegated(spec=replace(SPEC, brain="")).brain == ""


@pytest.mark.parametrize("name", ["a brain", "x" * 65, "ä"])
def test_a_brain_is_a_name(name: str) -> None:
    with pytest.raises(InvalidToken, match="brain"):
        replace(SPEC, brain=name)
    with pytest.raises(InvalidToken, match="brain"):
        Ask("q", "What?", name)
    with pytest.raises(InvalidToken, match="brain"):
        replace(NOTE, brain=name)


def turns(count: int) -> tuple[Turn, ...]:
    return tuple(Turn(number, number * 1_000, (FrameRef(f"f{number}", 32, 32),), "") for number in range(count))


def test_key_frames_are_ever_fewer_the_older_they_are() -> None:
    assert [frame.time_ms // 1_000 for frame in key_frames(turns(100))] == [35, 67, 83, 91, 95, 97, 98, 99]
    assert key_frames(turns(2)) == (KeyFrame("f0", 0), KeyFrame("f1", 1_000))
    assert len(key_frames(turns(250))) == KEY_FRAMES


def test_turns_without_pictures_give_none() -> None:
    assert key_frames(()) == ()
    assert key_frames((Turn(0, 0, (), ""),)) == ()


def test_the_evidence_ends_with_the_turn_that_delegated() -> None:
    task = Task("s-1-4", "Whose coat is that?", "Let me see.", 4_000, 124_000, "small", 5)
    chunk = Chunk(1, (Text("Before: nothing. "), Text("x" * MEMORY_CHARS)), turns(5))
    work = request(SPEC, SessionState(5, 4_000, chunk, (FIRE,), tasks=(task,)), task, 1_000)
    assert (work.task, work.question, work.note, work.brain, work.priority) == (
        "s-1-4",
        "Whose coat is that?",
        "Let me see.",
        "small",
        5,
    )
    assert (work.sequence, work.time_ms, work.deadline_ms, work.ttl_s) == (4, 4_000, 124_000, 120.0)
    assert work.frames[-1] == KeyFrame("f4", 4_000)
    assert work.memory == "x" * MEMORY_CHARS
    assert work.instructions == (FIRE.text,)
    assert work.expires_us == 1_000 + 120_000_000


def test_a_brain_is_told_what_modules_noticed() -> None:
    task = Task("s-1-4", "Whose coat is that?", "Let me see.", 4_000, 124_000)
    told = replace(turns(5)[3], observed=("faces (face, 0.92): Anna is at the door",))
    chunk = Chunk(1, (Text("Before: nothing."),), (*turns(3), told, turns(5)[4]))
    work = request(SPEC, SessionState(5, 4_000, chunk, tasks=(task,)), task, 1_000)
    assert work.memory == (
        "Before: nothing.\n\nWhat other programs noticed:\nfaces (face, 0.92) at 3.0 seconds: Anna is at the door"
    )
