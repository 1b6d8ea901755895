"""What a session is told in a turn: its commands are applied in order, and the model is shown a line for each."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vigil.core import alert as alerts
from vigil.core.alert import AlertEvent, Moment
from vigil.core.command import Ask, Clear, Command, Instruct, Reset
from vigil.core.delegation import TaskEnd, expire, forget, give, waits_for
from vigil.core.errors import CoreError
from vigil.core.instruction import Instruction, Instructions, add, clear, find
from vigil.core.profile import PromptProfile
from vigil.core.prompt import keep_texts, stop_text
from vigil.core.session import SessionState
from vigil.core.turn import Exchange, Result, place_of, remember


@dataclass(frozen=True, slots=True)
class TurnInput:
    """What a turn's commands and results led to: the new state, the user's lines, the commands that were refused and
    why, the alerts that a reset closed, the tasks that closed and the results that no task waited for.

    `asked` says that the turn puts a question, or the result of one, to the model. `exchange` is the place in the
    dialogue of what its words then answer, -1 when it is none or cannot be told. `reset` says that the session forgot
    its history.
    """

    state: SessionState
    lines: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    alert_events: tuple[AlertEvent, ...] = ()
    task_ends: tuple[TaskEnd, ...] = ()
    unknown: tuple[Result, ...] = ()
    asked: bool = False
    exchange: int = -1
    reset: bool = False


def apply(
    profile: PromptProfile, state: SessionState, commands: Sequence[Command], results: Sequence[Result], moment: Moment
) -> TurnInput:
    """Apply the commands in order, then the results; then close the tasks whose deadline has come. A result that waits
    is used as long as its task is open, however late the turn is. A command that is refused changes nothing."""
    told = _obey(state, commands, moment)
    given = give(told.state, results, moment.time_ms)
    left, expired = expire(given.state, moment.time_ms)
    return replace(
        told,
        state=left,
        results=tuple(profile.result_line(end.task.question, end.result.text) for end in given.ends if end.result),
        task_ends=(*told.task_ends, *given.ends, *expired),
        unknown=given.unknown,
        asked=told.asked or bool(given.ends),
        exchange=told.exchange if told.asked else _awaited(told.state.dialogue, given.ends),
    )


def _obey(state: SessionState, commands: Sequence[Command], moment: Moment) -> TurnInput:
    lines = _Lines()
    rejected: list[str] = []
    events: tuple[AlertEvent, ...] = ()
    forgotten: tuple[TaskEnd, ...] = ()
    question = ""
    for command in commands:
        try:
            match command:
                case Ask(text=text, brain=brain):
                    lines.ask(text)
                    question = text
                    asked = Exchange(text, moment.time_ms, brain=brain)
                    state = replace(state, dialogue=remember(state.dialogue, asked))
                case Instruct(instruction=new):
                    state = _instruct(state, replace(new, given_at=state.next_sequence), lines)
                case Clear(instruction_id=gone):
                    old, left = find(state.instructions, gone), clear(state.instructions, gone)
                    lines.stop(old, left)
                    state = replace(state, instructions=left)
                case Reset():
                    still, closed = alerts.close_all(state.alerts, moment, "the session was reset")
                    events += closed
                    state, ends = forget(state, moment.time_ms)
                    forgotten += ends
                    state = replace(state, alerts=still, dialogue=(), uttered=())
        except CoreError as refused:
            rejected.append(f"{type(command).__name__}: {refused}")
    return TurnInput(
        state,
        lines.all(),
        rejected=tuple(rejected),
        alert_events=events,
        task_ends=forgotten,
        asked=bool(question),
        exchange=place_of(state.dialogue, question) if question else -1,
        reset=any(isinstance(command, Reset) for command in commands),
    )


def _awaited(dialogue: Sequence[Exchange], ends: Sequence[TaskEnd]) -> int:
    """The place of the one exchange that waited for the one result; -1 when words could belong to several."""
    places = [place for place, exchange in enumerate(dialogue) for end in ends if waits_for(exchange, end.task.id)]
    return places[0] if len(places) == len(ends) == 1 else -1


@dataclass(slots=True)
class _Lines:
    """The lines of one turn. After the last line that stops an instruction, the watches that are left are named."""

    _said: list[str] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)
    _stopped_at: int = 0
    _left: Instructions = ()

    def say(self, text: str) -> None:
        self._said.append(text)

    def ask(self, text: str) -> None:
        """A question that clients asked twice before this turn is shown once."""
        if text not in self._asked:
            self._asked.add(text)
            self.say(text)

    def stop(self, gone: Instruction, left: Instructions) -> None:
        """Say that an instruction is gone, except while the same words stand under another id: to the model the two are
        the same instruction."""
        if gone.text not in (instruction.text for instruction in left):
            self._said.append(stop_text(gone))
            self._stopped_at, self._left = len(self._said), left

    def all(self) -> tuple[str, ...]:
        said, at = self._said, self._stopped_at
        return (*said[:at], *keep_texts(self._left), *said[at:])


def _instruct(state: SessionState, new: Instruction, lines: _Lines) -> SessionState:
    """Add or replace. A replaced instruction is stopped in words first; a change of its watch alone is not shown."""
    after = add(state.instructions, new)
    old = next((standing for standing in state.instructions if standing.id == new.id), None)
    if old is not None and old.text == new.text:
        shown = replace(new, given_at=old.given_at)
        return replace(state, instructions=add(state.instructions, shown))
    if old is not None:
        lines.stop(old, after[:-1])
    lines.say(new.text)
    return replace(state, instructions=after)
