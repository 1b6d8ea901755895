"""Counting of onsets, false alarms and wrong sentences, by value."""

from __future__ import annotations

from vigil_recipe.export.check import Case, Tally, count, make_cases
from vigil_recipe.text.dialogue import ALERT, RESPONSE, SILENCE
from vigil_recipe.world import Kind, Span, Split, make_episode

FIRE = f"{RESPONSE} {ALERT[Kind.FIRE]}"
DOOR = f"{RESPONSE} {ALERT[Kind.DOOR]}"


def case() -> Case:
    spans = (Span(Kind.FIRE, 2, 5), Span(Kind.FIRE, 10, 14), Span(Kind.DOOR, 6, 8))
    return Case(make_episode(0, Split.TEST, 16, spans=spans), (Kind.FIRE,), ("Alert me when a fire starts.",))


def tallied(replies: dict[int, str]) -> tuple[Tally, list[str]]:
    tally = Tally()
    return tally, count(case(), [replies.get(second, SILENCE) for second in range(16)], tally)


def test_a_perfect_run() -> None:
    tally, notes = tallied(dict.fromkeys((2, 3, 4, 10, 11, 12, 13), FIRE))
    assert (tally.onsets, tally.onsets_met, tally.first_second) == (2, 2, 2)
    assert (tally.false_alarms, tally.late_stops, tally.wrong_text, tally.malformed) == (0, 0, 0, 0)
    assert notes == []


def test_late_missed_false_and_malformed() -> None:
    tally, notes = tallied({4: FIRE, 5: FIRE, 7: DOOR, 8: "fire?", 9: FIRE, 13: FIRE})
    assert (tally.onsets, tally.onsets_met, tally.first_second) == (2, 1, 0)
    assert (tally.false_alarms, tally.late_stops, tally.malformed) == (2, 1, 1)
    assert notes == [
        "seed 0: missed fire at 10..14",
        "seed 0: false door at 7 s",
        "seed 0: false fire at 9 s",
    ]


def test_a_wrong_sentence_is_counted() -> None:
    tally, _ = tallied({2: FIRE, 3: f"{FIRE} {ALERT[Kind.DOOR]}"})
    assert (tally.wrong_text, tally.false_alarms) == (1, 1)


def test_cases_ask_every_kind_on_unseen_episodes() -> None:
    cases = list(make_cases(14, 20))
    assert {kind for one in cases for kind in one.asked} == set(Kind)
    assert {one.episode.split for one in cases} == {Split.VALIDATION}
    assert any(len(one.asked) == 2 for one in cases)
