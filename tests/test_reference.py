"""The reference pages say what the code says, and the code says enough for them."""

import pytest
from bench.settings import BenchSettings
from pydantic_settings import BaseSettings
from reference import chart, code, metrics, settings
from reference.__main__ import PAGES

from vigil.runtime.process.config import EndpointSettings, ServiceSettings, WorkerSettings

KINDS: list[type[BaseSettings]] = [
    ServiceSettings,
    EndpointSettings,
    WorkerSettings,
    *(settings.settings_of(service) for service in code.services()),
    BenchSettings,
]
METRICS = [metric for found in metrics.declared().values() for metric in found]
BASE_UNITS = frozenset({"seconds", "bytes", "share", "tokens"})
OTHER_UNITS = frozenset({"ms", "us", "minutes", "hours", "kb", "mb", "gb", "kib", "mib", "gib", "percent", "pct"})
UNBOUNDED_LABELS = frozenset({"session", "tenant", "source", "camera", "watch", "alert", "user", "url", "path"})


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (code.ROOT / name).read_text() == PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("name", chart.files())
def test_a_file_of_the_chart_is_what_the_code_says(name: str) -> None:
    assert (code.ROOT / chart.FOLDER / name).read_text() == chart.files()[name], "run `make docs`"


def test_every_service_is_found() -> None:
    assert {"codec", "gateway", "ingestion", "interaction", "webhook"} <= set(code.services())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_setting_is_described(kind: type[BaseSettings]) -> None:
    silent = [name for name, field in kind.model_fields.items() if not field.description]
    assert not silent, f"{kind.__name__}: give these a description of one plain sentence, with the unit"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_time_says_its_unit(kind: type[BaseSettings]) -> None:
    units = {"_s": "second", "_ms": "millisecond", "_gb": "gib"}
    for name, field in kind.model_fields.items():
        for suffix, unit in units.items():
            if name.endswith(suffix):
                assert unit in (field.description or "").lower(), f"{kind.__name__}.{name}: name the unit"


def test_the_metrics_of_every_service_are_found() -> None:
    found = metrics.declared()
    assert len(METRICS) > 50
    for service in code.services():
        assert found.keys() & code.modules_of_service(service), f"{service} has no metric"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_in_base_units_and_names_no_session(metric: metrics.Metric) -> None:
    words = metric.name.removesuffix("_total").split("_")
    assert words[0] == "vigil"
    assert not OTHER_UNITS & set(words), "use seconds, bytes or a share of 1"
    assert not UNBOUNDED_LABELS & set(metric.labels), "a label must have few values, known beforehand"
    assert metric.meaning
    if metric.kind == "histogram":
        assert words[-1] in BASE_UNITS, "the name of a histogram ends with its unit"


def test_no_two_metrics_share_a_name() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
