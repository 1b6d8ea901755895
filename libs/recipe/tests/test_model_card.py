"""The model card: stages and minutes from the run's log, tables from an exam, and what is not known said so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vigil_recipe.export.model_card import exam_lines, write_card

FIGURES = {
    "recall": 0.5,
    "precision": None,
    "answer_accuracy": 1.0,
    "exact_episodes": 0.25,
    "false_alarms_per_minute": 0.125,
    "sw_f1": 0.75,
}
EXAM = {
    "settings": {
        "seed": 3,
        "episodes": 9,
        "split": "test",
        "pace": "accelerated",
        "machine": "2 cores",
        "began": "2026-01-02 03:04 UTC",
    },
    "summary": {
        "chat": FIGURES,
        "memory": FIGURES | {"memory_on": 0.875, "memory_off": 0.0},
        "delegation": FIGURES | {"watched_while_pending": 0.75},
    },
    "targets": [{"claim": "results used", "limit": 0.9, "at_least": True, "value": None, "met": None}],
    "summariser": {"summary": {"exact": 0.5, "sentence_recall": 0.75, "sentence_precision": None}},
    "head_to_head": {
        "ask_only": {"chat": {"wins": 1, "ties": 0, "losses": 2}, "overall": {"wins": 4, "ties": 3, "losses": 2}},
        "last_4_frames": {"overall": {"wins": 0, "ties": 9, "losses": 0}},
    },
    "robustness": {"night on": {"dues": 17, "recall": 0.5, "false_alarms_per_minute": 0.25}},
    "calibration": {
        "expected_error": 0.01,
        "turns": 140,
        "bins": [
            {"low": 0.0, "turns": 100, "mean_p": 0.01, "silence_right": 0.02},
            {"low": 0.4, "turns": 30, "mean_p": 0.45, "silence_right": 0.65},
            {"low": 0.8, "turns": 10, "mean_p": 0.85, "silence_right": 0.85},
        ],
    },
}
LOG = (
    {"stage": "sight", "step": 2, "elapsed_s": 60.0},
    {"stage": "all", "step": 3, "elapsed_s": 60.0},
    {"stage": "all", "step": 3, "elapsed_s": 60.0, "validation": {"chat": {"turns": 48, "right": 47}}},
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LOG))
    return path


def test_the_card_tells_stages_minutes_and_scores(log: Path, tmp_path: Path) -> None:
    write_card(tmp_path / "README.md", log, 5_250_000, EXAM, ["Resumed once."])
    card = (tmp_path / "README.md").read_text()
    assert "(5.2 M parameters)" in card
    assert "Stages, in order: sight (2 steps), all (3 steps)." in card
    assert "Where the settings end with a mean of stages, the weights are that." in " ".join(card.split())
    assert ", 1 minutes in all" in card
    assert "- Resumed once.\n" in card
    assert "| chat | 50.0% | – | 100.0% | 25.0% | 0.125 | 0.750 |" in card
    assert "| results used | – | ≥ 0.9 |" in card
    assert "| win / tie / loss against, same weights | ask only | last 4 frames |" in card
    assert "| chat | 1 / 0 / 2 | – |" in card
    assert "| overall | 4 / 3 / 2 | 0 / 9 / 0 |" in card
    assert "| night on | 17 | 50.0% | 0.250 |" in card
    assert "pending, 75.0% of what else was due" in card
    assert "| 0.875 | 0.000 | – |" in card
    assert "p(silence) is off by 0.010 on average; between 0.1 and 0.9 (40 turns) by 0.150." in card
    assert "| summary | 50.0% | 75.0% | – |" in card
    assert "- chat: turns 48, right 47" in card


def test_an_exam_of_some_scenarios_has_no_table_of_what_it_did_not_ask() -> None:
    only = {"summary": {"chat": FIGURES}, "summariser": {"not_run": "some scenarios alone"}, "robustness": {}}
    lines = exam_lines(EXAM | only)
    assert any(line.startswith("| chat |") for line in lines)
    assert not any("memory" in line or "pending" in line or "alerting with" in line for line in lines)


def test_a_card_without_log_and_exam_says_so(tmp_path: Path) -> None:
    write_card(tmp_path / "README.md", tmp_path / "none.jsonl", 1_000_000, None, [])
    card = (tmp_path / "README.md").read_text()
    assert "Stages, in order: not logged." in card
    assert "minutes in all" not in card
    assert card.endswith("## Scores\nNo exam was taken.\n")


def test_lines_are_short_enough_to_read(log: Path, tmp_path: Path) -> None:
    write_card(tmp_path / "README.md", log, 5_250_000, EXAM, ["A remark that goes on and on. " * 20])
    lines = (tmp_path / "README.md").read_text().splitlines()
    assert max(len(line) for line in lines if not line.startswith("|")) <= 120
