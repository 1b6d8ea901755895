"""The duplicate guard: it suppresses repeats, never words that say anything new, and it changes nothing else."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.alert import AlertState
from vigil.core.attribution import hear
from vigil.core.command import Ask, Command, Instruct, Reset
from vigil.core.decide import Completion, Percept, Settled, decide, settle
from vigil.core.duplicate import (
    MAX_UTTERED,
    WINDOW_MS,
    DuplicateGuard,
    Utterances,
    normalised,
    remembered,
    said_before,
)
from vigil.core.instruction import Instruction, Watch
from vigil.core.profile import JOYAI
from vigil.core.session import SessionSpec, SessionState, Speech
from vigil.core.source import Source, SourceKind
from vigil.core.turn import FrameRef

FIRE = Instruction("fire", "Alert me when a fire starts.", Watch("fire", hold_s=2, cooldown_s=0))
DOOR = Instruction("door", "Tell me if the door opens.")
BURNS = "A fire has started."

texts = st.sampled_from([BURNS, "a fire has started", "The door opens.", "The door is not open.", "Hello!", "…", ""])
guards = st.sampled_from(list(DuplicateGuard))


def words(text: str, *instructions: Instruction) -> Mapping[str, str]:
    """What a turn that says `text` says under each instruction."""
    return hear(text, instructions, asked=False).words


def repeats(guard: DuplicateGuard, old: str, new: str) -> bool:
    return said_before(guard, remembered((), words(old), 0), words(new), 1_000)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BURNS, BURNS),
        (BURNS, "a fire  has started"),
        ("It’s open!", "IT'S OPEN"),
        ("Ｆire at door 12.", "Fire at door 12"),
    ],
)
def test_the_same_words_are_exact_duplicates(old: str, new: str) -> None:
    assert normalised(old) == normalised(new)
    assert repeats(DuplicateGuard.EXACT, old, new)
    assert repeats(DuplicateGuard.NEAR, old, new)
    assert not repeats(DuplicateGuard.OFF, old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BURNS, "The fire started."),
        ("A person walks past the shelf.", "The person walks past a shelf now."),
        ("There are 2 people in the room.", "2 people are in the room."),
    ],
)
def test_near_duplicates_add_nothing(old: str, new: str) -> None:
    assert repeats(DuplicateGuard.NEAR, old, new)
    assert not repeats(DuplicateGuard.EXACT, old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2 people are in the room.", "3 people are in the room."),
        ("Two people are in the room.", "Three people are in the room."),
        ("The door is not open.", "The door is open."),
        ("The door isn't open.", "The door is open."),
        ("The door is open.", "The door is not open."),
        ("The door is open.", "The door is closed."),
        ("A person in a red coat is at the door.", "A person in a blue coat is at the door."),
        ("A fire has started in the kitchen beside the old wooden cupboard.", "A fire."),
        (BURNS, "The fire is out."),
        ("…", "…"),
        ("", "Hello."),
    ],
)
@pytest.mark.parametrize("guard", list(DuplicateGuard))
def test_whatever_is_new_is_said(guard: DuplicateGuard, old: str, new: str) -> None:
    assert not repeats(guard, old, new)


def test_what_goes_on_is_said_again_once_a_window() -> None:
    before: Utterances = ()
    uttered_s = []
    for second in range(31):
        if not said_before(DuplicateGuard.EXACT, before, words(BURNS, FIRE), second * 1000):
            before = remembered(before, words(BURNS, FIRE), second * 1000)
            uttered_s.append(second)
    assert uttered_s == [0, 10, 20, 30]


def test_each_instruction_has_its_own_words() -> None:
    before = remembered((), words(BURNS, FIRE), 0)
    both = f"{BURNS} The door opens."
    assert not said_before(DuplicateGuard.EXACT, before, words(BURNS, DOOR), 1_000)
    assert not said_before(DuplicateGuard.EXACT, before, words(both, FIRE, DOOR), 1_000), "the door is news"
    before = remembered(before, words(both, FIRE, DOOR), 1_000)
    assert said_before(DuplicateGuard.EXACT, before, words(both, FIRE, DOOR), 2_000)
    assert said_before(DuplicateGuard.EXACT, before, words("The door opens.", FIRE, DOOR), 2_000)


@given(guards, st.lists(st.tuples(texts, st.integers(0, 2_000)), max_size=40), texts)
def test_only_what_was_uttered_in_the_window_is_suppressed(
    guard: DuplicateGuard, said: list[tuple[str, int]], new: str
) -> None:
    before: Utterances = ()
    now_ms = 0
    for text, gap_ms in said:
        now_ms += gap_ms
        before = remembered(before, words(text, FIRE, DOOR), now_ms)
    assert len(before) <= MAX_UTTERED
    assert all(now_ms - one.time_ms < WINDOW_MS for one in before)
    if said_before(guard, before, words(new, FIRE, DOOR), now_ms):
        assert guard is not DuplicateGuard.OFF
        assert normalised(new)
        assert said_before(DuplicateGuard.NEAR, before, words(new, FIRE, DOOR), now_ms)
        if guard is DuplicateGuard.EXACT:
            assert normalised(new) in {one.words for one in before}
    assert not said_before(guard, (), words(new, FIRE, DOOR), now_ms)


class Session:
    """Turns one second apart."""

    def __init__(self, guard: DuplicateGuard = DuplicateGuard.EXACT) -> None:
        self.spec = SessionSpec(
            "demo", "s", Source("cam", SourceKind.FILE, "file:x"), "joyai", "m", speech=Speech(duplicate_guard=guard)
        )
        self.state = SessionState()

    def turn(self, text: str, *commands: Command) -> Settled:
        number = self.state.next_sequence
        frame = FrameRef(f"f{number}", 32, 32)
        told, infer = decide(
            self.spec, JOYAI, self.state, Percept(number * 1000, number * 1_000_000, (frame,), commands)
        )
        assert infer is not None
        settled = settle(self.spec, JOYAI, told, infer, Completion(text, {}))
        self.state = settled.state
        return settled


replies = st.sampled_from([f"</response> {BURNS}", "</response> The door opens.", "</silence>", "nonsense"])


@given(st.lists(replies, max_size=25), guards)
def test_the_guard_touches_neither_alerts_nor_history(said: list[str], guard: DuplicateGuard) -> None:
    guarded, free = Session(guard), Session(DuplicateGuard.OFF)
    for session in (guarded, free):
        session.turn("</silence>", Instruct(FIRE), Instruct(DOOR))
    for text in said:
        with_guard, without = guarded.turn(text), free.turn(text)
        assert with_guard.alert_events == without.alert_events
        assert replace(with_guard.decision, duplicate=False) == without.decision
        assert replace(guarded.state, uttered=()) == replace(free.state, uttered=())
        assert not without.decision.duplicate
        if with_guard.decision.duplicate:
            assert with_guard.decision.output.text
            assert all(one.state is not AlertState.OPENED for one in with_guard.alert_events)


def test_words_that_open_an_alert_anew_are_said() -> None:
    session = Session()
    session.turn("</silence>", Instruct(FIRE))
    said = [session.turn(f"</response> {BURNS}" if burns else "</silence>") for burns in (1, 1, 0, 0, 0, 1, 1)]
    states = [[event.state for event in one.alert_events] for one in said]
    assert states[0] == states[5] == [AlertState.OPENED]
    assert [one.decision.duplicate for one in said] == [False, True, False, False, False, False, True]


def test_an_answer_is_always_given() -> None:
    session = Session()
    answer = "</response> Two people."
    assert not session.turn(answer, Ask("q1", "How many?")).decision.duplicate
    assert session.turn(answer).decision.duplicate
    assert not session.turn(answer, Ask("q2", "How many now?")).decision.duplicate
    assert not session.turn("</silence>", Ask("q3", "And now?")).decision.duplicate
    assert not session.turn(answer).decision.duplicate, "a late answer is one too"


def test_a_delegation_is_never_a_duplicate() -> None:
    session = Session()
    delegation = "</response> Let me see. </delegation> Which flower is it?"
    assert [session.turn(delegation).decision.duplicate for _ in range(3)] == [False] * 3


def test_a_reset_forgets_what_was_said() -> None:
    session = Session()
    session.turn("</response> Hello.")
    assert not session.turn("</response> Hello.", Reset()).decision.duplicate
