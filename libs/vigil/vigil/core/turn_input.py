"""What a session is told in a turn: its commands applied in order, and the lines of them that the model is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vigil.core import alert as alerts
from vigil.core.alert import AlertEvent, Moment
from vigil.core.command import Ask, Clear, Command, Instruct, Reset
from vigil.core.errors import CoreError
from vigil.core.instruction import Instruction, Instructions, add, clear, find
from vigil.core.prompt import keep_texts, stop_text
from vigil.core.session import SessionState
from vigil.core.turn import Exchange, remember

Applied = tuple[SessionState, tuple[str, ...], tuple[str, ...], tuple[AlertEvent, ...]]


def apply(state: SessionState, commands: Sequence[Command], moment: Moment) -> Applied:
    """The new state, the user's lines, what was refused and why, and the alerts that a reset closed."""
    lines = _Lines()
    rejected: list[str] = []
    events: tuple[AlertEvent, ...] = ()
    for command in commands:
        try:
            match command:
                case Ask(text=text):
                    lines.say(text)
                    state = replace(state, dialogue=remember(state.dialogue, Exchange(text, moment.time_ms)))
                case Instruct(instruction=new):
                    state = _instruct(state, replace(new, given_at=state.next_sequence), lines)
                case Clear(instruction_id=gone):
                    old, left = find(state.instructions, gone), clear(state.instructions, gone)
                    lines.stop(old, left)
                    state = replace(state, instructions=left)
                case Reset():
                    still, closed = alerts.close_all(state.alerts, moment, "the session was reset")
                    events += closed
                    state = replace(state, alerts=still, dialogue=(), uttered=())
        except CoreError as refused:
            rejected.append(f"{type(command).__name__}: {refused}")
    return state, lines.all(), tuple(rejected), events


@dataclass(slots=True)
class _Lines:
    """The lines of one turn. After the last one that stops something the watches that are left are named, once."""

    _said: list[str] = field(default_factory=list)
    _stopped_at: int = 0
    _left: Instructions = ()

    def say(self, text: str) -> None:
        self._said.append(text)

    def stop(self, gone: Instruction, left: Instructions) -> None:
        """Nothing is said while the same words stand under another id: to the model they are one instruction."""
        if gone.text not in (one.text for one in left):
            self._said.append(stop_text(gone))
            self._stopped_at, self._left = len(self._said), left

    def all(self) -> tuple[str, ...]:
        said, at = self._said, self._stopped_at
        return (*said[:at], *keep_texts(self._left), *said[at:])


def _instruct(state: SessionState, new: Instruction, lines: _Lines) -> SessionState:
    """Add or replace. A replaced one is stopped in words first; a change of its watch alone is not shown."""
    after = add(state.instructions, new)
    old = next((one for one in state.instructions if one.id == new.id), None)
    if old is not None and old.text == new.text:
        shown = replace(new, given_at=old.given_at)
        return replace(state, instructions=add(state.instructions, shown))
    if old is not None:
        lines.stop(old, after[:-1])
    lines.say(new.text)
    return replace(state, instructions=after)
