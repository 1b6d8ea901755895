"""The score of one episode, and the figures over all episodes of a scenario. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vigil_recipe.exam.scoring.dues import actual_dues, called_by, is_result, lines_of
from vigil_recipe.exam.scoring.matching import Matched, match
from vigil_recipe.exam.scoring.timing import pauc, sw_f1
from vigil_recipe.exam.scoring.transcript import Transcript
from vigil_recipe.exam.scoring.utterances import Utterance, utterances
from vigil_recipe.scenarios import Due, Said, Script

TURN_S = 1.0
Metrics = dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class EpisodeScore:
    """One script and what came of it. Times are in turns, one second each."""

    script: Script
    transcript: Transcript
    dues: tuple[Due, ...]
    said: tuple[Utterance, ...]
    matched: Matched
    sw_f1: float
    pauc: tuple[float, ...]

    @property
    def minutes(self) -> float:
        """How long was watched."""
        return len(self.script.turns) * TURN_S / 60

    @property
    def is_exact(self) -> bool:
        """Whether everything due was said in its time, once, and nothing else."""
        return len(self.matched.matches) == len(self.dues) == self.matched.said

    def answers(self) -> tuple[Due, ...]:
        """The dues that answer a question inline or tell a result."""
        return tuple(
            due
            for due in self.dues
            if not (due.repeats or due.question)
            and ((due.first == due.asked and called_by(self.script, due, Said.QUESTION)) or self.is_result(due))
        )

    def is_result(self, due: Due) -> bool:
        """Whether the due, moved or not, tells a result."""
        return is_result(self.script, self.script.dues[self.dues.index(due)])

    def heard_at(self, due: Due) -> int | None:
        """The turn in which the due was met; None when it was missed."""
        return next((found.turn for found in self.matched.matches if found.due == due), None)


def score(script: Script, transcript: Transcript) -> EpisodeScore:
    """Score a script as it was played. Raises ValueError when the transcript has another number of turns."""
    if len(transcript.turns) != len(script.turns):
        raise ValueError(f"the script has {len(script.turns)} turns, the transcript {len(transcript.turns)}")
    dues = actual_dues(script, transcript)
    texts = {due.text for due in dues}
    said = utterances([heard.reply for heard in transcript.turns], texts, {due.text for due in dues if due.question})
    areas = tuple(
        pauc(due, [utterance for utterance in said if utterance.text == due.text or utterance.text not in texts])
        for due in dues
    )
    return EpisodeScore(script, transcript, dues, said, match(dues, said, clearings(script)), sw_f1(dues, said), areas)


def clearings(script: Script) -> frozenset[int]:
    """The turns in which an instruction was taken back."""
    return frozenset(turn for turn in range(len(script.turns)) if lines_of(script, turn, Said.CLEARING))


def summary(scores: Sequence[EpisodeScore]) -> Metrics:
    """The figures that every scenario has.

    ``recall`` is at ± 1 s. ``precision`` counts duplicates and wrong words as mistakes; ``false_alarms_per_minute``
    counts what nothing called for, a run of the same words once. Errors are |t - t*| of what was heard.
    ``answer_accuracy`` is the share of questions (and results) answered with the exact words in their time. ``sw_f1``
    is the mean over episodes, ``pauc`` over dues. None where there is nothing to count.
    """
    dues = [due for episode in scores for due in episode.dues]
    lags = [match.lag * TURN_S for episode in scores for match in episode.matched.matches]
    said = sum(episode.matched.said for episode in scores)
    minutes = sum(episode.minutes for episode in scores)
    answers = [episode.heard_at(due) is not None for episode in scores for due in episode.answers()]
    return {
        "episodes": len(scores),
        "minutes": round(minutes, 2),
        **timeliness(lags, len(dues), said, sum(len(episode.matched.duplicates) for episode in scores)),
        "false_alarms_per_minute": ratio(sum(len(episode.matched.false) for episode in scores), minutes),
        "wrong_words": sum(len(episode.matched.wrong) for episode in scores),
        "answer_accuracy": mean([float(due) for due in answers]),
        "exact_episodes": mean([float(episode.is_exact) for episode in scores]),
        "sw_f1": mean([episode.sw_f1 for episode in scores]),
        "pauc": mean([area for episode in scores for area in episode.pauc]),
        "median_latency_ms": _quantile(scores, 0.5),
        "p95_latency_ms": _quantile(scores, 0.95),
    }


def timeliness(lags: Sequence[float], dues: int, said: int, duplicates: int) -> Metrics:
    """How much of ``dues`` was heard, and when: ``lags`` are the seconds off of each that was, of ``said`` in all."""
    return {
        "dues": dues,
        "utterances": said,
        "recall": ratio(sum(abs(lag) <= 1 for lag in lags), dues),
        "recall_within_1_s": ratio(sum(abs(lag) <= 1 for lag in lags), dues),
        "recall_within_2_s": ratio(sum(abs(lag) <= 2 for lag in lags), dues),
        "precision": ratio(len(lags), said),
        "mean_abs_error_s": mean([abs(lag) for lag in lags]),
        "mean_early_s": mean([-lag for lag in lags if lag < 0]),
        "mean_late_s": mean([lag for lag in lags if lag > 0]),
        "early_share": ratio(sum(lag < 0 for lag in lags), len(lags)),
        "late_share": ratio(sum(lag > 0 for lag in lags), len(lags)),
        "duplicate_rate": ratio(duplicates, said),
    }


def ratio(part: float, whole: float) -> float | None:
    """``part`` of ``whole``; None when the whole is nothing."""
    return part / whole if whole else None


def mean(values: Sequence[float]) -> float | None:
    """The mean; None without values."""
    return sum(values) / len(values) if values else None


def share(scores: Sequence[EpisodeScore], choose: Callable[[EpisodeScore], Sequence[bool]]) -> float | None:
    """The share of True among what is chosen of every episode."""
    return mean([float(value) for score in scores for value in choose(score)])


def _quantile(scores: Sequence[EpisodeScore], q: float) -> float | None:
    """Of the latencies of all turns after each episode's first one, which warms up."""
    values = sorted(
        turn.latency_ms for episode in scores for turn in episode.transcript.turns[1:] if turn.latency_ms > 0
    )
    return round(values[min(int(len(values) * q), len(values) - 1)], 1) if values else None
