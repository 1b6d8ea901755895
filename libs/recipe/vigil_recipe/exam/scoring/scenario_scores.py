"""Figures that only one scenario has: delegation, counting, timing, translation, memory, alerts, modules. Pure."""

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
from vigil_recipe.exam.scoring.module_scores import module_figures
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
    remembered = {
        _key(episode): [due for due in episode.answers() if in_memory(episode.script.memory, due.text)]
        for episode in on
    }
    texts = Counter(due.text for dues in remembered.values() for due in dues)
    without = [episode.heard_at(due) is not None for episode in off for due in remembered.get(_key(episode), ())]
    return {
        "memory_questions": sum(texts.values()),
        "memory_on": share(
            on, lambda episode: [episode.heard_at(due) is not None for due in remembered[_key(episode)]]
        ),
        "memory_off": mean([float(met) for met in without]),
        "most_frequent_answer": ratio(max(texts.values(), default=0), sum(texts.values())),
    }


def in_memory(memory: str, answer: str) -> bool:
    """Whether the memory line holds the answer, as whole words: what the picture answers is no memory question."""
    words = re.escape(answer.rstrip("."))
    return bool(words) and re.search(rf"(?<!\w){words}(?!\w)", memory, re.IGNORECASE) is not None


def _key(episode: EpisodeScore) -> tuple[object, ...]:
    return episode.script.episode.seed, episode.script.turns


def _nothing(_: Sequence[EpisodeScore]) -> Metrics:
    return {}


def _alerting(scores: Sequence[EpisodeScore]) -> Metrics:
    """The onsets of what is watched alone, without the answers to what else was asked; and the system's alerts, where
    the player receives them.

    An alert beyond the first of a span is a duplicate, one outside of every span is false: each would page somebody.
    """
    onsets = [due for episode in scores for due in episode.dues if due.repeats]
    lags = [found.lag * TURN_S for episode in scores for found in episode.matched.matches if found.due.repeats]
    again = sum(utterance.text in _watched(episode) for episode in scores for utterance in episode.matched.duplicates)
    said = len(lags) + again + sum(len(episode.matched.false) for episode in scores)
    areas = [area for episode in scores for due, area in zip(episode.dues, episode.pauc, strict=True) if due.repeats]
    figures = timeliness(lags, len(onsets), said, again) | {"pauc": mean(areas)}
    if not any(episode.transcript.alerts for episode in scores):
        return figures
    raised = [_raised(episode) for episode in scores]
    minutes = sum(episode.minutes for episode in scores)
    return figures | {
        "alerts_opened": sum(len(opened_alerts(episode)) for episode in scores),
        "alert_recall_within_2_s": ratio(
            sum(abs(lag) <= 2 for raised_alerts in raised for lag in raised_alerts.lags), len(onsets)
        ),
        "duplicate_alerts": sum(raised_alerts.duplicates for raised_alerts in raised),
        "false_alerts_per_minute": ratio(sum(raised_alerts.false for raised_alerts in raised), minutes),
    }


def _watched(episode: EpisodeScore) -> frozenset[str]:
    return frozenset(due.text for due in episode.dues if due.repeats)


@dataclass(frozen=True, slots=True)
class Raised:
    """An episode's alerts: how late the first of each span was, and how many were beyond it or outside of all."""

    lags: tuple[int, ...]
    duplicates: int
    false: int


def _raised(episode: EpisodeScore) -> Raised:
    cleared, left = clearings(episode.script), list(opened_alerts(episode))
    lags, duplicates = [], 0
    for due in sorted((due for due in episode.dues if due.repeats), key=lambda due: due.first):
        span = range(max(due.asked, due.first - EARLY_TURNS), latest(due, cleared))
        own = [alert for alert in left if alert.text == due.text and alert.turn in span]
        left = [alert for alert in left if alert not in own]
        lags += [alert.turn - due.first for alert in own[:1]]
        duplicates += len(own[1:])
    return Raised(tuple(lags), duplicates, len(left))


def opened_alerts(episode: EpisodeScore) -> tuple[Utterance, ...]:
    """What each alert told when it opened, in the turn in which it opened."""
    known = {due.text for due in episode.dues}
    turns = [heard.time_s for heard in episode.transcript.turns]
    return tuple(
        Utterance(min(range(len(turns)), key=lambda turn: abs(turns[turn] - alert.time_s)), text)
        for alert in episode.transcript.alerts
        if alert.state == "opened"
        for text in units(alert.text, known)
    )


def _counting(scores: Sequence[EpisodeScore]) -> Metrics:
    """An episode's last count is right when the last number that was due is the last number that was said."""
    right = []
    for episode in scores:
        due = [due.text for due in episode.dues if due.text.rstrip(".").isdecimal()]
        said = [utterance.text for utterance in episode.said if utterance.text.rstrip(".").isdecimal()]
        right.append(float(bool(due) and bool(said) and said[-1] == due[-1]))
    return {"last_count_right": mean(right)}


