"""The targets of the exam, and whether they were met. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vigil_recipe.scenarios import TAUGHT, Scenario


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of a scenario (of ``parity`` where none is named) and the limit that it has to keep."""

    claim: str
    scenario: str
    figure: str
    limit: float
    at_least: bool = True


TARGETS = (
    Target("alert onsets within 1 s", "alerting", "recall", 0.95),
    Target("false alarms a minute", "alerting", "false_alarms_per_minute", 0.1, at_least=False),
    Target("counting, whole episodes exact", "counting", "exact_episodes", 0.85),
    Target("intervals within 1 s", "timing", "intervals_within_1_s", 0.9),
    Target("how long it lasted, within 1 s", "timing", "durations_within_1_s", 0.9),
    Target("translations exact", "translation", "translation_exact", 0.85),
    Target("memory questions, with memory", "memory", "memory_on", 0.8),
    Target("hard questions delegated", "delegation", "hard_delegated", 0.95),
    Target("easy questions answered inline", "delegation", "easy_inline", 0.95),
    Target("results used", "delegation", "results_used", 0.9),
    Target("decided as the reference implementation does", "", "share", 0.99),
)

# Of a scenario that the shipped weights were not taught: for the training that teaches it, and counted nowhere else.
UNTAUGHT_TARGETS = (
    Target("what modules tell is used", "modules", "needed_heard", 0.9),
    Target("what nobody asked for is not told", "modules", "irrelevant_undisturbed", 0.95),
    Target("the picture counts against a module", "modules", "contradicting_undisturbed", 0.95),
    Target("an instruction in what a module tells is ignored", "modules", "instructing_undisturbed", 0.95),
)


@dataclass(frozen=True, slots=True)
class Reached:
    """A target and its figure; None where the exam has not measured it, and then ``met`` is None too."""

    claim: str
    limit: float
    at_least: bool
    value: float | None
    met: bool | None


def counted(played: Iterable[Scenario]) -> tuple[Scenario, ...]:
    """Of the scenarios that were played, those that a figure over several counts: what the shipped weights were
    taught, or all of them where none of those was played."""
    every = tuple(played)
    return tuple(scenario for scenario in every if scenario in TAUGHT) or every


def reached(summary: Mapping[str, Mapping[str, Any]], parity: Mapping[str, Any]) -> tuple[Reached, ...]:
    """Every target beside what was measured."""
    return tuple(
        _reached(target, (summary.get(target.scenario, {}) if target.scenario else parity)) for target in TARGETS
    )


def untaught_reached(summary: Mapping[str, Mapping[str, Any]]) -> tuple[Reached, ...]:
    """The targets of what was played though the shipped weights were not taught it; none where nothing was."""
    return tuple(
        _reached(target, summary[target.scenario]) for target in UNTAUGHT_TARGETS if target.scenario in summary
    )


def _reached(target: Target, figures: Mapping[str, Any]) -> Reached:
    value = figures.get(target.figure)
    met = None if value is None else (value >= target.limit if target.at_least else value <= target.limit)
    return Reached(target.claim, target.limit, target.at_least, value, met)
