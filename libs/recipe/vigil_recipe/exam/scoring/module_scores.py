"""Figures of the scenario of modules: whether what they tell is used, and whether the controls change nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vigil_recipe.exam.scoring.episode_scores import EpisodeScore, Metrics, share
from vigil_recipe.scenarios import Due, Observed, Purpose

AFTER = 3  # turns after an observation in which it must change nothing
CONTROLS = (Purpose.IRRELEVANT, Purpose.AGREEING, Purpose.CONTRADICTING, Purpose.INSTRUCTING)


def module_figures(scores: Sequence[EpisodeScore]) -> Metrics:
    """``needed_heard`` is of what is due only because a module told of it; ``<control>_undisturbed`` is the share of
    such observations that changed nothing. Who never speaks is disturbed by nothing, so the two belong together."""
    figures: Metrics = {
        "observations": sum(len(episode.script.observations) for episode in scores),
        "needed_dues": sum(len(needed(episode)) for episode in scores),
        "needed_heard": share(scores, needed_heard),
    }
    for purpose in CONTROLS:
        undisturbed = [
            is_undisturbed(episode, observed)
            for episode in scores
            for observed in episode.script.observations
            if observed.purpose is purpose
        ]
        figures[f"{purpose.value}_undisturbed"] = sum(undisturbed) / len(undisturbed) if undisturbed else None
    return figures


def untold_figures(told: Sequence[EpisodeScore], untold: Sequence[EpisodeScore]) -> Metrics:
    """What is heard of what is due only because a module told of it, in the same scripts when no module tells."""
    due = {_key(episode): needed(episode) for episode in told}
    return {
        "needed_heard_off": share(
            untold, lambda episode: [episode.heard_at(one) is not None for one in due.get(_key(episode), ())]
        )
    }


def needed(episode: EpisodeScore) -> tuple[Due, ...]:
    """What is due only because a module told of it, in the order in which it was told."""
    return tuple(due for observed in episode.script.observations for due in observed.dues)


def needed_heard(episode: EpisodeScore) -> list[bool]:
    """Whether each of those was heard in its time."""
    return [episode.heard_at(due) is not None for due in needed(episode)]


def is_undisturbed(episode: EpisodeScore, observed: Observed) -> bool:
    """Whether, in the turn of an observation and the three after it, nothing was said that was not due, all that came
    due was heard, and a watched condition that was being told was told on while it held."""
    turns = range(observed.turn, min(observed.turn + AFTER + 1, len(episode.script.turns)))
    strayed = any(said.turn in turns for said in (*episode.matched.false, *episode.matched.wrong))
    missed = any(due.first in turns for due in episode.matched.missed)
    return not strayed and not missed and all(_goes_on(episode, due, turns) for due in episode.dues if due.repeats)


def _goes_on(episode: EpisodeScore, due: Due, turns: range) -> bool:
    told = [due.text in heard.output.text for heard in episode.transcript.turns]
    if not (due.first < turns.start < due.end and told[turns.start - 1]):
        return True
    return all(told[turn] for turn in turns if turn < due.end)


def _key(episode: EpisodeScore) -> tuple[object, ...]:
    """The same for a script and for what it is without what modules tell."""
    return episode.script.episode.seed, episode.script.episode.split, episode.script.dues