def _timing(scores: Sequence[EpisodeScore]) -> Metrics:
    """Intervals and delays, by when they were told; how long something lasted, by the number of seconds said."""
    timed = [(episode, due) for episode in scores for due in episode.dues if due.first > due.asked]
    asked = [
        (episode, due) for episode in scores for due in episode.dues if due.first == due.asked and _seconds(due.text)
    ]
    return {
        "intervals": len(timed),
        "intervals_within_1_s": mean([float(_within(episode, due, 1)) for episode, due in timed]),
        "durations": len(asked),
        "durations_within_1_s": mean([float(_is_nearly(episode, due)) for episode, due in asked]),
    }


def _seconds(text: str) -> int | None:
    found = re.fullmatch(r"(\d+) seconds\.", text)
    return int(found[1]) if found else None


def _is_nearly(episode: EpisodeScore, due: Due) -> bool:
    """Whether the turn of the question is answered with a number of seconds that is at most one off."""
    right = _seconds(due.text)
    said = [_seconds(utterance.text) for utterance in episode.said if utterance.turn == due.first]
    return right is not None and any(value is not None and abs(value - right) <= 1 for value in said)


def _translation(scores: Sequence[EpisodeScore]) -> Metrics:
    """Of what was to be translated; what was only to be read is an answer."""
    return {
        "translation_exact": share(
            scores, lambda episode: [episode.heard_at(due) is not None for due in _translated(episode)]
        )
    }


def _translated(episode: EpisodeScore) -> list[Due]:
    read = episode.answers()
    return [due for due in episode.dues if due not in read]


def _delegation(scores: Sequence[EpisodeScore]) -> Metrics:
    """``hard_delegated`` wants the question handed over within two turns, ``hard_delegated_exact`` in its very words;
    ``easy_inline`` a right answer without handing over; ``results_used`` the right answer once the result has come, of
    the results that came; ``watched_while_pending`` is the recall of all else that was due in the meantime."""
    return {
        "hard_delegated": share(scores, lambda episode: [_delegated(episode, due) for due in _hard(episode)]),
        "hard_delegated_exact": share(
            scores, lambda episode: [episode.heard_at(due) is not None for due in _hard(episode)]
        ),
        "easy_inline": share(scores, lambda episode: [episode.heard_at(due) is not None for due in _easy(episode)]),
        "results_due": sum(len(_results(episode)) for episode in scores),
        "results_came": sum(len(_came(episode)) for episode in scores),
        "results_used": share(scores, lambda episode: [episode.heard_at(due) is not None for due in _came(episode)]),
        "watched_while_pending": share(
            scores, lambda episode: [episode.heard_at(due) is not None for due in _pending(episode)]
        ),
    }


def _hard(episode: EpisodeScore) -> list[Due]:
    return [due for due in episode.dues if due.question]


def _easy(episode: EpisodeScore) -> list[Due]:
    return [
        due for due in episode.answers() if not episode.is_result(due) and called_by(episode.script, due, Said.QUESTION)
    ]


def _results(episode: EpisodeScore) -> list[Due]:
    return [due for due in episode.dues if episode.is_result(due)]


def _came(episode: EpisodeScore) -> list[Due]:
    return [due for due in _results(episode) if episode.transcript.turns[min(due.asked, _last(episode))].results]


def _last(episode: EpisodeScore) -> int:
    return len(episode.transcript.turns) - 1


def _delegated(episode: EpisodeScore, due: Due) -> bool:
    return any(turn.output.question for turn in episode.transcript.turns[due.first : max(due.end, due.first + 3)])


def _pending(episode: EpisodeScore) -> list[Due]:
    """What was due between a delegation that the model made and the turn of its result."""
    waits = [_wait(episode, found) for found in episode.matched.matches if found.due.question]
    others = [due for due in episode.dues if not due.question and not episode.is_result(due)]
    return [due for due in others if any(due.first in wait for wait in waits)]


def _wait(episode: EpisodeScore, found: Match) -> range:
    came = [turn for turn, heard in enumerate(episode.transcript.turns) if heard.results and turn > found.turn]
    return range(found.turn + 1, came[0] if came else len(episode.transcript.turns))


def _within(episode: EpisodeScore, due: Due, turns: int) -> bool:
    heard = episode.heard_at(due)
    return heard is not None and abs(heard - due.first) <= turns


_OWN: dict[Scenario, Callable[[Sequence[EpisodeScore]], Metrics]] = {
    Scenario.ALERTING: _alerting,
    Scenario.COUNTING: _counting,
    Scenario.TIMING: _timing,
    Scenario.TRANSLATION: _translation,
    Scenario.DELEGATION: _delegation,
    Scenario.MODULES: module_figures,
}
