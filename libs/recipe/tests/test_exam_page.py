"""The report: the JSON holds what it promises, the page is whole and every drawing in it is well-formed."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_recipe.exam.benchmarks.scores import benchmark_summary
from vigil_recipe.exam.plan import Part, plan
from vigil_recipe.exam.report.charts import reliability
from vigil_recipe.exam.report.page import benchmark_html, html
from vigil_recipe.exam.report.results import BASELINES, OWN_BRAINS, SYSTEM, UNTAUGHT, Settings, results
from vigil_recipe.exam.run import Outcome, Played
from vigil_recipe.exam.scoring.calibration import calibration
from vigil_recipe.exam.scoring.episode_scores import score
from vigil_recipe.exam.scoring.targets import TARGETS, UNTAUGHT_TARGETS, counted, reached
from vigil_recipe.exam.scoring.transcript import AlertSeen, Transcript
from vigil_recipe.scenarios import TAUGHT, Scenario
from vigil_recipe.testing.scripts import right, transcript
from vigil_recipe.world import Split

SETTINGS = Settings("now", 0, 9, (), "validation", "accelerated", "<small>", 4, "2 cores", 61.0)
VOID = {"meta"}


def taken() -> Outcome:
    """An exam in which the system is always right and the baselines always silent."""
    outcome = Outcome(is_partial=False)
    nine, modules = ((9, TAUGHT), (1, (Scenario.MODULES,)))
    for item in chain(plan(0, *nine, Split.VALIDATION, 24), plan(0, *modules, Split.VALIDATION, 24)):
        alerts = (AlertSeen("opened", "fire", "A fire.", 3.0), AlertSeen("closed", "fire", "A fire.", 9.0))
        heard = Transcript(right(item.script).turns, alerts if item.scenario is Scenario.ALERTING else ())
        outcome.played.append(Played(item, SYSTEM, score(item.script, heard)))
        if item.part is Part.EXAM:
            silent = score(item.script, transcript({}, turns=24))
            outcome.played += [Played(item, name, silent) for name in BASELINES]
    return outcome


@pytest.fixture(scope="module")
def report() -> tuple[dict[str, Any], str]:
    """The JSON file's data as it would be read again, and the page."""
    outcome = taken()
    row = {"tasks": 4, "exact": 0.5, "sentences_due": 9, "sentence_recall": 0.75, "sentence_precision": None}
    data = results(SETTINGS, outcome, {"same": 99, "compared": 100, "share": 0.99}, {"summary": row, "merge": row})
    read: dict[str, Any] = json.loads(json.dumps(data))
    return read, html(data, outcome)


def test_the_file_has_the_promised_figures(report: tuple[dict[str, Any], str]) -> None:
    data, _ = report
    assert set(data["summary"]) == {scenario.value for scenario in Scenario}
    promised = {"recall", "precision", "mean_abs_error_s", "false_alarms_per_minute", "duplicate_rate", "sw_f1", "pauc"}
    assert all(promised <= set(figures) for figures in data["summary"].values())
    assert data["summary"]["memory"]["memory_on"] == 1.0
    assert set(data["baselines"]) == set(BASELINES)
    assert data["baselines"]["polling"]["counting"]["recall"] == 0.0
    assert set(data["robustness"]) == {f"{name} {on}" for name in ("night", "noise", "jitter") for on in ("on", "off")}
    played = [episode for episode in data["episodes"] if episode["condition"] == "night on"]
    onsets = sum(due["repeats"] for play in played for due in play["dues"])
    assert data["robustness"]["night on"]["dues"] == onsets < sum(len(play["dues"]) for play in played)
    overall = data["head_to_head"]["ask_only"]["overall"]
    assert overall["wins"] + overall["ties"] == 9
    assert overall["losses"] == 0
    assert len(data["episodes"]) == len(taken().played)
    assert all(len(episode["turns"]) == 24 for episode in data["episodes"])
    assert (data["partial"], data["failed"], data["parity"]["share"]) == (False, [], 0.99)


def test_targets_are_met_missed_or_not_measured(report: tuple[dict[str, Any], str]) -> None:
    data, page = report
    by_claim = {one["claim"]: one["met"] for one in data["targets"]}
    assert by_claim["alert onsets within 1 s"] is True
    assert by_claim["decided as the reference implementation does"] is True
    below = reached({"alerting": {"recall": 0.9, "false_alarms_per_minute": 0.2}}, {"not_run": "no torch"})
    assert [one.met for one in below[:3]] == [False, False, None]
    assert below[-1].met is None
    assert "<h2>Targets</h2>" in page


