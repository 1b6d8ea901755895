"""SW-F1 and PAUC against the figures in their papers' notes, and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_recipe.exam.scoring.timing import good_window, pauc, sw_f1
from vigil_recipe.exam.scoring.utterances import Utterance
from vigil_recipe.scenarios import Due

DUE = Due(0, 10, 15, "Now.")


def at(*turns: int, text: str = "Now.") -> list[Utterance]:
    return [Utterance(turn, text) for turn in turns]


@pytest.mark.parametrize(("stray", "expected"), [(0, 1.0), (5, 0.6667), (10, 0.5), (20, 0.3333)])
def test_stray_words_cost_a_little(stray: int, expected: float) -> None:
    """One hit with 5, 10, 20 stray utterances: 0.67, 0.50, 0.33; with FN 0 the formula gives 2/(2+0.2·n)."""
    said = at(10) + at(*range(100, 100 + stray), text="Hm.")
    assert sw_f1([DUE], said) == pytest.approx(2 / (2 + 0.2 * stray))
    assert sw_f1([DUE], said) == pytest.approx(expected, abs=1e-4)


def test_missing_costs_as_much_as_hitting_gains() -> None:
    assert sw_f1([DUE, Due(0, 30, 31, "Now.")], at(10)) == pytest.approx(0.5)
    assert sw_f1([DUE], []) == 0.0
    assert sw_f1([], []) == 1.0
    assert sw_f1([], at(3)) == 0.0


def test_wrong_words_in_the_window_are_a_miss_and_not_stray() -> None:
    assert sw_f1([DUE], at(10, text="Later.")) == 0.0
    assert sw_f1([DUE, Due(0, 30, 31, "Yes.")], at(30, text="Yes.") + at(11, text="Later.")) == pytest.approx(0.5)


def test_one_utterance_is_one_hit() -> None:
    dues = [Due(0, 3, 4, "Now."), Due(0, 6, 7, "Now.")]
    assert sw_f1(dues, at(5)) == pytest.approx(0.5), "both windows hold second 5"
    assert sw_f1(dues, at(5, 6)) == sw_f1(dues, at(2, 5)) == 1.0
    assert sw_f1(dues, [*at(4), *at(4)]) == pytest.approx(0.5), "the second window begins at 5"


def test_the_window_begins_one_turn_early_but_not_before_the_question() -> None:
    assert good_window(DUE) == range(9, 15)
    assert good_window(Due(10, 10, 11, "Red.")) == range(10, 13)


def test_pauc_by_value() -> None:
    assert pauc(DUE, at(10)) == 1.0
    assert pauc(DUE, []) == 0.25
    assert pauc(DUE, at(10, text="Later.")) == 0.0
    # Two turns late: τ moves halfway back, to 11; one turn of silence at 0.5, four at 2, of 10 in all.
    assert pauc(DUE, at(12)) == pytest.approx((1 * 0.5 + 4 * 2) / 10)
    assert pauc(DUE, at(12), omega=1.0) == 1.0
    # Wrong at once, right two turns later: one turn (moved) at 0.
    assert pauc(DUE, at(10, text="Later.") + at(12)) == pytest.approx(4 * 2 / 10)


@given(st.lists(st.integers(0, 30), unique=True), st.integers(0, 30))
def test_both_scores_stay_between_zero_and_one_and_reward_the_right_turn(turns: list[int], other: int) -> None:
    said = at(*turns, text="Hm.")
    for some in (said, [*said, *at(10)], [*said, *at(other)]):
        assert 0 <= sw_f1([DUE], some) <= 1
        assert 0 <= pauc(DUE, some) <= 1
    assert sw_f1([DUE], [*said, *at(10)]) > sw_f1([DUE], said)
    assert pauc(DUE, [*said, *at(10)]) >= pauc(DUE, said)


@given(st.integers(10, 14), st.integers(10, 14))
def test_later_is_never_better(one: int, other: int) -> None:
    early, late = sorted((one, other))
    assert pauc(DUE, at(early)) >= pauc(DUE, at(late))
