"""A dashboard as Grafana wants it: panels flow from left to right in rows of 24 columns."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

COLUMNS = 24
METRICS = {"type": "prometheus", "uid": "${metrics}"}
TRACES = {"type": "jaeger", "uid": "${traces}"}
_SCHEMA = 39


class Unit(StrEnum):
    """Units by Grafana's names. All are base units: Grafana scales them."""

    COUNT = "short"
    SECONDS = "s"
    BYTES = "bytes"
    SHARE = "percentunit"
    PER_SECOND = "ops"
    BYTES_PER_SECOND = "Bps"
    CORES = "none"


@dataclass(frozen=True, slots=True)
class Query:
    """A query of Prometheus; `legend` may name labels in double braces."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel answers, and from which queries. A `stat` shows the newest figure alone."""

    title: str
    answers: str
    unit: Unit
    queries: tuple[Query, ...]
    stat: bool = False
    width: int = 8

    @property
    def height(self) -> int:
        return 4 if self.stat else 8

    def model(self, number: int) -> dict[str, Any]:
        """The panel without its place."""
        options = _STAT if self.stat else _SERIES
        return {
            "id": number,
            "type": "stat" if self.stat else "timeseries",
            "title": self.title,
            "description": self.answers,
            "datasource": METRICS,
            "fieldConfig": {"defaults": {"unit": self.unit, "min": 0}, "overrides": []},
            "options": options,
            "targets": [
                {
                    "refId": chr(ord("A") + place),
                    "datasource": METRICS,
                    "expr": query.expression,
                    "legendFormat": query.legend or "__auto",
                }
                for place, query in enumerate(self.queries)
            ],
        }


@dataclass(frozen=True, slots=True)
class TracePanel:
    """Traces that have an attribute, newest first. `tags` are in Jaeger's words."""

    title: str
    answers: str
    service: str
    tags: str
    width: int = COLUMNS
    height: int = 10

    def model(self, number: int) -> dict[str, Any]:
        """The panel without its place."""
        query = {"queryType": "search", "service": self.service, "tags": self.tags, "limit": 50}
        return {
            "id": number,
            "type": "table",
            "title": self.title,
            "description": self.answers,
            "datasource": TRACES,
            "fieldConfig": {"defaults": {}, "overrides": []},
            "targets": [{"refId": "A", "datasource": TRACES, **query}],
        }


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels. `asks` are texts that its reader types in, by name and label."""

    uid: str
    title: str
    answers: str
    panels: tuple[Panel | TracePanel, ...]
    asks: tuple[tuple[str, str], ...] = ()

    def file(self) -> str:
        """The dashboard as a JSON file."""
        variables = [_source("metrics", "prometheus")]
        if any(isinstance(panel, TracePanel) for panel in self.panels):
            variables.append(_source("traces", "jaeger"))
        variables += [{"name": name, "label": label, "type": "textbox", "query": ""} for name, label in self.asks]
        model = {
            "uid": self.uid,
            "title": self.title,
            "description": self.answers,
            "tags": ["vigil"],
            "editable": False,
            "refresh": "30s",
            "schemaVersion": _SCHEMA,
            "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": variables},
            "links": [{"type": "dashboards", "tags": ["vigil"], "title": "Vigil", "asDropdown": True}],
            "panels": _placed(self.panels),
        }
        return json.dumps(model, indent=2, ensure_ascii=False) + "\n"


_STAT = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
_SERIES = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}


def quantiles(
    metric: str, *shares: float, by: str = "", name: str = "", may_be_none: bool = False
) -> tuple[Query, ...]:
    """Quantiles of a histogram, one query each, under the metric's `name` where a panel has several. Of what is seldom
    done there `may_be_none`: then 0 is shown."""
    labels, suffix = (f"le, {by}", f" {{{{{by}}}}}") if by else ("le", "")
    found = "({}) >= 0 or vector(0)" if may_be_none else "{}"
    return tuple(
        Query(
            found.format(f"histogram_quantile({share:g}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"),
            f"{name or f'p{share * 100:g}'}{suffix}",
        )
        for share in shares
    )


def rate(counter: str, by: str = "", where: str = "", *, may_be_none: bool = False) -> Query:
    """How fast a counter grows each second. One that counts faults only `may_be_none`: then 0 is shown."""
    selector = f"{counter}{{{where}}}" if where else counter
    grouped = f"sum by ({by})" if by else "sum"
    expression = f"{grouped} (rate({selector}[$__rate_interval]))"
    return Query(f"{expression} or vector(0)" if may_be_none else expression, f"{{{{{by}}}}}" if by else "")


def _source(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "label": name.capitalize(), "type": "datasource", "query": kind}


def _placed(panels: tuple[Panel | TracePanel, ...]) -> list[dict[str, Any]]:
    """The panels at their places: a new row begins where the next panel does not fit, or is of another height."""
    found: list[dict[str, Any]] = []
    column = row = height = 0
    for number, panel in enumerate(panels, 1):
        if column + panel.width > COLUMNS or (column and panel.height != height):
            column, row = 0, row + height
        height = panel.height
        place = {"x": column, "y": row, "w": panel.width, "h": height}
        found.append({**panel.model(number), "gridPos": place})
        column += panel.width
    return found
