"""Scores of whole episodes: by value on hand-made scripts, and perfect for a perfect player on every scenario."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vigil_recipe.exam.players.background import Background
from vigil_recipe.exam.scoring.calibration import calibration, ticks
from vigil_recipe.exam.scoring.dues import actual_dues, speaking_turns
from vigil_recipe.exam.scoring.episode_scores import score, summary
from vigil_recipe.exam.scoring.head_to_head import Tally, compare, head_to_head
from vigil_recipe.exam.scoring.scenario_scores import in_memory, memory_figures, scenario_summary
from vigil_recipe.exam.scoring.transcript import AlertSeen
from vigil_recipe.scenarios import Due, Line, Result, Said, Scenario, exam_script
from vigil_recipe.testing.scripts import TURNS, instruction, question, right, script, transcript
from vigil_recipe.world import Split

FIRE = "A fire has started."
CHECK, HARD = "Let me check.", "What is 12 times 34?"
RESULT = Result(HARD, 4, Line(Said.RESULT, f"Result: {HARD} It is 408."))
ALERTING = script(dues=[Due(0, 5, 9, FIRE, repeats=True), Due(0, 15, 18, FIRE, repeats=True)])


@pytest.mark.parametrize("scenario", list(Scenario))
def test_the_right_course_is_perfect_in_every_scenario(scenario: Scenario) -> None:
    scores = [score(one, right(one)) for one in (exam_script(s, scenario, Split.VALIDATION, 40) for s in range(4))]
    figures = scenario_summary(scenario, scores)
    assert all(episode.is_exact and episode.sw_f1 == 1.0 for episode in scores)
    for key in ("recall", "precision", "sw_f1", "pauc", "exact_episodes"):
        assert figures[key] == 1.0, key
    assert (figures["false_alarms_per_minute"], figures["duplicate_rate"], figures["wrong_words"]) == (0, 0, 0)
    for key in ("answer_accuracy", "last_count_right", "intervals_within_1_s", "durations_within_1_s",
                "translation_exact", "hard_delegated", "hard_delegated_exact", "easy_inline", "results_used",
                "watched_while_pending"):  # fmt: skip
        assert figures.get(key) in (None, 1.0), key


@pytest.mark.parametrize("scenario", list(Scenario))
def test_silence_finds_nothing(scenario: Scenario) -> None:
    one = exam_script(1, scenario, Split.VALIDATION, 40)
    figures = scenario_summary(scenario, [score(one, transcript({}, turns=40))])
    assert (figures["utterances"], figures["precision"], figures["sw_f1"]) == (0, None, 0.0 if one.dues else 1.0)
    assert figures["recall"] in (None, 0.0)


def test_alerting_by_value() -> None:
    one = score(ALERTING, transcript(dict.fromkeys((2, 6, 7, 8, 18), f"</response> {FIRE}")))
    figures = summary([one])
    assert [(match.due.first, match.turn) for match in one.matched.matches] == [(5, 6)]
    assert [due.first for due in one.matched.missed] == [15], "18 s is over already, and forgiven"
    assert [said.turn for said in one.matched.false] == [2]
    assert (figures["dues"], figures["utterances"], figures["precision"], figures["recall"]) == (2, 2, 0.5, 0.5)


def test_lateness_and_earliness_apart() -> None:
    replies = {4: FIRE, 5: FIRE, 6: FIRE, 17: FIRE}
    figures = summary([score(ALERTING, transcript({turn: f"</response> {text}" for turn, text in replies.items()}))])
    assert (figures["recall_within_1_s"], figures["recall_within_2_s"]) == (0.5, 1.0)
    assert (figures["mean_abs_error_s"], figures["mean_early_s"], figures["mean_late_s"]) == (1.5, 1.0, 2.0)
    assert (figures["early_share"], figures["late_share"], figures["precision"]) == (0.5, 0.5, 1.0)
    assert figures["false_alarms_per_minute"] == 0


def test_false_alarms_are_counted_by_the_minute() -> None:
    figures = summary(
        [score(script(), transcript({3: "</response> Boo.", 4: "</response> Boo.", 12: "</response> Boo."}))]
    )
    assert figures["false_alarms_per_minute"] == pytest.approx(2 / (TURNS / 60))
    assert (figures["recall"], figures["sw_f1"], figures["pauc"]) == (None, 0.0, None)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("6 seconds.", 1.0),
        ("7 seconds. Now.", 1.0),
        ("5 seconds.", 1.0),
        ("8 seconds.", 0.0),
        ("A while.", 0.0),
        ("6 seconds have passed.", 0.0),
    ],
)
def test_how_long_it_lasted_is_judged_by_the_number_and_apart_from_intervals(said: str, right: float) -> None:
    one = script(dues=[Due(0, 9, 12, "9 seconds have passed."), Due(10, 10, 13, "6 seconds.")])
    figures = scenario_summary(Scenario.TIMING, [score(one, transcript({10: f"</response> {said}"}))])
    assert (figures["intervals"], figures["intervals_within_1_s"]) == (1, 0.0)
    assert (figures["durations"], figures["durations_within_1_s"]) == (1, right)


def opened(*times_s: float) -> list[AlertSeen]:
    return [AlertSeen("opened", "fire", FIRE, time_s) for time_s in times_s]


def test_alerts_that_the_system_raised() -> None:
    alerts = [*opened(1.0, 5.0), AlertSeen("closed", "fire", FIRE, 10.0)]
    figures = scenario_summary(Scenario.ALERTING, [score(ALERTING, transcript({}, alerts=alerts))])
    assert (figures["alerts_opened"], figures["alert_recall_within_2_s"], figures["duplicate_alerts"]) == (2, 0.5, 0)
    assert figures["false_alerts_per_minute"] == pytest.approx(1 / (TURNS / 60))


def test_a_second_alert_of_one_span_is_a_duplicate_and_a_stale_one_is_false() -> None:
    figures = scenario_summary(Scenario.ALERTING, [score(ALERTING, transcript({}, alerts=opened(5, 8, 16, 19)))])
    assert (figures["alert_recall_within_2_s"], figures["duplicate_alerts"]) == (1.0, 1)
    assert figures["false_alerts_per_minute"] == pytest.approx(1 / (TURNS / 60)), "19 s is after the end"


def test_an_alert_in_the_turn_in_which_its_watch_is_cleared_is_false() -> None:
    cleared = script(dues=[Due(0, 5, 9, FIRE, repeats=True)], lines={9: [Line(Said.CLEARING, "Stop watching: fire.")]})
    said = transcript(dict.fromkeys((5, 6, 7, 8, 9), f"</response> {FIRE}"), alerts=opened(9))
    figures = scenario_summary(Scenario.ALERTING, [score(cleared, said)])
    assert (figures["recall"], figures["precision"]) == (1.0, 0.5)
    assert figures["alert_recall_within_2_s"] == 0.0
    for key in ("false_alarms_per_minute", "false_alerts_per_minute"):
        assert figures[key] == pytest.approx(1 / (TURNS / 60)), key


def test_a_description_is_no_onset() -> None:
    seen = Due(3, 3, 6, "I see nothing unusual.")
    one = script(dues=[*ALERTING.dues, seen], lines={3: [question("What do you see?")]})
    figures = scenario_summary(Scenario.ALERTING, [score(one, transcript({3: f"</response> {seen.text}"}))])
    assert (figures["dues"], figures["utterances"], figures["recall"], figures["precision"]) == (2, 0, 0.0, None)
    assert (figures["answer_accuracy"], figures["mean_abs_error_s"]) == (1.0, None)
    missed = scenario_summary(Scenario.ALERTING, [score(one, transcript({5: f"</response> {FIRE}"}))])
    assert (missed["recall"], missed["precision"], missed["answer_accuracy"]) == (0.5, 1.0, 0.0)


def test_what_is_read_is_not_translated() -> None:
    dues = [Due(4, 4, 7, "Exit."), Due(0, 6, 9, "Sortie.")]
    one = script(Scenario.TRANSLATION, dues, {0: [instruction("Translate.")], 4: [question("What does it say?")]})
    figures = scenario_summary(Scenario.TRANSLATION, [score(one, transcript({4: "</response> Exit."}))])
    assert (figures["translation_exact"], figures["answer_accuracy"]) == (0.0, 1.0)


def delegation() -> tuple[Due, ...]:
    return (
        Due(3, 3, 6, CHECK, HARD),
        Due(5, 5, 8, "Yes."),
        Due(0, 6, 9, FIRE, repeats=True),
        Due(7, 7, 10, "It is 408."),
    )


DELEGATING = script(
    Scenario.DELEGATION,
    delegation(),
    {0: [instruction("Alert me if there is a fire.")], 3: [question(HARD)], 5: [question("Is the door open?")],
     7: [RESULT.line]},
    [RESULT],
)  # fmt: skip


def test_a_result_is_due_when_it_came() -> None:
    late = transcript({}, results={9: (RESULT.line.text,)})
    assert [due.first for due in actual_dues(DELEGATING, late)] == [3, 5, 6, 9]
    assert [due.first for due in actual_dues(DELEGATING, transcript({}))] == [3, 5, 6, 7]


def test_delegation_by_value() -> None:
    replies = {
        4: f"</response> {CHECK} </delegation> {HARD}",
        5: "</response> Yes.",
        7: f"</response> {FIRE}",
        8: f"</response> It is 408. {FIRE}",
    }
    figures = scenario_summary(
        Scenario.DELEGATION, [score(DELEGATING, transcript(replies, results={8: (RESULT.line.text,)}))]
    )
    for key in ("hard_delegated", "hard_delegated_exact", "easy_inline", "results_used", "watched_while_pending"):
        assert figures[key] == 1.0, key
    assert (figures["results_due"], figures["results_came"]) == (1, 1)


def test_a_hard_question_answered_inline_and_an_easy_one_delegated() -> None:
    replies = {3: "</response> It is 12.", 5: f"</response> {CHECK} </delegation> Is the door open?"}
    figures = scenario_summary(Scenario.DELEGATION, [score(DELEGATING, transcript(replies))])
    assert (figures["hard_delegated_exact"], figures["easy_inline"]) == (0.0, 0.0)
    assert (figures["results_came"], figures["results_used"]) == (0, None), "nothing came that could be used"
    assert figures["watched_while_pending"] is None


def test_the_background_answers_what_the_script_knows_and_once() -> None:
    background = Background([RESULT])
    background.take(2, "What is the weather?")
    background.take(3, HARD)
    background.take(3, HARD)
    assert [background.due(turn) for turn in (6, 7, 8)] == [(), (RESULT.line.text,), ()]


def test_memory_on_and_off() -> None:
    memory = "Memory: At 40 seconds a red bag was left."
    dues = [Due(4, 4, 7, "Red."), Due(9, 9, 12, "No.")]
    lines = {4: [question("What colour was the bag?")], 9: [question("Is the door open?")]}
    on = script(Scenario.MEMORY, dues, lines, memory=memory)
    off = replace(on, memory="")
    knows = score(on, transcript({4: "</response> Red.", 9: "</response> No."}))
    guesses = score(off, transcript({4: "</response> Blue.", 9: "</response> No."}))
    figures = memory_figures([knows], [guesses])
    assert figures == {"memory_questions": 1, "memory_on": 1.0, "memory_off": 0.0, "most_frequent_answer": 1.0}
    assert not in_memory("Memory: nobody came.", "No.")
    assert in_memory("Memory: someone put the keys on the shelf.", "On the shelf.")


def test_speaking_turns_are_the_best_ones_or_all_of_a_condition() -> None:
    turns = speaking_turns([Due(0, 2, 5, "1."), Due(0, 7, 9, FIRE, repeats=True)], 10)
    assert [turn for turn, speak in enumerate(turns) if speak] == [2, 7, 8]


def test_calibration_by_value() -> None:
    found = calibration([(0.95, True)] * 3 + [(0.95, False)] + [(0.05, False)] * 4)
    assert [(bin_.low, bin_.turns, bin_.silence_right) for bin_ in found.bins] == [(0.0, 4, 0.0), (0.9, 4, 0.75)]
    assert found.expected_error == pytest.approx(0.5 * 0.05 + 0.5 * 0.2)
    assert calibration([]).expected_error is None
    assert calibration([(1.0, True)]).expected_error == 0.0


def test_ticks_pair_p_with_the_truth() -> None:
    pairs = ticks([score(ALERTING, transcript({5: f"</response> {FIRE}"}, p_silent=0.8))])
    assert len(pairs) == TURNS
    assert sum(not silent for _, silent in pairs) == 7
    p_silent, silence_right = pairs[5]
    assert p_silent == pytest.approx(0.2)
    assert not silence_right


def test_win_tie_and_loss() -> None:
    assert compare(0.5, 0.4) == Tally(wins=1)
    assert compare(0.4, 0.4 + 1e-12) == Tally(ties=1)
    assert compare(0.3, 0.4) == Tally(losses=1)
    other = script(dues=ALERTING.dues, seed=1)
    mine = {Scenario.ALERTING: [score(one, right(one)) for one in (ALERTING, other)]}
    theirs = {Scenario.ALERTING: [score(ALERTING, transcript({5: f"</response> {FIRE}"}))]}
    assert head_to_head(mine, theirs) == {"alerting": Tally(losses=1), "overall": Tally(losses=1)}


def test_a_transcript_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="20 turns, the transcript 5"):
        score(ALERTING, transcript({}, turns=5))
