"""What one scenario has and the others have not: delegation, counting, timing, translation, memory, alerts. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vigil_recipe.exam.scoring.dues import called_by
from vigil_recipe.exam.scoring.episode_scores import (
    TURN_S,
    EpisodeScore,
    Metrics,
    clearings,
    mean,
    ratio,
    share,
    summary,
    timeliness,
)
from vigil_recipe.exam.scoring.matching import EARLY_TURNS, Match, latest
from vigil_recipe.exam.scoring.utterances import Utterance, units
from vigil_recipe.scenarios import Due, Said, Scenario


def scenario_summary(scenario: Scenario, scores: Sequence[EpisodeScore]) -> Metrics:
    """The figures of a scenario: those that all have and its own."""
    return summary(scores) | _OWN.get(scenario, _nothing)(scores)


def memory_figures(on: Sequence[EpisodeScore], off: Sequence[EpisodeScore]) -> Metrics:
    """Questions whose answer lies in the memory line, with the line and, where it was played, without.

    ``most_frequent_answer`` is what always giving the most frequent right answer would score: the most that can be had
    without the evidence and without knowing the question.
    """
    remembered = {_key(one): [due for due in one.answers() if in_memory(one.script.memory, due.text)] for one in on}
    texts = Counter(due.text for dues in remembered.values() for due in dues)
    without = [one.heard_at(due) is not None for one in off for due in remembered.get(_key(one), ())]
    return {
        "memory_questions": sum(texts.values()),
        "memory_on": share(on, lambda one: [one.heard_at(due) is not None for due in remembered[_key(one)]]),
        "memory_off": mean([float(one) for one in without]),
        "most_frequent_answer": ratio(max(texts.values(), default=0), sum(texts.values())),
    }


def in_memory(memory: str, answer: str) -> bool:
    """Whether the memory line holds the answer, as whole words: what the picture answers is no memory question."""
    words = re.escape(answer.rstrip("."))
    return bool(words) and re.search(rf"(?<!\w){words}(?!\w)", memory, re.IGNORECASE) is not None


def _key(one: EpisodeScore) -> tuple[object, ...]:
    return one.script.episode.seed, one.script.turns


def _nothing(_: Sequence[EpisodeScore]) -> Metrics:
    return {}


def _alerting(scores: Sequence[EpisodeScore]) -> Metrics:
    """The onsets of what is watched alone, without the answers to what else was asked; and the system's alerts, where
    the player receives them.

    An alert beyond the first of a span is a duplicate, one outside of every span is false: each would page somebody.
    """
    onsets = [due for one in scores for due in one.dues if due.repeats]
    lags = [found.lag * TURN_S for one in scores for found in one.matched.matches if found.due.repeats]
    again = sum(utterance.text in _watched(one) for one in scores for utterance in one.matched.duplicates)
    said = len(lags) + again + sum(len(one.matched.false) for one in scores)
    areas = [area for one in scores for due, area in zip(one.dues, one.pauc, strict=True) if due.repeats]
    figures = timeliness(lags, len(onsets), said, again) | {"pauc": mean(areas)}
    if not any(one.transcript.alerts for one in scores):
        return figures
    raised = [_raised(one) for one in scores]
    minutes = sum(one.minutes for one in scores)
    return figures | {
        "alerts_opened": sum(len(opened_alerts(one)) for one in scores),
        "alert_recall_within_2_s": ratio(sum(abs(lag) <= 2 for one in raised for lag in one.lags), len(onsets)),
        "duplicate_alerts": sum(one.duplicates for one in raised),
        "false_alerts_per_minute": ratio(sum(one.false for one in raised), minutes),
    }


def _watched(one: EpisodeScore) -> frozenset[str]:
    return frozenset(due.text for due in one.dues if due.repeats)


@dataclass(frozen=True, slots=True)
class Raised:
    """An episode's alerts: how late the first of each span was, and how many were beyond it or outside of all."""

    lags: tuple[int, ...]
    duplicates: int
    false: int


def _raised(one: EpisodeScore) -> Raised:
    cleared, left = clearings(one.script), list(opened_alerts(one))
    lags, duplicates = [], 0
    for due in sorted((due for due in one.dues if due.repeats), key=lambda due: due.first):
        span = range(max(due.asked, due.first - EARLY_TURNS), latest(due, cleared))
        own = [alert for alert in left if alert.text == due.text and alert.turn in span]
        left = [alert for alert in left if alert not in own]
        lags += [alert.turn - due.first for alert in own[:1]]
        duplicates += len(own[1:])
    return Raised(tuple(lags), duplicates, len(left))


def opened_alerts(one: EpisodeScore) -> tuple[Utterance, ...]:
    """What each alert told when it opened, in the turn in which it opened."""
    known = {due.text for due in one.dues}
    turns = [heard.time_s for heard in one.transcript.turns]
    return tuple(
        Utterance(min(range(len(turns)), key=lambda turn: abs(turns[turn] - alert.time_s)), text)
        for alert in one.transcript.alerts
        if alert.state == "opened"
        for text in units(alert.text, known)
    )


