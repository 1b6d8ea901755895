"""Pre-warm: what is warmed is what the next chunk's first prompt will begin with, unless somebody says more."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.command import Ask, Command, Instruct
from vigil.core.decide import Completion, Percept, decide, settle
from vigil.core.instruction import Instruction
from vigil.core.memory import MemoryLimits
from vigil.core.message import Image, Message, Text
from vigil.core.prewarm import Warm, warm
from vigil.core.profile import HARNESS, JOYAI, PROFILES, VIGIL_SMALL, PromptProfile
from vigil.core.session import SessionSpec, SessionState, Window
from vigil.core.source import Source, SourceKind
from vigil.core.turn import FrameRef

CHUNK = 12


@dataclass
class Session:
    """Runs turns, and warms after each as a worker does."""

    profile: PromptProfile = JOYAI
    tail_turns: int = 4
    lead_turns: int = 6
    state: SessionState = field(default_factory=SessionState)
    before: Warm | None = None
    warmed: list[tuple[int, Warm]] = field(default_factory=list)

    @property
    def spec(self) -> SessionSpec:
        source, window = Source("cam", SourceKind.FILE, "file:x"), Window(CHUNK, self.tail_turns)
        return SessionSpec("demo", "s", source, "joyai", "m", window=window, memory=MemoryLimits(is_on=False))

    def turn(self, *commands: Command, reply: str = "</silence>") -> tuple[Message, ...]:
        """One turn; the prompt that it was asked with."""
        number = self.state.next_sequence
        seen = Percept(number * 1000, number * 1_000_000, (FrameRef(f"f{number}", 32, 32),), commands)
        told, infer = decide(self.spec, self.profile, self.state, seen)
        assert infer is not None
        self.state = settle(self.spec, self.profile, told, infer, Completion(reply, {})).state
        due = warm(self.spec, self.profile, self.state, self.before, self.lead_turns)
        if due is not None:
            self.before = due
            self.warmed.append((number, due))
        return infer.messages

    def turns(self, count: int) -> tuple[Message, ...]:
        for _ in range(count - 1):
            self.turn()
        return self.turn()


COMMANDS = st.lists(
    st.tuples(
        st.integers(0, CHUNK - 1),
        st.sampled_from([Ask("q", "Who is there?"), Instruct(Instruction("i", "Greet everyone."))]),
    ),
    max_size=3,
)


@given(st.sampled_from(sorted(PROFILES)), st.integers(0, 8), st.integers(1, CHUNK + 3), COMMANDS)
def test_the_last_round_is_exactly_how_the_boundary_prompt_begins(
    name: str, tail_turns: int, lead_turns: int, commands: list[tuple[int, Command]]
) -> None:
    session = Session(PROFILES[name], tail_turns, lead_turns)
    for number in range(CHUNK):
        session.turn(*(command for at, command in commands if at == number), reply="</response> Hello.")
    boundary = session.turn()
    rounds = [one for _, one in session.warmed if one.chunk == 1]
    if tail_turns:
        assert rounds[-1].left == 0
        assert boundary[: len(rounds[-1].messages)] == rounds[-1].messages
        assert len(boundary) == len(rounds[-1].messages) + 2  # the last carried reply, and the new turn


@given(st.integers(1, CHUNK), st.integers(0, 8))
def test_the_first_round_comes_a_lead_ahead_and_says_nothing_that_will_not_be_said(
    lead_turns: int, tail_turns: int
) -> None:
    session = Session(tail_turns=tail_turns, lead_turns=lead_turns)
    session.turn(Instruct(Instruction("i", "Greet everyone.")))
    boundary = session.turns(CHUNK)
    number, first = session.warmed[0]
    assert number == max(0, CHUNK - lead_turns - 1)
    assert first.messages[:1] == boundary[:1]
    for warmed, asked in zip(first.messages, boundary, strict=False):
        assert _words(asked).startswith(_words(warmed))


def test_a_round_whenever_half_of_what_was_left_has_passed_and_again_for_the_next_chunk() -> None:
    session = Session()
    session.turn(Instruct(Instruction("i", "Greet everyone.")))
    session.turns(CHUNK - 1)
    rounds = [(number, one.chunk, one.left) for number, one in session.warmed]
    assert rounds == [(5, 1, 6), (8, 1, 3), (10, 1, 1), (11, 1, 0)]
    session.turns(CHUNK - session.tail_turns)
    assert [(one.chunk, one.left) for _, one in session.warmed[4:]] == [(2, 6), (2, 3), (2, 1), (2, 0)]


@given(st.integers(1, CHUNK), st.integers(1, 8))
def test_each_round_begins_with_the_one_before_and_the_last_adds_two_turns_at_most(
    lead_turns: int, tail_turns: int
) -> None:
    session = Session(tail_turns=tail_turns, lead_turns=lead_turns)
    session.turn(Instruct(Instruction("i", "Greet everyone.")))
    session.turns(CHUNK - 1)
    rounds = [one for _, one in session.warmed]
    for before, after in pairwise(rounds):
        assert after.left <= before.left // 2
        assert [_words(message) for message in after.messages[: len(before.messages) - 1]] == [
            _words(message) for message in before.messages[:-1]
        ]
    if len(rounds) > 1:
        assert len(_pictures(rounds[-1]) - _pictures(rounds[-2])) <= 2


def test_a_worker_that_comes_late_still_warms() -> None:
    session = Session(tail_turns=8)
    session.turns(CHUNK - 2)
    session.before = None  # taken over: the new worker knows nothing of the first round
    session.turns(2)
    assert [number for number, _ in session.warmed] == [5, 8, 10, 11]


@pytest.mark.parametrize("profile", [JOYAI, VIGIL_SMALL, HARNESS])
def test_without_prefix_and_tail_there_is_nothing_to_warm(profile: PromptProfile) -> None:
    session = Session(profile, tail_turns=0)
    session.turns(CHUNK + 1)
    assert session.warmed == []


def test_a_lead_of_zero_never_warms() -> None:
    session = Session(lead_turns=0)
    session.turns(CHUNK + 1)
    assert session.warmed == []


def _words(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Text))


def _pictures(warmed: Warm) -> set[str]:
    return {part.ref.uuid for message in warmed.messages for part in message.parts if isinstance(part, Image)}
