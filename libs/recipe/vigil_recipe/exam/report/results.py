"""What an exam found, as plain data for the JSON file and the page. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vigil_recipe.exam.plan import DISTURBANCES, Part
from vigil_recipe.exam.run import Outcome, Played
from vigil_recipe.exam.scoring.calibration import calibration, ticks
from vigil_recipe.exam.scoring.episode_scores import EpisodeScore, Metrics
from vigil_recipe.exam.scoring.head_to_head import Tally, head_to_head
from vigil_recipe.exam.scoring.module_scores import untold_figures
from vigil_recipe.exam.scoring.scenario_scores import memory_figures, scenario_summary
from vigil_recipe.exam.scoring.targets import counted, reached, untaught_reached
from vigil_recipe.scenarios import TAUGHT, Due, Scenario

SYSTEM = "system"
OWN_BRAINS = (
    "This Vigil ran before the exam, so brains of its own answer delegated questions, too: figures on delegation, and "
    "on how far it decides as the reference does, do not count."
)
UNTAUGHT = (
    "The shipped weights (vigil-small) were not trained on what modules tell: the figures of the scenario modules say "
    "what untaught weights do, and count among no target that was met before."
)
BASELINES = ("polling", "ask_only", "last_4_frames")


@dataclass(frozen=True, slots=True)
class Settings:
    """How the exam was taken. Without the exam's `stand_in` the system had brains of its own; see `OWN_BRAINS`."""

    began: str
    seed: int
    episodes: int
    scenarios: tuple[str, ...]
    split: str
    pace: str
    model: str
    at_once: int
    machine: str
    seconds: float
    stand_in: bool = True


def results(
    settings: Settings, outcome: Outcome, parity: Mapping[str, Any], summariser: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything. ``summary.<scenario>`` are the system's figures; the others' are in ``baselines.<name>``."""
    scores = outcome.scores(SYSTEM)
    found = summaries(scores, outcome)
    everyone = [scored for scenario in counted(scores) for scored in scores[scenario]]
    return {
        "settings": asdict(settings),
        "partial": outcome.is_partial,
        "failed": outcome.failed,
        "summary": found,
        "targets": [asdict(target) for target in reached(found, parity)],
        "untaught": [name for name in found if name not in TAUGHT],
        "untaught_targets": [asdict(target) for target in untaught_reached(found)],
        "baselines": {
            name: {scenario.value: scenario_summary(scenario, of) for scenario, of in outcome.scores(name).items()}
            for name in BASELINES
            if outcome.scores(name)
        },
        "head_to_head": {
            name: {row: asdict(tally) for row, tally in tallies.items()}
            for name, tallies in head_to_heads(outcome).items()
        },
        "calibration": asdict(calibration(ticks(everyone))),
        "robustness": robustness(outcome),
        "summariser": dict(summariser),
        "parity": dict(parity),
        "episodes": [episode(played) for played in outcome.played],
    }


def summaries(scores: Mapping[Scenario, Sequence[EpisodeScore]], outcome: Outcome) -> dict[str, Metrics]:
    """The system's figures by scenario; memory also with its memory off, modules with nothing told."""
    found = {scenario.value: scenario_summary(scenario, of) for scenario, of in scores.items()}
    if on := scores.get(Scenario.MEMORY):
        off = outcome.scores(SYSTEM, Part.MEMORY_OFF).get(Scenario.MEMORY, [])
        found[Scenario.MEMORY.value] |= memory_figures(on, off)
    if told := scores.get(Scenario.MODULES):
        untold = outcome.scores(SYSTEM, Part.MODULES_OFF).get(Scenario.MODULES, [])
        found[Scenario.MODULES.value] |= untold_figures(told, untold)
    return found


def head_to_heads(outcome: Outcome) -> dict[str, dict[str, Tally]]:
    """The system against each baseline that was played."""
    mine = outcome.scores(SYSTEM)
    return {name: head_to_head(mine, outcome.scores(name)) for name in BASELINES if outcome.scores(name)}


def robustness(outcome: Outcome) -> dict[str, Metrics]:
    """Alerting with each disturbance off and on: ``noise off`` beside ``noise on``, over the same seeds."""
    keys = ("episodes", "dues", "recall", "precision", "mean_abs_error_s", "false_alarms_per_minute", "sw_f1")
    found = {}
    for condition in (f"{name} {state}" for name in DISTURBANCES for state in ("off", "on")):
        scores = outcome.scores(SYSTEM, Part.ROBUSTNESS, condition).get(Scenario.ALERTING)
        if scores:
            whole = scenario_summary(Scenario.ALERTING, scores)  # onsets alone, without the answers of a description
            found[condition] = {key: whole[key] for key in keys}
    return found


def episode(play: Played) -> dict[str, Any]:
    """One script as it was played, whole: every turn's lines, reply and p."""
    score = play.score
    return {
        "part": play.item.part.value,
        "condition": play.item.condition,
        "scenario": play.item.scenario.value,
        "seed": play.item.seed,
        "player": play.player,
        "sw_f1": score.sw_f1,
        "pauc": list(score.pauc),
        "exact": score.is_exact,
        "dues": [_due(due, score) for due in score.dues],
        "false": [asdict(said) for said in score.matched.false],
        "wrong": [asdict(said) for said in score.matched.wrong],
        "duplicates": [asdict(said) for said in score.matched.duplicates],
        "alerts": [asdict(alert) for alert in score.transcript.alerts],
        "memory": play.item.script.memory,
        "observations": [asdict(observed) for observed in play.item.script.observations],
        "turns": [
            {
                "second": turn.second,
                "lines": [line.text for line in turn.lines if line.text not in _results(score)] + list(heard.results),
                "right": turn.reply,
                "reply": heard.reply,
                "p": None
                if heard.p is None
                else [round(p, 4) for p in (heard.p.silent, heard.p.speak, heard.p.delegate)],
                "latency_ms": round(heard.latency_ms, 1),
            }
            for turn, heard in zip(play.item.script.turns, score.transcript.turns, strict=True)
        ],
    }


def _due(due: Due, score: EpisodeScore) -> dict[str, Any]:
    return {**asdict(due), "heard": score.heard_at(due)}


def _results(score: EpisodeScore) -> set[str]:
    """RESULT lines of the right course: the turn in which they really came has its own."""
    return {result.line.text for result in score.script.results}
