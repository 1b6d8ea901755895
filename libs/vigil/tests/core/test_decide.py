"""Decide and settle: what a session becomes, turn by turn. Virtual frames, a scripted model, no clock."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vigil.core.alert import MAX_ALERTS, AlertState
from vigil.core.chunk import start_over
from vigil.core.command import Ask, Clear, Command, Instruct, Reset
from vigil.core.control import Action, Output
from vigil.core.decide import (
    Completion,
    Infer,
    Percept,
    Settled,
    decide,
    finish,
    settle,
)
from vigil.core.delegation import MAX_TASKS, overdue
from vigil.core.instruction import MAX_INSTRUCTIONS, Instruction, Watch
from vigil.core.memory import MemoryLimits
from vigil.core.message import Message, Text
from vigil.core.probability import Probabilities
from vigil.core.profile import HARNESS, JOYAI, PROFILES, VIGIL_SMALL, PromptProfile
from vigil.core.prompt import Asked, prefix_share
from vigil.core.session import SessionSpec, SessionState, Window
from vigil.core.source import Source, SourceKind
from vigil.core.turn import MAX_DIALOGUE, Exchange, FrameRef, Reply, Result

HEADER = "[User Query (IMPORTANT \u2014 follow this instruction)]\n"
FIRE = Instruction("fire", "Alert me when a fire starts.", Watch("fire"))
DOOR = Instruction("door", "Tell me if the door opens.")
BURNS = "</response> A fire has started."
QUIET = "</silence>"


def make_spec(**changes: Any) -> SessionSpec:
    values: dict[str, Any] = {"window": Window(4, 2), "memory": MemoryLimits(is_on=False)}
    return SessionSpec("demo", "s-1", Source("cam", SourceKind.FILE, "file:demo"), "joyai", "joyai", **values | changes)


def observe(time_ms: int, *commands: Command) -> Percept:
    return Percept(time_ms, 1_000_000 + time_ms * 1_000, (FrameRef(f"f{time_ms}", 160, 96),), commands)


@dataclass
class Session:
    """Runs turns one second apart and keeps what the last one led to."""

    profile: PromptProfile = JOYAI
    spec: SessionSpec = field(default_factory=make_spec)
    state: SessionState = field(default_factory=SessionState)

    def ask_engine(self, *commands: Command, time_ms: int | None = None) -> Infer:
        """The state is left as it was: as if the engine never answered."""
        return self._decide(commands, time_ms)[1]

    def turn(self, text: str = QUIET, *commands: Command, time_ms: int | None = None) -> Settled:
        told, infer = self._decide(commands, time_ms)
        settled = settle(self.spec, self.profile, told, infer, Completion(text, {}))
        self.state = settled.state
        return settled

    def _decide(self, commands: tuple[Command, ...], time_ms: int | None) -> tuple[SessionState, Infer]:
        at = (self.state.last_time_ms + 1_000) // 1_000 * 1_000 if time_ms is None else time_ms
        told, infer = decide(self.spec, self.profile, self.state, observe(at, *commands))
        assert infer is not None
        return told, infer


def texts(message: Message) -> list[str]:
    return [part.text for part in message.parts if isinstance(part, Text)]


def queries(infer: Infer) -> tuple[str, ...]:
    return infer.turn.queries


# --- one turn --------------------------------------------------------------------------------------------------------


def test_a_turn_is_committed_whole() -> None:
    first = {"</response>": -0.1, "</silence>": -2.5}
    seen = replace(observe(7_000), frames_skipped=3)
    told, infer = decide(make_spec(), JOYAI, SessionState(), seen)
    assert infer is not None
    completion = Completion(" </response>\nA fire. ", first, prompt_tokens=80, engine_ms=68.0)
    settled = settle(make_spec(), JOYAI, told, infer, completion)
    decision = settled.decision
    assert (decision.sequence, decision.time_ms, decision.capture_time_us) == (0, 7_000, 8_000_000)
    assert decision.output == Output(Action.SPEAK, "A fire.")
    assert isinstance(decision.probabilities, Probabilities)
    assert decision.probabilities.speak == pytest.approx(0.9168, abs=1e-4)
    assert (decision.completion, decision.frames_skipped) == (completion, 3)
    assert settled.state.chunk.turns == (replace(infer.turn, reply="</response> A fire."),)
    assert (settled.state.next_sequence, settled.state.last_time_ms) == (1, 7_000)
    assert (settled.restart, settled.consumed, settled.alert_events) == (False, 0, ())


def test_a_malformed_output_is_silent_and_counted() -> None:
    session = Session()
    settled = session.turn("A fire has started!", Instruct(FIRE))
    assert settled.decision.output == Output(Action.SILENT, malformed="no control token")
    assert session.state.chunk.turns[0].reply == "</silence>"
    assert session.state.malformed_total == 1
    assert settled.alert_events == ()
    assert session.turn(QUIET).state.malformed_total == 1


@pytest.mark.parametrize("time_ms", [0, 999, 1_000])
def test_a_frame_that_is_not_newer_is_not_looked_at(time_ms: int) -> None:
    session = Session()
    session.turn(time_ms=1_000)
    assert decide(session.spec, JOYAI, session.state, observe(time_ms, Ask("q", "Why?"))) == (session.state, None)


def test_an_idle_session_may_save_compute() -> None:
    idle = make_spec(infer_when_idle=False)
    assert decide(idle, JOYAI, SessionState(), observe(0)) == (SessionState(), None)
    assert decide(make_spec(), JOYAI, SessionState(), observe(0))[1] is not None
    assert decide(idle, JOYAI, SessionState(), observe(0, Ask("q", "Why?")))[1] is not None
    assert decide(idle, JOYAI, SessionState(instructions=(FIRE,)), observe(0))[1] is not None


def test_the_profile_reads_and_writes_the_words() -> None:
    session = Session(HARNESS)
    assert session.turn("SPEAK: A cat.").decision.output == Output(Action.SPEAK, "A cat.")
    assert session.state.chunk.turns[0].reply == "</response> A cat."
    assert texts(session.ask_engine().messages[2]) == ["SPEAK: A cat."]


# --- commands --------------------------------------------------------------------------------------------------------


def test_what_the_user_says_is_shown_in_order_and_once() -> None:
    session = Session()
    settled = session.turn(QUIET, Instruct(FIRE), Ask("q", "What do you see?"), Instruct(DOOR))
    assert settled.consumed == 3
    assert settled.state.chunk.turns[0].queries == (FIRE.text, "What do you see?", DOOR.text)
    assert queries(session.ask_engine()) == ()


def test_commands_that_are_refused_are_consumed_with_the_others() -> None:
    session = Session()
    infer = session.ask_engine(Instruct(FIRE), Clear("ghost"))
    assert infer.told.rejected == ("Clear: no instruction 'ghost' in this session (it has: fire)",)
    assert session.turn(QUIET, Instruct(FIRE), Clear("ghost")).consumed == 2


# --- dialogue --------------------------------------------------------------------------------------------------------


def test_the_next_words_answer_the_newest_open_question() -> None:
    session = Session()
    session.turn(QUIET, Ask("q", "Who is there?"))
    assert session.state.dialogue == (Exchange("Who is there?", 0),)
    session.turn("</response> A man.")
    session.turn("</response> Now a dog.")
    assert session.state.dialogue == (
        Exchange("Who is there?", 0, "A man.", 1_000, replies=(Reply(2_000, "Now a dog."),)),
    )


def test_a_decision_says_whether_it_answers_a_question() -> None:
    session = Session()
    assert session.turn("</response> A wall.").decision.is_answer is False
    assert session.turn(QUIET, Ask("q", "Who is there?")).decision.is_answer is True
    assert session.turn("</response> A man.").decision.is_answer is True, "the question was still open"
    assert session.turn("</response> A dog.").decision.is_answer is False


def test_words_of_a_watch_answer_no_question() -> None:
    session = Session()
    session.turn(QUIET, Instruct(FIRE), Instruct(DOOR), Ask("q", "Is the door open?"))
    session.turn(BURNS)
    assert session.state.dialogue[0].answer == ""
    session.turn("</response> The door opens.")
    assert session.state.dialogue[0].answer == "The door opens."


def test_an_answer_for_no_watch_neither_opens_nor_closes_an_alert() -> None:
    session = Session()
    session.turn(QUIET, Instruct(replace(FIRE, watch=Watch("fire", hold_s=0))))
    assert session.turn("</response> A wall.", Ask("q1", "What do you see?")).alert_events == ()
    assert [event.state for event in session.turn(BURNS).alert_events] == [AlertState.OPENED]
    assert session.turn("</response> A wall.", Ask("q2", "What do you see?")).alert_events == ()
    assert [event.state for event in session.turn(QUIET, Ask("q3", "Hm?")).alert_events] == [AlertState.CLOSED]


def test_an_answer_that_names_one_watch_closes_no_alert_of_another_one() -> None:
    session = Session()
    door = replace(DOOR, watch=Watch("door", hold_s=0))
    session.turn(QUIET, Instruct(replace(FIRE, watch=Watch("fire", hold_s=0))), Instruct(door))
    both = "</response> A fire has started. The door opens."
    assert [event.state for event in session.turn(both).alert_events] == [AlertState.OPENED] * 2
    seen = []
    for question in ("What do you see?", "And now?"):
        events = session.turn("</response> I see a fire.", Ask("q", question)).alert_events
        seen += [(event.alert.watch.name, event.state) for event in events]
    assert seen == [("fire", AlertState.UPDATED), ("door", AlertState.CLOSED)], "one such turn is no quiet, two are"


WALL = "</response> A grey wall."
PROMPTS = {
    "the same prompt": lambda second: "Describe what you see.",
    "spoken sentences": lambda second: f"Sentence number {second}?",
    "two prompts": lambda second: ("Who is there?", "How many cars?")[second % 2],
}


@pytest.mark.parametrize("prompt_of", PROMPTS.values(), ids=PROMPTS)
@pytest.mark.parametrize("otherwise", [QUIET, WALL], ids=["silent", "answering"])
def test_a_prompt_with_every_frame_leaves_the_watch_as_it_would_be_without(
    prompt_of: Callable[[int], str], otherwise: str
) -> None:
    session, seen = Session(), list[tuple[int, AlertState]]()
    session.turn(QUIET, Instruct(replace(FIRE, watch=Watch("fire", hold_s=2))))
    for second in range(1, 30):
        words = BURNS if 5 <= second < 12 else otherwise
        settled = session.turn(words, Ask(f"q-{second}", prompt_of(second)))
        seen += [(second, event.state) for event in settled.alert_events if event.state is not AlertState.UPDATED]
    assert seen == [(5, AlertState.OPENED), (13, AlertState.CLOSED)]


def test_an_answer_between_two_words_of_a_watch_does_not_begin_its_confirmation_anew() -> None:
    session = Session()
    session.turn(BURNS, Instruct(replace(FIRE, watch=Watch("fire", confirm_s=2))))
    session.turn(WALL, Ask("q", "What do you see?"))
    assert [event.state for event in session.turn(BURNS).alert_events] == [AlertState.OPENED]
    session = Session()
    session.turn(BURNS, Instruct(replace(FIRE, watch=Watch("fire", confirm_s=2))))
    session.turn(WALL, Ask("q1", "What do you see?"))
    session.turn(WALL, Ask("q2", "And now?"))
    assert session.turn(BURNS).alert_events == (), "two turns without it are quiet"


def test_the_same_question_again_is_one_exchange_with_its_newest_answer() -> None:
    session = Session()
    for second in range(40):
        session.turn(f"</response> Wall {second}.", Ask(f"q-{second}", "What do you see?"))
    assert session.state.dialogue == (Exchange("What do you see?", 39_000, "Wall 39.", 39_000),)
    session.turn("</response> A man.", Ask("q-a", "Who is there?"))
    session.turn(QUIET, Ask("q-b", "WHAT do you see"))
    assert [exchange.query for exchange in session.state.dialogue] == ["Who is there?", "WHAT do you see"]
    session.turn("</response> A door.")
    assert session.state.dialogue[-1].answer == "A door.", "asked anew, it waits anew"


def test_a_question_that_waits_twice_for_one_turn_is_shown_once() -> None:
    session = Session()
    session.turn(QUIET, Ask("q-1", "Who is there?"), Ask("q-2", "Who is there?"), Ask("q-3", "Why?"))
    assert session.state.chunk.turns[0].queries == ("Who is there?", "Why?")
    assert [exchange.query for exchange in session.state.dialogue] == ["Who is there?", "Why?"]


# --- chunks ----------------------------------------------------------------------------------------------------------


def test_joyai_golden_boundary() -> None:
    session = Session()
    session.turn(QUIET, Instruct(FIRE))
    session.turn("</response> A room.", Ask("q1", "What do you see?"))
    session.turn(QUIET, Instruct(DOOR), Ask("q2", "Is it day?"))
    session.turn(QUIET)
    infer = session.ask_engine(Ask("q3", "And now?"))
    assert infer.restart
    assert [texts(one) for one in infer.messages] == [
        [JOYAI.system],
        [
            "[Q&A History]\nEarlier questions of the user and what you answered.\n\n"
            "#1 [Query@1.0 seconds] What do you see?\n[Response@1.0 seconds] A room.\n\n"
            f"{HEADER}Alert me when a fire starts.",
            f"{HEADER}Tell me if the door opens.\nIs it day?",
            "<2.0 seconds>",
        ],
        ["</silence>"],
        ["<3.0 seconds>"],
        ["</silence>"],
        [f"{HEADER}And now?", "<4.0 seconds>"],
    ]
    session.turn(QUIET, Ask("q3", "And now?"))
    assert session.state.chunk.number == 1
    assert [turn.sequence for turn in session.state.chunk.turns] == [2, 3, 4]
    assert not session.ask_engine().restart


def test_vigil_small_golden_boundary_without_a_tail() -> None:
    session = Session(VIGIL_SMALL, make_spec(window=Window(2, 0)))
    session.turn(QUIET, Instruct(FIRE))
    session.turn(QUIET)
    infer = session.ask_engine(Instruct(DOOR), time_ms=137_000)
    assert [texts(one) for one in infer.messages] == [
        ["You watch a camera."],
        ["Alert me when a fire starts.\nTell me if the door opens.\n<137.0 seconds>\n"],
    ]


def test_a_question_of_the_boundary_turn_is_not_yet_history() -> None:
    session = Session(spec=make_spec(window=Window(2, 0)))
    session.turn(QUIET)
    session.turn(QUIET)
    infer = session.ask_engine(Ask("q", "Who is there?"))
    assert texts(infer.messages[1]) == [f"{HEADER}Who is there?", "<2.0 seconds>"]


def test_an_instruction_whose_watch_changed_is_still_restated() -> None:
    session = Session()
    for second in range(4):
        session.turn(QUIET, *([Instruct(FIRE)] if second == 0 else []))
    infer = session.ask_engine(Instruct(replace(FIRE, watch=Watch("fire", hold_s=1))))
    assert texts(infer.messages[1])[0] == f"{HEADER}Alert me when a fire starts."


def test_a_cleared_instruction_is_not_restated() -> None:
    session = Session()
    session.turn(QUIET, Instruct(FIRE), Instruct(DOOR))
    session.turn(QUIET, Clear("fire"))
    session.turn()
    session.turn()
    assert texts(session.ask_engine().messages[1]) == [f"{HEADER}Tell me if the door opens.", "<2.0 seconds>"]


def test_a_reset_forgets_all_but_the_instructions() -> None:
    session = Session()
    session.turn(BURNS, Instruct(FIRE))
    session.turn("</response> A room.", Ask("q1", "What do you see?"))
    settled = session.turn(QUIET, Reset(), Ask("q2", "And now?"))
    assert settled.restart
    assert [(one.state, one.reason) for one in settled.alert_events] == [(AlertState.CLOSED, "the session was reset")]
    assert session.state.chunk.prefix == (Text(f"{HEADER}Alert me when a fire starts."),)
    assert [turn.sequence for turn in session.state.chunk.turns] == [2]
    assert session.state.dialogue == (Exchange("And now?", 2_000),)
    assert session.state.instructions == (FIRE,)
    assert not any(one.is_open for one in session.state.alerts)


def test_starting_over_keeps_instructions_and_dialogue_without_raw_turns() -> None:
    session = Session()
    session.turn("</response> A room.", Instruct(FIRE), Ask("q", "What do you see?"))
    session.state = start_over(session.spec, JOYAI, session.state)
    assert session.state.chunk.turns == ()
    infer = session.ask_engine()
    assert infer.restart
    assert infer.turn.sequence == 1
    assert texts(infer.messages[1]) == [
        "[Q&A History]\nEarlier questions of the user and what you answered.\n\n"
        "#1 [Query@0.0 seconds] What do you see?\n[Response@0.0 seconds] A room.\n\n"
        f"{HEADER}Alert me when a fire starts.",
        "<1.0 seconds>",
    ]


def test_a_session_that_ends_closes_its_alerts() -> None:
    session = Session()
    assert finish(session.spec, session.state, 5, "the session ended") == ()
    session.turn(BURNS, Instruct(FIRE))
    events = finish(session.spec, session.state, 5, "the session ended")
    assert [(one.alert.id, one.state, one.number) for one in events] == [("s-1-fire-0", AlertState.CLOSED, 1)]


def test_the_share_of_a_prompt_that_stayed() -> None:
    one, two, other = (Message("user", (Text(text),)) for text in "abc")
    assert prefix_share((), (one,)) == 1.0
    assert prefix_share((one, two), (one, two, other)) == 1.0
    assert prefix_share((one, two), (one, other, two)) == 0.5
    assert prefix_share((one, two), (one,)) == 0.5
    assert prefix_share((one,), (two,)) == 0.0


# --- any session -----------------------------------------------------------------------------------------------------

names = st.sampled_from(["a", "b", "c"])
watches = st.one_of(st.none(), st.builds(Watch, names, hold_s=st.sampled_from([0.0, 3.0])))
instructions = st.builds(Instruction, names, st.sampled_from([FIRE.text, DOOR.text, "Say hello."]), watches)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(Ask, names, st.sampled_from(["Why?", "Who is there?"])),
    st.builds(Instruct, instructions),
    st.builds(Instruct, st.builds(Instruction, st.integers(0, 40).map(str), st.just("Watch."))),
    st.builds(Clear, names),
)
answers = st.one_of(
    st.sampled_from([QUIET, BURNS, "</response> The door opens.", "</response> Wait. </delegation> Why?", "SPEAK: A"]),
    st.integers(0, 12).map(lambda number: f"</delegation> What is {number}?"),
    st.text(max_size=20),
)


class AnySession(RuleBasedStateMachine):
    """Whatever is seen, said, answered or lost: the prompt only grows, sequences have no gaps, all is bounded."""

    @initialize(
        profile=st.sampled_from(list(PROFILES.values())), chunk_turns=st.integers(2, 5), tail_turns=st.integers(0, 4)
    )
    def start(self, profile: PromptProfile, chunk_turns: int, tail_turns: int) -> None:
        self.profile = profile
        self.spec = make_spec(window=Window(chunk_turns, min(tail_turns, chunk_turns - 1)))
        self.state = SessionState()
        self.last: tuple[Message, ...] = ()
        self.asked: Asked | None = None
        self.sequences: list[int] = []
        self.events: list[tuple[str, int, AlertState]] = []

    @rule(
        step_ms=st.sampled_from([200, 1_000, 1_000, 7_000, 60_000]), said=st.lists(commands, max_size=3), answer=answers
    )
    def turn(self, step_ms: int, said: list[Command], answer: str) -> None:
        self._turn(step_ms, tuple(said), answer)

    @rule(said=st.lists(commands, max_size=2), answer=answers)
    def reset(self, said: list[Command], answer: str) -> None:
        settled = self._turn(1_000, (Reset(), *said), answer)
        assert settled.restart
        assert len(settled.state.chunk.turns) == 1

    @rule(said=st.lists(commands, max_size=3), answer=answers)
    def engine_fails_first(self, said: list[Command], answer: str) -> None:
        before, seen = self.state, observe(max(0, self.state.last_time_ms) + 1_000, *said)
        assert decide(self.spec, self.profile, before, seen) == decide(self.spec, self.profile, before, seen)
        assert self.state is before
        self._turn(1_000, tuple(said), answer)

    @rule(place=st.integers(0, 9), is_ok=st.booleans(), said=st.lists(commands, max_size=1), answer=answers)
    def result_comes(self, place: int, is_ok: bool, said: list[Command], answer: str) -> None:
        ids = [*(task.id for task in self.state.tasks), "s-1-never"]
        self._turn(1_000, tuple(said), answer, (Result(ids[place % len(ids)], "Found.", is_ok),))

    @rule(late_ms=st.integers(0, 3_000), said=st.lists(commands, max_size=2))
    def stale_frame(self, late_ms: int, said: list[Command]) -> None:
        seen = observe(self.state.last_time_ms - late_ms, *said)
        assert decide(self.spec, self.profile, self.state, seen) == (self.state, None)

    def _turn(self, step_ms: int, said: tuple[Command, ...], answer: str, results: tuple[Result, ...] = ()) -> Settled:
        seen = replace(observe(max(0, self.state.last_time_ms) + step_ms, *said), results=results)
        before = self.state
        told, infer = decide(self.spec, self.profile, self.state, seen, self.asked)
        assert (told, infer) == decide(self.spec, self.profile, self.state, seen)
        assert infer is not None
        if self.last and not infer.restart:
            assert infer.messages[: len(self.last)] == self.last
            assert len(infer.messages) == len(self.last) + 2
            assert prefix_share(self.last, infer.messages) == 1.0
        settled = settle(self.spec, self.profile, told, infer, Completion(answer, {}))
        waits = any(isinstance(command, Ask) for command in said) and not overdue(before, seen.time_ms)
        assert (settled.consumed, settled.consumed_results) == (len(said), 0 if waits else len(results))
        assert infer.restart == (settled.state.chunk.number > self.state.chunk.number)
        assert set(queries(infer)) <= set("\n".join(texts(infer.messages[-1])).split("\n"))
        self.state, self.last = settled.state, infer.messages
        self.asked = Asked(told.chunk, infer.messages)
        self.sequences.append(settled.decision.sequence)
        self.events += [(one.alert.id, one.number, one.state) for one in settled.alert_events]
        return settled

    @invariant()
    def sequences_have_no_gaps(self) -> None:
        assert self.sequences == list(range(len(self.sequences))) == list(range(self.state.next_sequence))

    @invariant()
    def event_ids_are_unique(self) -> None:
        assert len({(alert, number) for alert, number, _ in self.events}) == len(self.events)
        opened = [alert for alert, number, state in self.events if state is AlertState.OPENED]
        assert len(set(opened)) == len(opened)

    @invariant()
    def everything_is_bounded(self) -> None:
        assert len(self.state.chunk.turns) <= self.spec.window.chunk_turns
        assert len(self.state.dialogue) <= MAX_DIALOGUE
        assert len(self.state.instructions) <= MAX_INSTRUCTIONS
        assert len(self.state.alerts) <= MAX_ALERTS
        assert len(self.state.tasks) <= MAX_TASKS

    @invariant()
    def a_delegated_question_waits_for_a_task_that_is_open(self) -> None:
        open_tasks = {task.id for task in self.state.tasks}
        assert len(open_tasks) == len(self.state.tasks)
        assert all(task.deadline_ms > self.state.last_time_ms for task in self.state.tasks)
        assert {
            exchange.task.id for exchange in self.state.dialogue if exchange.is_delegated and exchange.task
        } <= open_tasks

    @invariant()
    def every_standing_instruction_is_in_the_prompt(self) -> None:
        lines = {line for message in self.last for text in texts(message) for line in text.split("\n")}
        assert {one.text for one in self.state.instructions} <= lines

    @invariant()
    def what_is_open_was_not_published_as_closed(self) -> None:
        open_ids = {one.id for one in self.state.alerts if one.is_open}
        last = {alert: state for alert, _, state in self.events}
        assert open_ids == {alert for alert, state in last.items() if state is not AlertState.CLOSED}


TestAnySession = AnySession.TestCase
TestAnySession.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_dialogue_and_prompt_stay_bounded_over_a_long_session() -> None:
    session = Session(spec=make_spec(window=Window(5, 1)))
    longest = 0
    for number in range(200):
        session.turn("</response> Yes.", Ask("q", f"Is it {number}?"))
        longest = max(longest, sum(len(text) for one in session.ask_engine().messages for text in texts(one)))
    assert len(session.state.dialogue) == MAX_DIALOGUE
    assert longest < 6_000
