"""The report as one HTML page that needs nothing else: tables, head-to-head, plots and timelines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from vigil_recipe.exam.plan import Part
from vigil_recipe.exam.report.charts import reliability, speaking_plot, timeline
from vigil_recipe.exam.report.markup import Cell, number, table, whole_page
from vigil_recipe.exam.report.results import OWN_BRAINS, SYSTEM, UNTAUGHT
from vigil_recipe.exam.run import Outcome, Played
from vigil_recipe.exam.scoring.calibration import calibration, ticks
from vigil_recipe.exam.scoring.targets import counted
from vigil_recipe.scenarios import Scenario

MAIN = (
    ("episodes", "episodes"),
    ("recall", "recall ±1 s"),
    ("recall_within_2_s", "±2 s"),
    ("precision", "precision"),
    ("mean_abs_error_s", "|t−t*| s"),
    ("mean_early_s", "early s"),
    ("mean_late_s", "late s"),
    ("false_alarms_per_minute", "false/min"),
    ("duplicate_rate", "duplicates"),
    ("answer_accuracy", "answers"),
    ("exact_episodes", "exact"),
    ("sw_f1", "SW-F1"),
    ("pauc", "PAUC"),
)
SHARES = {"precision", "duplicate_rate", "answer_accuracy", "exact_episodes"}


def html(data: Mapping[str, Any], outcome: Outcome) -> str:
    """The page of an exam: ``data`` is what the JSON file holds, ``outcome`` what it was made of."""
    settings = data["settings"]
    sections = [
        "<h1>Vigil: the exam</h1>",
        f"<p>{escape(_taken(settings))}</p>",
        *_warnings(data),
        *_targets("Targets", data["targets"]),
        *_untaught(data),
        "<h2>Scores</h2>",
        _scores(data["summary"]),
        _NOTES,
        *_episodes(outcome),
        *_own_figures(data["summary"]),
        *_head_to_heads(data["head_to_head"]),
        *_baselines(data),
        *_calibration(outcome),
        *_robustness(data["robustness"]),
        *_summariser(data["summariser"]),
        *_parity(data["parity"]),
    ]
    return whole_page("Vigil: the exam", sections)


def benchmark_html(name: str, summary: Mapping[str, Mapping[str, Cell]], partial: bool) -> str:
    """The page of a public benchmark."""
    head = ("task", "cases", "probes", "accuracy", "never spoke", "|t−t*| s")
    rows = [(task, *(number(value) for value in figures.values())) for task, figures in summary.items()]
    warning = ["<p class=warn>Stopped before the end.</p>"] if partial else []
    return whole_page(f"Vigil: {name}", [f"<h1>Vigil: {escape(name)}</h1>", *warning, table(head, rows)])


_NOTES = (
    "<p>Recall, ±1 s and ±2 s: what was due and heard that near its best second. Precision: of all that was said. "
    "|t−t*|: of what was heard, early and late also apart. False alarms: what nothing called for, a run of the same "
    "words once. Answers: the exact words, in their time. Exact: episodes with everything due said once and nothing "
    "else. SW-F1: mean over episodes, weights 2 / 0.2 / 2. PAUC: ω = 0.5, an exact judge, silence 0.25.</p>"
)


def _taken(settings: Mapping[str, Any]) -> str:
    return (
        f"{settings['episodes']} episodes of the {settings['split']} split, seed {settings['seed']}, "
        f"{settings['pace']}, {settings['at_once']} at once, model {settings['model']}. {settings['machine']}. "
        f"Begun {settings['began']}, took {settings['seconds'] / 60:.1f} minutes."
    )


def _warnings(data: Mapping[str, Any]) -> list[str]:
    found = []
    if data["partial"]:
        found.append("<p class=warn><strong>Partial.</strong> Not everything that was planned was played.</p>")
    if not data["settings"]["stand_in"]:
        found.append(f"<p class=warn>{OWN_BRAINS}</p>")
    if data["failed"]:
        shown = "".join(f"<li>{escape(failure)}</li>" for failure in data["failed"][:5])
        found.append(
            f"<div class=warn><strong>{len(data['failed'])} could not be played.</strong><ul>{shown}</ul></div>"
        )
    return found


def _scores(summary: Mapping[str, Mapping[str, Cell]]) -> str:
    rows = [(name, *(_shown(key, figures.get(key)) for key, _ in MAIN)) for name, figures in summary.items()]
    return table(("scenario", *(label for _, label in MAIN)), rows)


def _targets(title: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        (
            str(row["claim"]),
            number(row["value"]),
            f"{'≥' if row['at_least'] else '≤'} {row['limit']:g}",
            {True: "✓ met", False: "✗ missed", None: "not measured"}[row["met"]],
        )
        for row in rows
    ]
    return [f"<h2>{title}</h2>", table(("", "measured", "target", ""), lines)]


def _untaught(data: Mapping[str, Any]) -> list[str]:
    """What was played though the shipped weights were not taught it, apart from the targets that count."""
    if not data["untaught"]:
        return []
    told = f"<p class=warn><strong>Not taught.</strong> {escape(UNTAUGHT)}</p>"
    return [*_targets("Targets of a training to come", data["untaught_targets"]), told]


def _own_figures(summary: Mapping[str, Mapping[str, Cell]]) -> list[str]:
    """What a scenario has beside the figures that all have."""
    common = {"episodes", "minutes", "dues", "utterances", "recall_within_1_s", "early_share", "late_share"}
    common |= {"wrong_words", "median_latency_ms", "p95_latency_ms"} | {key for key, _ in MAIN}
    rows = [
        (name, key.replace("_", " "), number(value))
        for name, figures in summary.items()
        for key, value in figures.items()
        if key not in common
    ]
    return ["<h2>By scenario</h2>", table(("scenario", "figure", "value"), rows)] if rows else []


def _head_to_heads(tables: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[str]:
    found = []
    for name, rows in tables.items():
        shown = name.replace("_", " ")
        lines = []
        for row, tally in rows.items():
            total = sum(tally.values()) or 1
            shares = [f"{tally[key] / total:.1%}" for key in ("wins", "ties", "losses")]
            lines.append((row.capitalize(), *shares, str(sum(tally.values()))))
        found += [
            f"<h2>Vigil against {escape(shown)}</h2>",
            table(("scenario", "Vigil", "tie", shown, "episodes"), lines),
        ]
    if found:
        found.append("<p>The same weights and the same pictures. The episode with the higher SW-F1 wins.</p>")
    return found


def _baselines(data: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, scenarios in data["baselines"].items():
        for scenario, figures in scenarios.items():
            keys = ("recall", "precision", "mean_abs_error_s", "false_alarms_per_minute", "answer_accuracy", "sw_f1")
            rows.append((f"{name.replace('_', ' ')}, {scenario}", *(_shown(key, figures.get(key)) for key in keys)))
    head = ("player", "recall ±1 s", "precision", "|t−t*| s", "false/min", "answers", "SW-F1")
    return ["<h2>The baselines' own scores</h2>", table(head, rows)] if rows else []


def _calibration(outcome: Outcome) -> list[str]:
    scores = outcome.scores(SYSTEM)
    found = calibration(ticks([episode for scenario in counted(scores) for episode in scores[scenario]]))
    if found.expected_error is None:
        return []
    return [
        "<h2>Is p(silence) what it says?</h2>",
        f"<p>{found.turns:,} turns; expected calibration error <strong>{found.expected_error:.4f}</strong>. "
        "What is due once is right in its best second only.</p>",
        reliability(found),
    ]


def _robustness(rows: Mapping[str, Mapping[str, Cell]]) -> list[str]:
    if not rows:
        return []
    keys = ("dues", "recall", "precision", "mean_abs_error_s", "false_alarms_per_minute", "sw_f1")
    head = ("alerting with", "onsets", "recall ±1 s", "precision", "|t−t*| s", "false/min", "SW-F1")
    lines = [(name, *(_shown(key, row.get(key)) for key in keys)) for name, row in rows.items()]
    return ["<h2>Robustness</h2>", "<p>The same seeds with and without.</p>", table(head, lines)]


def _summariser(found: Mapping[str, Any]) -> list[str]:
    """What was written of each kind of task, or why it was not asked for."""
    head = ("", "texts", "exact", "sentences", "of these found", "of those said right")
    rows = [(kind, *(number(value) for value in row.values())) for kind, row in found.items() if kind != "not_run"]
    why = [f"<p>Not run: {escape(str(found['not_run']))}.</p>"] if "not_run" in found else []
    title = "<h2>The summariser</h2><p>Memory text from the frames of a chunk, and several such texts to one.</p>"
    return [title, *why, *([table(head, rows)] if rows else [])] if found else []


def _parity(found: Mapping[str, Any]) -> list[str]:
    lines = [(str(key).replace("_", " "), number(value)) for key, value in found.items()]
    return ["<h2>The engine against the reference implementation</h2>", table(("", ""), lines)] if lines else []


def _episodes(outcome: Outcome) -> list[str]:
    """One episode of each scenario: the first in which something was due."""
    found = []
    own = [play for play in outcome.played if play.item.part is Part.EXAM]
    played = {play.item.scenario for play in own}
    for scenario in (family for family in Scenario if family in played):
        mine = [play for play in own if play.item.scenario is scenario and play.player == SYSTEM]
        chosen = next((play for play in sorted(mine, key=lambda play: play.item.seed) if play.score.dues), None)
        if chosen is None:
            continue
        others = [play for play in own if play.item is chosen.item and play.player != SYSTEM]
        found += [
            f"<h3>{scenario.value.capitalize()}, seed {chosen.item.seed}</h3>",
            f"<p>{escape(_asked(chosen))}</p>",
            timeline([chosen, *others]),
            speaking_plot(chosen),
        ]
    return ["<h2>One episode of each scenario</h2>", _KEY, *found] if found else []


def _asked(play: Played) -> str:
    lines = [f"{turn.second} s: {line.text}" for turn in play.item.script.turns for line in turn.lines]
    return " · ".join(([play.item.script.memory] if play.item.script.memory else []) + lines)


_KEY = (
    "<p>"
    + "".join(
        f"<span class=key style='background:var(--{colour})'></span>{label}"
        for colour, label in (
            ("due", "due"),
            ("speak", "spoke"),
            ("stray", "not called for, wrong or again"),
            ("delegate", "delegated"),
            ("quiet", "silent"),
            ("alert", "an alert, from opened to closed"),
        )
    )
    + " (point at a block for its words)</p>"
)


def _shown(key: str, value: Cell) -> str:
    if key in SHARES or key.startswith("recall"):
        return "–" if value is None else f"{float(value):.1%}"
    return number(value)