def _counting(scores: Sequence[EpisodeScore]) -> Metrics:
    """An episode's last count is right when the last number that was due is the last number that was said."""
    right = []
    for one in scores:
        due = [due.text for due in one.dues if due.text.rstrip(".").isdecimal()]
        said = [utterance.text for utterance in one.said if utterance.text.rstrip(".").isdecimal()]
        right.append(float(bool(due) and bool(said) and said[-1] == due[-1]))
    return {"last_count_right": mean(right)}


def _timing(scores: Sequence[EpisodeScore]) -> Metrics:
    """Intervals and delays, by when they were told; how long something lasted, by the number of seconds said."""
    timed = [(one, due) for one in scores for due in one.dues if due.first > due.asked]
    asked = [(one, due) for one in scores for due in one.dues if due.first == due.asked and _seconds(due.text)]
    return {
        "intervals": len(timed),
        "intervals_within_1_s": mean([float(_within(one, due, 1)) for one, due in timed]),
        "durations": len(asked),
        "durations_within_1_s": mean([float(_is_nearly(one, due)) for one, due in asked]),
    }


def _seconds(text: str) -> int | None:
    found = re.fullmatch(r"(\d+) seconds\.", text)
    return int(found[1]) if found else None


def _is_nearly(one: EpisodeScore, due: Due) -> bool:
    """Whether the turn of the question is answered with a number of seconds that is at most one off."""
    right = _seconds(due.text)
    said = [_seconds(utterance.text) for utterance in one.said if utterance.turn == due.first]
    return right is not None and any(value is not None and abs(value - right) <= 1 for value in said)


def _translation(scores: Sequence[EpisodeScore]) -> Metrics:
    """Of what was to be translated; what was only to be read is an answer."""
    return {"translation_exact": share(scores, lambda one: [one.heard_at(due) is not None for due in _translated(one)])}


def _translated(one: EpisodeScore) -> list[Due]:
    read = one.answers()
    return [due for due in one.dues if due not in read]


def _delegation(scores: Sequence[EpisodeScore]) -> Metrics:
    """``hard_delegated`` wants the question handed over within two turns, ``hard_delegated_exact`` in its very words;
    ``easy_inline`` a right answer without handing over; ``results_used`` the right answer once the result has come, of
    the results that came; ``watched_while_pending`` is the recall of all else that was due in the meantime."""
    return {
        "hard_delegated": share(scores, lambda one: [_delegated(one, due) for due in _hard(one)]),
        "hard_delegated_exact": share(scores, lambda one: [one.heard_at(due) is not None for due in _hard(one)]),
        "easy_inline": share(scores, lambda one: [one.heard_at(due) is not None for due in _easy(one)]),
        "results_due": sum(len(_results(one)) for one in scores),
        "results_came": sum(len(_came(one)) for one in scores),
        "results_used": share(scores, lambda one: [one.heard_at(due) is not None for due in _came(one)]),
        "watched_while_pending": share(scores, lambda one: [one.heard_at(due) is not None for due in _pending(one)]),
    }


def _hard(one: EpisodeScore) -> list[Due]:
    return [due for due in one.dues if due.question]


def _easy(one: EpisodeScore) -> list[Due]:
    return [due for due in one.answers() if not one.is_result(due) and called_by(one.script, due, Said.QUESTION)]


def _results(one: EpisodeScore) -> list[Due]:
    return [due for due in one.dues if one.is_result(due)]


def _came(one: EpisodeScore) -> list[Due]:
    return [due for due in _results(one) if one.transcript.turns[min(due.asked, _last(one))].results]


def _last(one: EpisodeScore) -> int:
    return len(one.transcript.turns) - 1


def _delegated(one: EpisodeScore, due: Due) -> bool:
    return any(turn.output.question for turn in one.transcript.turns[due.first : max(due.end, due.first + 3)])


def _pending(one: EpisodeScore) -> list[Due]:
    """What was due between a delegation that the model made and the turn of its result."""
    waits = [_wait(one, found) for found in one.matched.matches if found.due.question]
    others = [due for due in one.dues if not due.question and not one.is_result(due)]
    return [due for due in others if any(due.first in wait for wait in waits)]


def _wait(one: EpisodeScore, found: Match) -> range:
    came = [turn for turn, heard in enumerate(one.transcript.turns) if heard.results and turn > found.turn]
    return range(found.turn + 1, came[0] if came else len(one.transcript.turns))


def _within(one: EpisodeScore, due: Due, turns: int) -> bool:
    heard = one.heard_at(due)
    return heard is not None and abs(heard - due.first) <= turns


_OWN: dict[Scenario, Callable[[Sequence[EpisodeScore]], Metrics]] = {
    Scenario.ALERTING: _alerting,
    Scenario.COUNTING: _counting,
    Scenario.TIMING: _timing,
    Scenario.TRANSLATION: _translation,
    Scenario.DELEGATION: _delegation,
}