def test_what_was_not_taught_is_told_plainly_and_counts_among_no_target(report: tuple[dict[str, Any], str]) -> None:
    data, page = report
    assert data["untaught"] == ["modules"]
    assert [target["met"] for target in data["untaught_targets"]] == [True] * len(UNTAUGHT_TARGETS)
    assert not {target["claim"] for target in data["untaught_targets"]} & {
        target["claim"] for target in data["targets"]
    }
    assert not any(target.scenario == "modules" for target in TARGETS)
    assert UNTAUGHT in unescape(page)
    assert page.index("<h2>Targets</h2>") < page.index("<h2>Targets of a training to come</h2>")
    tallies = data["head_to_head"]["polling"]
    assert sum(tallies["overall"].values()) == sum(sum(tallies[scenario].values()) for scenario in TAUGHT)


def test_an_exam_of_what_was_taught_says_nothing_of_the_rest() -> None:
    item = next(plan(0, 1, (Scenario.CHAT,), Split.VALIDATION, 24))
    outcome = Outcome([Played(item, SYSTEM, score(item.script, right(item.script)))])
    data = results(SETTINGS, outcome, {}, {})
    assert (data["untaught"], data["untaught_targets"]) == ([], [])
    assert "Not taught" not in html(data, outcome)


def test_figures_over_several_scenarios_are_of_what_was_taught() -> None:
    assert counted([Scenario.CHAT, Scenario.MODULES, Scenario.MEMORY]) == (Scenario.CHAT, Scenario.MEMORY)
    assert counted([Scenario.MODULES]) == (Scenario.MODULES,)
    assert counted([]) == ()


def test_the_page_says_that_brains_of_its_own_answered() -> None:
    outcome = taken()
    asked, own = (results(replace(SETTINGS, stand_in=known), outcome, {}, {}) for known in (True, False))
    assert OWN_BRAINS not in html(asked, outcome)
    assert OWN_BRAINS in html(own, outcome)


class Tags(HTMLParser):
    """Checks that every tag that opens closes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole(report: tuple[dict[str, Any], str]) -> None:
    _, page = report
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert {"table", "svg", "style", "h2"} <= tags.seen
    assert "&lt;small&gt;" in page, "what is not ours is escaped"
    assert "Vigil against last 4 frames" in page
    assert "src=" not in page, "it needs nothing else"


def test_every_drawing_is_well_formed(report: tuple[dict[str, Any], str]) -> None:
    _, page = report
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 2 * len(Scenario), "a timeline and a plot each; these scripts have no p(silence)"
    for drawing in drawings:
        assert ET.fromstring(drawing).get("aria-label")
    assert "alert, 3 s to 9 s" in page


def test_probabilities_are_drawn_against_the_truth_second_by_second() -> None:
    one = next(plan(0, 1, (Scenario.COMMENTARY,), Split.VALIDATION, 24))
    said = transcript({5: "</response> A fire starts."}, turns=24, p_silent=0.8)
    outcome = Outcome([Played(one, SYSTEM, score(one.script, said))])
    page = html(results(SETTINGS, outcome, {}, {}), outcome)
    drawings = [ET.fromstring(found) for found in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    assert len(drawings) == 3, "a timeline, a plot, and the reliability of p(silence)"
    (plot,) = [found for found in drawings if str(found.get("aria-label")).startswith("p(speak)")]
    (curve,) = [line for line in plot.iter("path") if line.get("class") == "p"]
    points = [tuple(map(float, point.split())) for point in curve.attrib["d"].removeprefix("M").split("L")]
    heights = [y for _, y in points]
    assert len(points) == 24
    assert heights.index(min(heights)) == 5, "it speaks there, so the curve is at its highest"
    assert len(set(heights)) == 2


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60))
def test_any_reliability_can_be_drawn(pairs: list[tuple[float, bool]]) -> None:
    found = calibration(pairs)
    assert sum(bin_.turns for bin_ in found.bins) == len(pairs)
    drawing = ET.fromstring(reliability(found))
    assert len(list(drawing.iter("circle"))) == len(found.bins)


def test_a_partial_exam_says_so() -> None:
    outcome = taken()
    outcome.is_partial = True
    outcome.failed.append("counting 3, system: the gateway & its <words>")
    page = html(results(SETTINGS, outcome, {}, {}), outcome)
    assert "Partial." in page
    assert "the gateway &amp; its &lt;words&gt;" in page


def test_an_exam_of_one_silent_episode_still_has_a_page() -> None:
    item = next(plan(0, 1, (Scenario.CHAT,), Split.VALIDATION, 24))
    outcome = Outcome([Played(item, SYSTEM, score(item.script, transcript({}, turns=24)))])
    data = results(SETTINGS, outcome, {"not_run": "no engine environment"}, {"not_run": "it was stopped"})
    assert data["summary"]["chat"]["precision"] is None
    page = html(data, outcome)
    assert "no engine environment" in page
    assert "Not run: it was stopped." in page


def test_the_page_of_a_benchmark() -> None:
    page = benchmark_html("ovo-forward", benchmark_summary([]), partial=True)
    assert "Stopped before the end" in page
