"""What a session is told: commands applied in order, and the lines that the model is shown of them."""

from dataclasses import dataclass, field, replace

from vigil.core.alert import Moment
from vigil.core.command import Ask, Clear, Command, Instruct
from vigil.core.instruction import MAX_INSTRUCTIONS, Instruction, Watch
from vigil.core.profile import JOYAI
from vigil.core.session import SessionState
from vigil.core.turn_input import apply

FIRE = Instruction("fire", "Alert me when a fire starts.", Watch("fire"))
DOOR = Instruction("door", "Tell me if the door opens.")
SMOKE, FALL = (Instruction(name, f"Tell me of a {name}.", Watch(name)) for name in ("smoke", "fall"))


@dataclass
class Session:
    """Each call of `told` is a turn."""

    state: SessionState = field(default_factory=SessionState)
    rejected: tuple[str, ...] = ()

    def told(self, *commands: Command) -> tuple[str, ...]:
        turn = self.state.next_sequence
        told = apply(JOYAI, self.state, commands, (), Moment("s-1", turn, turn * 1_000, 0))
        self.rejected = told.rejected
        self.state = replace(told.state, next_sequence=turn + 1)
        return told.lines


def test_replacing_an_instruction_stops_the_old_words_first() -> None:
    session = Session()
    session.told(Instruct(FIRE), Instruct(DOOR))
    assert session.told(Instruct(replace(FIRE, text="Mention any smoke."))) == (
        "Stop watching: Alert me when a fire starts.",
        "Mention any smoke.",
    )
    assert [one.id for one in session.state.instructions] == ["door", "fire"]


def test_clearing_is_said_in_words() -> None:
    session = Session()
    session.told(Instruct(FIRE))
    assert session.told(Clear("fire")) == ("Stop watching: Alert me when a fire starts.",)
    assert session.state.instructions == ()


def test_the_watches_that_are_left_are_named_once_after_the_last_that_was_taken_back() -> None:
    session = Session()
    session.told(Instruct(FIRE), Instruct(SMOKE), Instruct(DOOR), Instruct(FALL))
    assert session.told(Clear("fire"), Ask("q", "What do you see?"), Clear("smoke"), Ask("q", "And now?")) == (
        "Stop watching: Alert me when a fire starts.",
        "What do you see?",
        "Stop watching: Tell me of a smoke.",
        "Keep watching: Tell me of a fall.",
        "And now?",
    )
    assert session.told(Instruct(replace(DOOR, text="Tell me if the door closes."))) == (
        "Stop watching: Tell me if the door opens.",
        "Keep watching: Tell me of a fall.",
        "Tell me if the door closes.",
    )
    assert session.told(Clear("fall")) == ("Stop watching: Tell me of a fall.",)


def test_words_that_still_stand_under_another_id_are_not_stopped() -> None:
    session = Session()
    session.told(Instruct(FIRE), Instruct(replace(FIRE, id="again")), Instruct(SMOKE))
    assert session.told(Clear("fire")) == ()
    assert session.told(Instruct(replace(FIRE, id="smoke"))) == (
        "Stop watching: Tell me of a smoke.",
        "Keep watching: Alert me when a fire starts.",
        "Alert me when a fire starts.",
    )
    assert session.told(Clear("again")) == ()


def test_a_change_of_the_watch_alone_is_not_shown_to_the_model() -> None:
    session = Session()
    session.told(Instruct(FIRE))
    assert session.told(Instruct(replace(FIRE, watch=Watch("fire", hold_s=1)))) == ()
    assert session.state.instructions == (replace(FIRE, watch=Watch("fire", hold_s=1), given_at=0),)


def test_a_command_that_cannot_be_applied_is_refused_and_the_others_stand() -> None:
    full = tuple(Instruct(Instruction(f"i{number}", "Watch.")) for number in range(MAX_INSTRUCTIONS))
    session = Session()
    assert len(session.told(*full, Instruct(FIRE), Clear("ghost"), Ask("q", "Why?"))) == MAX_INSTRUCTIONS + 1
    assert session.rejected == (
        "Instruct: a session has at most 16 instructions: clear one first",
        f"Clear: no instruction 'ghost' in this session (it has: {', '.join(f'i{n}' for n in range(16))})",
    )
