"""`docs/metrics.md`: every Prometheus metric of every service, from the metric objects of the modules."""

from dataclasses import dataclass

from prometheus_client.metrics import MetricWrapperBase

from reference import code as source
from reference.table import code, table

HEAD = ("metric", "type", "labels", "unit", "meaning")
# The last word of a name that is a unit, and what the unit is called. A metric without one counts things.
UNITS = {
    "seconds": "seconds",
    "bytes": "bytes",
    "share": "share, 0 to 1",
    "tokens": "tokens",
    "up": "0 or 1",
    "ready": "0 or 1",
    "info": "",
}
_SUFFIXES = {"counter": "_total", "info": "_info"}
_INTRODUCTION = """# Metrics

This page is generated from the code: change the metric's object, then run `make docs`. A test compares the two.

Every service serves its metrics at `GET /metrics` on its HTTP port, the gateway on `VIGIL_METRICS_PORT`, in the text
format of Prometheus. Units are base units, and no label names a session or a tenant. A histogram `x` is served as
`x_bucket`, `x_sum` and `x_count`. The processes also report `process_…` and `python_gc_…`, which come with the client
library. Dashboards and alert rules are made of these: [operations](operations.md#metrics-and-dashboards)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, as Prometheus shows it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str

    @property
    def unit(self) -> str:
        words = self.name.removesuffix("_total").split("_")
        return UNITS.get(words[-1], "count")


def page() -> str:
    """The whole page: a section for each module that declares metrics."""
    sections = []
    for module, metrics in sorted(declared().items(), key=lambda entry: (entry[0].startswith("vigil_"), entry[0])):
        rows = [
            (
                code(metric.name),
                metric.kind,
                ", ".join(code(label) for label in metric.labels),
                metric.unit,
                metric.meaning,
            )
            for metric in metrics
        ]
        served = ", ".join(service for service in source.services() if module in source.modules_of_service(service))
        sections.append("\n".join([f"## `{module}`", "", f"Served by: {served}.", "", *table(HEAD, rows)]))
    return "\n\n".join([_INTRODUCTION, *sections]) + "\n"


def declared() -> dict[str, list[Metric]]:
    """The metrics of each module that makes any, in the order in which they are declared."""
    found = {}
    for module, path in source.modules().items():
        if "prometheus_client" in path.read_text():
            values = source.constants(module).values()
            if metrics := [_metric(value) for value in values if isinstance(value, MetricWrapperBase)]:
                found[module] = metrics
    return found


def _metric(wrapped: MetricWrapperBase) -> Metric:
    (family,) = wrapped.describe()
    name = family.name + _SUFFIXES.get(family.type, "")
    return Metric(name, family.type, tuple(wrapped._labelnames), family.documentation)
