"""Every query of every panel returns data from a real Prometheus that watches a system under load."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from reference.dashboards.bus import BUS
from reference.dashboards.engine import ENGINE
from reference.dashboards.fleet import FLEET
from reference.dashboards.grafana import Dashboard, Panel, TracePanel, Unit
from reference.dashboards.session import SESSION

from observability.prometheus import Prometheus, missing, scraping
from observability.rules import FILES
from observability.stage import Stage, whole_system
from vigil.contract import spans
from vigil.testing.eventually import eventually

DASHBOARDS = (FLEET, SESSION, ENGINE, BUS)
SESSIONS = 4
LOAD_S = 200.0
# While a system starts, a rule may wait for its time; what a working system may never do is fire one.
QUIET_S = 20.0
# What a machine that others use, too, rightly fires: answers of Redis and turns come late, and so less capacity is
# measured.
BUSY = frozenset({"VigilLeasesNotRenewed", "VigilLeasesLost", "VigilTurnsLate", "VigilCapacityNearlyUsed"})


def queries() -> list[tuple[str, str]]:
    """Each query with the place that it stands at."""
    return [
        (f"{board.uid}: {panel.title}", query.expression)
        for board in DASHBOARDS
        for panel in board.panels
        if isinstance(panel, Panel)
        for query in panel.queries
    ]


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)
def test_a_dashboard_is_whole(board: Dashboard) -> None:
    model = json.loads((FILES / "dashboards" / f"{board.uid.removeprefix('vigil-')}.json").read_text())
    assert model == json.loads(board.file()), "run `make docs`"
    assert len({panel["id"] for panel in model["panels"]}) == len(board.panels)
    assert all(panel.answers for panel in board.panels)
    places = [panel["gridPos"] for panel in model["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells)), "no panel lies upon another"


def test_no_query_asks_for_one_session_and_every_unit_is_a_base_unit() -> None:
    for place, expression in queries():
        assert "session=" not in expression, place
        assert "tenant" not in expression, place
    assert {unit.value for unit in Unit} == {"short", "s", "bytes", "percentunit", "ops", "Bps", "none"}


def test_traces_are_searched_by_an_attribute_that_spans_have() -> None:
    found = [panel for board in DASHBOARDS for panel in board.panels if isinstance(panel, TracePanel)]
    assert found
    for panel in found:
        assert panel.tags.partition("=")[0] in spans.ATTRIBUTES


@pytest.fixture
async def observed(tmp_path: Path) -> AsyncIterator[tuple[Stage, Prometheus]]:
    async with (
        whole_system(tmp_path) as stage,
        scraping(tmp_path / "prometheus", stage.ports) as prometheus,
    ):
        yield stage, prometheus


@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.skipif(missing(), reason="Prometheus is not installed: deploy/system-packages.sh prometheus")
async def test_every_query_of_every_panel_has_data(observed: tuple[Stage, Prometheus]) -> None:
    stage, prometheus = observed
    for number in range(SESSIONS):
        await stage.open(f"camera-{number}")
    assert await stage.push("a-phone") == 200

    async def without_data() -> list[str]:
        return [place for place, expression in queries() if not await _has_data(prometheus, expression)]

    left: list[str] = []

    async def all_have_data() -> bool:
        async with stage.http.get("/v1/sessions") as answer:  # a client that looks again and again
            assert answer.status == 200
        left[:] = await without_data()
        return not left

    try:
        await eventually(all_have_data, LOAD_S, "every query has data")
    except AssertionError:
        pytest.fail(f"no data after {LOAD_S:g} s: {left}")
    assert await _settled(prometheus) <= BUSY, "rules fire on a system that works"


async def _has_data(prometheus: Prometheus, expression: str) -> bool:
    asked = expression.replace("$__rate_interval", "15s")
    samples: list[dict[str, Any]] = await prometheus.query(asked)
    return any(not math.isnan(float(sample["value"][1])) for sample in samples)


async def _settled(prometheus: Prometheus) -> set[str]:
    """The alerts that fire all through `QUIET_S`."""
    fired = await prometheus.fired()
    for _ in range(int(QUIET_S)):
        await asyncio.sleep(1)  # that nothing fires for so long has no event to wait for
        fired &= await prometheus.fired()
    return fired
