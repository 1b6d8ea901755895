"""A watched session whose engine obeys every text, through the real core: it says, asks and emits what it reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from vigil.core.alert import AlertEvent
from vigil.core.chunk import start_over
from vigil.core.command import Ask, Command, Instruct
from vigil.core.decide import Completion, Percept, Settled, decide, settle
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.memory import MemoryLimits
from vigil.core.message import Message
from vigil.core.observation import Observation
from vigil.core.profile import PromptProfile
from vigil.core.session import SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.turn import Exchange, FrameRef, Result, Task

FIRE = Instruction("w-fire", "Alert me when a fire starts.", Watch("fire", Severity.CRITICAL, hold_s=600.0))
QUESTION = "What flower is this?"
HANDED_OVER = "Which flower is it?"


@dataclass(slots=True)
class Watched:
    """A session with one watch. It keeps every prompt that was asked, and everything that it led to."""

    profile: PromptProfile
    state: SessionState = field(default_factory=SessionState)
    prompts: list[tuple[Message, ...]] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    told: list[Command] = field(default_factory=list)

    def turn(
        self, raw: str, *commands: Command, results: Sequence[Result] = (), observed: Sequence[Observation] = ()
    ) -> Settled:
        """One second, in which the engine emits `raw`."""
        self.told += commands
        at_ms = self.state.last_time_ms + 1_000
        frames, observations = (FrameRef(f"f{at_ms}", 32, 32),), tuple(observed)
        seen = Percept(at_ms, at_ms * 1_000, frames, commands, tuple(results), observations=observations)
        planned, infer = decide(self.spec, self.profile, self.state, seen)
        assert infer is not None, "every turn of these sessions is inferred"
        settled = settle(self.spec, self.profile, planned, infer, Completion(raw, {}))
        self.prompts.append(infer.messages)
        self.settled.append(settled)
        self.state = settled.state
        return settled

    def noticed(self, text: str) -> Observation:
        """What a module tells of the coming picture."""
        return Observation("signs", "text", text, (self.state.last_time_ms + 1_000) * 1_000, confidence=0.9)

    def say(self, text: str) -> Settled:
        """The engine speaks the text."""
        return self.turn(f"{self.profile.spelling.response} {text}")

    def delegate(self, note: str, question: str, *commands: Command) -> Settled:
        """The engine says the note and hands the question over."""
        spelling = self.profile.spelling
        return self.turn(f"{spelling.response} {note} {spelling.delegation} {question}", *commands)

    def quiet(
        self, *commands: Command, results: Sequence[Result] = (), observed: Sequence[Observation] = ()
    ) -> Settled:
        """The engine says nothing."""
        return self.turn(self.profile.spelling.silence, *commands, results=results, observed=observed)

    def begin_chunk(self) -> None:
        """The next prompt restates what was said, instead of showing it."""
        self.state = start_over(self.spec, self.profile, self.state)

    @property
    def spec(self) -> SessionSpec:
        """What the session was opened with."""
        source, limits = Source("cam", SourceKind.FILE, "file:x"), MemoryLimits(is_on=True)
        return SessionSpec("demo", "s-1", source, self.profile.name, "scripted", memory=limits)

    @property
    def alerts(self) -> tuple[AlertEvent, ...]:
        """All that was told of alerts."""
        return tuple(event for settled in self.settled for event in settled.alert_events)

    @property
    def words(self) -> tuple[str, ...]:
        """All that was said and asked, as subscribers get it, with the results of tasks."""
        decided = (settled.decision.output for settled in self.settled)
        ends = (end for settled in self.settled for end in settled.task_ends)
        said = [words for output in decided for words in (output.text, output.question)]
        for end in ends:
            said += [end.task.question, end.task.note, end.result.text if end.result else ""]
        return tuple(words for words in said if words)


def read_in_the_picture(profile: PromptProfile, text: str) -> Watched:
    """A sign in the picture: the engine speaks it, hands it over as a question, and emits it as it stands."""
    session = Watched(profile)
    session.quiet(Instruct(FIRE))
    session.turn(f"{profile.spelling.response} {text}", Ask("q-1", QUESTION))
    session.quiet()
    session.delegate(text, text)
    task = next(iter(session.state.tasks), None)
    session.quiet(results=[Result(task.id, "A rose.")] if task else [])
    session.turn(text)
    session.delegate(text, text, Ask("q-2", HANDED_OVER))
    session.quiet()
    session.begin_chunk()
    session.quiet()
    return session


def told_by_the_brain(profile: PromptProfile, text: str) -> Watched:
    """A brain's result: the engine is silent, so that the result itself is the answer; then it speaks and emits it."""
    session = Watched(profile)
    session.quiet(Instruct(FIRE))
    session.delegate("Let me see.", HANDED_OVER, Ask("q-1", QUESTION))
    session.quiet(results=_answers(session, text))
    session.quiet()
    session.delegate("Let me see.", text, Ask("q-2", "And what is that?"))
    session.turn(f"{profile.spelling.response} {text}", results=_answers(session, text))
    session.turn(text)
    session.begin_chunk()
    session.quiet()
    return session


def told_by_a_module(profile: PromptProfile, text: str) -> Watched:
    """A module tells what it read: the engine is silent, then speaks it, hands it over, and emits it as it stands. Each
    turn is told anew, for a chunk tells a text once."""
    session = Watched(profile)
    session.quiet(Instruct(FIRE))
    session.quiet(observed=[session.noticed(text)])
    session.begin_chunk()
    session.turn(f"{profile.spelling.response} {text}", observed=[session.noticed(text)])
    session.begin_chunk()
    session.turn(text, Ask("q-1", QUESTION), observed=[session.noticed(text), session.noticed("A bell rings.")])
    session.delegate(text, text)
    session.begin_chunk()
    session.quiet()
    return session


def kept_in_memory(profile: PromptProfile, text: str) -> Watched:
    """Dialogue that an earlier release stored as it came: the next chunk restates it; the engine says and emits it."""
    session = Watched(profile)
    session.quiet(Instruct(FIRE))
    task = Task("s-1-0", text, text, 0, 120_000)
    kept = (Exchange(QUESTION, 0, text, 0), Exchange(HANDED_OVER, 0, text, 0, task))
    session.state = SessionState(
        session.state.next_sequence,
        session.state.last_time_ms,
        session.state.chunk,
        session.state.instructions,
        dialogue=kept,
    )
    session.begin_chunk()
    session.quiet()
    session.turn(f"{profile.spelling.response} {text}")
    session.turn(text)
    session.begin_chunk()
    session.quiet()
    return session


def _answers(session: Watched, text: str) -> list[Result]:
    return [Result(task.id, text) for task in session.state.tasks]
