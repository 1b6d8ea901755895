from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.command import Ask, Clear, Command, Instruct, Reset
from vigil.core.errors import InvalidSpec, UnknownInstruction
from vigil.core.instruction import MAX_INSTRUCTIONS, Instruction, Watch, add, clear
from vigil.core.standing import Standing, check_addable, find_standing, standing

GREET = Instruction("i-1", "Greet everyone.")
FIRE = Instruction("w-1", "Alert me when a fire starts.", Watch("fire"))


def test_what_is_on_its_way_is_pending() -> None:
    shown = (replace(GREET, given_at=4),)
    assert standing(shown, (Instruct(FIRE),)) == (Standing(shown[0], pending=False), Standing(FIRE, pending=True))


def test_what_is_being_cleared_no_longer_stands() -> None:
    assert standing((GREET, FIRE), (Clear(GREET.id),)) == (Standing(FIRE, pending=False),)


def test_a_replacement_moves_to_the_end_and_is_pending() -> None:
    new = Instruction(GREET.id, "Greet nobody.")
    assert standing((GREET, FIRE), (Instruct(new),)) == (Standing(FIRE, pending=False), Standing(new, pending=True))


def test_questions_and_resets_leave_instructions_alone() -> None:
    assert standing((GREET,), (Ask("q-1", "Who is there?"), Reset())) == (Standing(GREET, pending=False),)


def test_a_command_that_was_worked_off_meanwhile_changes_nothing() -> None:
    shown = (replace(FIRE, given_at=7),)
    assert standing(shown, (Instruct(FIRE), Clear("i-9"))) == (Standing(shown[0], pending=False),)


def test_one_is_found_only_as_what_it_is() -> None:
    assert find_standing((GREET,), (Instruct(FIRE),), "w-1", watch=True).instruction == FIRE
    with pytest.raises(UnknownInstruction, match=r"no watch 'i-1' in this session \(it has: w-1\)"):
        find_standing((GREET, FIRE), (), "i-1", watch=True)
    with pytest.raises(UnknownInstruction, match=r"no instruction 'w-1' in this session \(it has: i-1\)"):
        find_standing((GREET, FIRE), (), "w-1", watch=False)


def test_pending_instructions_count_towards_the_bound() -> None:
    many = tuple(Instruct(Instruction(f"n-{number}", "Look.")) for number in range(MAX_INSTRUCTIONS - 1))
    check_addable((), many, FIRE)
    with pytest.raises(InvalidSpec, match="at most 16 instructions"):
        check_addable((GREET,), (*many[:-1], Instruct(Instruction("i-99", "Look."))), FIRE)


_IDS = st.sampled_from(["i-1", "i-2", "i-3"])
_COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Instruct, st.builds(Instruction, _IDS, st.sampled_from(["Look.", "Listen."]))), st.builds(Clear, _IDS)
)


@given(st.lists(_COMMANDS, max_size=12))
def test_what_stands_is_what_the_session_will_have(commands: list[Command]) -> None:
    state: tuple[Instruction, ...] = ()
    for command in commands:
        match command:
            case Instruct(instruction=new):
                state = add(state, new)
            case Clear(instruction_id=gone) if any(instruction.id == gone for instruction in state):
                state = clear(state, gone)
    assert tuple(found.instruction for found in standing((), commands)) == state
