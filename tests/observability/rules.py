"""The alert rules that the chart ships, and the cases that fire each of them."""

from dataclasses import dataclass, field
from typing import Any

import yaml
from reference.code import ROOT

FILES = ROOT / "deploy/helm/vigil/files"
RULES = sorted((FILES / "rules").glob("*.yaml"))
CASES = ROOT / "tests/observability/alarms.yaml"

_STEP_S = 15
_CALM_STEPS, _ALARM_STEPS = 5 * 60 // _STEP_S, 10 * 60 // _STEP_S


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert rule of a group."""

    group: str
    name: str
    expression: str
    severity: str
    annotations: dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """What fires an alert. `series` maps each series to its values, `calm -> alarming`."""

    alert: str
    series: dict[str, str]
    summary: str
    labels: dict[str, str] = field(default_factory=dict)


def rules() -> list[Rule]:
    """All rules, in the order of the files."""
    return [
        Rule(group["name"], rule["alert"], rule["expr"], rule["labels"]["severity"], rule["annotations"])
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


def cases() -> list[Case]:
    """All cases."""
    return [Case(**case) for case in yaml.safe_load(CASES.read_text())]


def promtool_test(case: Case, rule: Rule) -> dict[str, Any]:
    """The case as promtool's unit test: calm for five minutes, alarming for ten."""
    fired = {
        "exp_labels": {"severity": rule.severity, **case.labels},
        "exp_annotations": {**rule.annotations, "summary": case.summary},
    }
    return {
        "interval": f"{_STEP_S}s",
        "input_series": [{"series": name, "values": _values(text)} for name, text in case.series.items()],
        "alert_rule_test": [
            {"eval_time": "4m", "alertname": case.alert, "exp_alerts": []},
            {"eval_time": "12m", "alertname": case.alert, "exp_alerts": [fired]},
        ],
    }


def _values(text: str) -> str:
    """`1 -> 0` in promtool's notation: a value and how often it is repeated."""
    calm, alarming = text.split(" -> ")
    return f"{calm}x{_CALM_STEPS - 1} {alarming}x{_ALARM_STEPS - 1}"
