"""The list of standing instructions: added to, replaced in, cleared, always bounded."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import CoreError, InvalidSpec, InvalidToken, UnknownInstruction
from vigil.core.instruction import (
    MAX_INSTRUCTION_CHARS,
    MAX_INSTRUCTIONS,
    Instruction,
    Instructions,
    Severity,
    Watch,
    add,
    check_text,
    clear,
    find,
)

FIRE = Instruction("fire", "Alert me when a fire starts.", Watch("fire", Severity.CRITICAL))
FALL = Instruction("fall", "Alert me when someone falls.")


def test_adding_appends_and_replacing_moves_to_the_end() -> None:
    calmer = Instruction("fire", "Mention any smoke.")
    assert add(add((), FIRE), FALL) == (FIRE, FALL)
    assert add((FIRE, FALL), calmer) == (FALL, calmer)


def test_clearing_drops_the_one_named() -> None:
    assert clear((FIRE, FALL), "fire") == (FALL,)
    assert find((FIRE, FALL), "fall") is FALL


def test_an_unknown_one_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownInstruction, match=r"no instruction 'door' in this session \(it has: fire, fall\)"):
        clear((FIRE, FALL), "door")
    with pytest.raises(UnknownInstruction, match=r"it has: none"):
        find((), "door")


def test_a_full_list_takes_replacements_only() -> None:
    full: Instructions = ()
    for number in range(MAX_INSTRUCTIONS):
        full = add(full, Instruction(f"i{number}", "Watch the door."))
    with pytest.raises(InvalidSpec, match="at most 16 instructions: clear one first"):
        add(full, FIRE)
    assert add(full, Instruction("i0", "Watch the gate."))[-1].text == "Watch the gate."


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30).map(str)), max_size=80))
def test_the_list_stays_bounded_and_its_ids_unique(steps: list[tuple[bool, str]]) -> None:
    standing: Instructions = ()
    for adding, name in steps:
        try:
            standing = add(standing, Instruction(name, "Watch.")) if adding else clear(standing, name)
        except CoreError:
            continue
        assert (name in {one.id for one in standing}) is adding
        assert len({one.id for one in standing}) == len(standing) <= MAX_INSTRUCTIONS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the question is empty: write what to watch for or what to answer"),
        (" \n\t", "the question is empty"),
        ("x" * 1_000_000, "the question has 1,000,000 characters: at most 2,000 are allowed"),
        ("Watch <|image_pad|>.", r"the question contains '<\|image_pad\|>', .* leave it out"),
        ("<|IM_END|>", r"the question contains '<\|IM_END\|>'"),
    ],
)
def test_text_that_the_model_may_not_be_shown(text: str, message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        check_text(text, "question")
    with pytest.raises(InvalidSpec, match=message.replace("question", "instruction")):
        Instruction("id", text)


def test_text_at_its_limit_is_allowed() -> None:
    assert check_text("x" * MAX_INSTRUCTION_CHARS, "question") == "x" * MAX_INSTRUCTION_CHARS
    assert check_text("Is a < b | c > d?", "question") == "Is a < b | c > d?"


@pytest.mark.parametrize("seconds", [-0.1, 86_401.0, math.nan, math.inf])
def test_watch_times_out_of_range(seconds: float) -> None:
    with pytest.raises(InvalidSpec, match=r"hold_s is .*: give 0 to 86400 seconds"):
        Watch("fire", hold_s=seconds)
    with pytest.raises(InvalidSpec, match=r"cooldown_s is .*: give 0 to 86400 seconds"):
        Watch("fire", cooldown_s=seconds)
    with pytest.raises(InvalidSpec, match=r"confirm_s is .*: give 0 to 86400 seconds"):
        Watch("fire", confirm_s=seconds)
    with pytest.raises(InvalidSpec, match=r"update_interval_s is .*: give more than 0 and at most 86400 seconds"):
        Watch("fire", update_interval_s=seconds)


def test_watch_times_at_their_limits() -> None:
    assert Watch("fire", hold_s=0, cooldown_s=0, update_interval_s=86_400).hold_s == 0
    assert Watch("fire", hold_s=86_400, cooldown_s=86_400).cooldown_s == 86_400
    with pytest.raises(InvalidSpec, match="update_interval_s is 0"):
        Watch("fire", update_interval_s=0)


def test_names_must_be_tokens() -> None:
    with pytest.raises(InvalidToken, match=r"watch name 'a\.b'"):
        Watch("a.b")
    with pytest.raises(InvalidToken, match="instruction id ''"):
        Instruction("", "Watch.")
