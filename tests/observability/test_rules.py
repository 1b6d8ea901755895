"""Every alert rule fires on what it is for and on nothing calmer, and is explained where operators look."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from reference import metrics
from reference.code import ROOT

from observability.rules import RULES, cases, promtool_test, rules

BY_NAME = {rule.name: rule for rule in rules()}
OPERATIONS = (ROOT / "docs/operations.md").read_text()
FAULTS = (ROOT / "docs/faults.md").read_text()

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed: deploy/system-packages.sh prometheus"
)

# Metrics of others that rules use.
FOREIGN = {
    "up",
    "process_start_time_seconds",
    "kubelet_volume_stats_available_bytes",
    "node_filesystem_avail_bytes",
}
METRIC = re.compile(r"\b((?:vigil|kubelet|node|process)_[a-z_]+|up)(?=[\[{\s),])")
ROW_OF_FAULTS = re.compile(r"^\| (?P<what>[^|]+) \|.*\| (?P<alarm>[^|]*) \|$", re.MULTILINE)


def test_every_rule_has_one_case() -> None:
    assert sorted(case.alert for case in cases()) == sorted(rule.name for rule in rules())


@needs_promtool
def test_the_rules_are_valid_for_prometheus() -> None:
    checked = subprocess.run(["promtool", "check", "rules", *RULES], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
def test_every_rule_fires_in_its_case_and_is_calm_before(tmp_path: Path) -> None:
    """All cases in one run of promtool, which names the alert that fails; each with its own rule alone."""
    bodies = {rule["alert"]: rule for path in RULES for group in groups(path) for rule in group["rules"]}
    for case in cases():
        rule = {"groups": [{"name": "trial", "rules": [bodies[case.alert]]}]}
        (tmp_path / f"{case.alert}.rule.yaml").write_text(yaml.safe_dump(rule))
        trial = {
            "rule_files": [f"{case.alert}.rule.yaml"],
            "evaluation_interval": "15s",
            "tests": [promtool_test(case, BY_NAME[case.alert])],
        }
        (tmp_path / f"{case.alert}.trial.yaml").write_text(yaml.safe_dump(trial))
    trials = sorted(tmp_path.glob("*.trial.yaml"))
    tried = subprocess.run(["promtool", "test", "rules", *trials], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stdout + tried.stderr


def groups(path: Path) -> list[dict[str, Any]]:
    """The groups of a file of rules."""
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text())["groups"]
    return found


@pytest.mark.parametrize("name", BY_NAME)
def test_a_rule_says_how_bad_it_is_and_what_to_do(name: str) -> None:
    rule = BY_NAME[name]
    assert rule.severity in {"critical", "warning", "info"}
    assert {"summary", "description", "runbook"} == set(rule.annotations)
    page, _, anchor = rule.annotations["runbook"].partition("#")
    section = f"#### {anchor.replace('-', ' ').capitalize()}"
    text = (ROOT / page).read_text()
    assert section in text
    assert f"| `{name}` |" in text.split(section)[1].split("\n#")[0], "it stands in the table of its section"


def test_the_operators_page_names_no_rule_that_is_not_there() -> None:
    assert set(re.findall(r"`(Vigil[A-Z]\w+)`", OPERATIONS)) <= BY_NAME.keys()


def test_a_rule_uses_metrics_that_exist() -> None:
    known = {metric.name for found in metrics.declared().values() for metric in found} | FOREIGN
    named = {name for rule in BY_NAME.values() for name in METRIC.findall(rule.expression)}
    used = {name.removesuffix("_bucket") for name in named}
    assert used - known == set()
    assert len(used) > 25


@pytest.mark.parametrize("row", list(ROW_OF_FAULTS.finditer(FAULTS)), ids=lambda row: row["what"][:50])
def test_every_alarm_of_the_page_of_faults_is_a_rule(row: re.Match[str]) -> None:
    """A cell of "alarm on" names metrics and logs; each must stand in the expression of a rule."""
    expressions = "\n".join(rule.expression for rule in BY_NAME.values())
    for metric in re.findall(r"`(vigil_[a-z_]+)", row["alarm"]):
        assert metric in expressions, f"no rule uses {metric}"
    for events in re.findall(r"logs? ((?:`[^`]+`(?:, | and )?)+)", row["alarm"]):
        for event in re.findall(r"`([^`]+)`", events):
            named = f'"{event}"' in expressions or f"`{event}`" in descriptions()
            assert named, f"no rule is for the log {event!r}"


def descriptions() -> str:
    """What the rules say to do: a log line that says more stands there."""
    return "\n".join(rule.annotations["description"] for rule in BY_NAME.values())
