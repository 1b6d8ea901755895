"""Alerts as a file: every form by value, bounded, and harmless to whoever opens it in a spreadsheet."""

import csv
import io
import json
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil.runtime.bus.client import Bus
from vigil.testing.alert_events import alert_event
from vigil_gateway.alerts.export import COLUMNS, ROWS, Form, harmless, parts
from vigil_gateway.api.errors import TooManyAlerts
from vigil_gateway.api.models.alerts import AlertOut
from vigil_gateway.api.problems import problem_of


async def exported(http: aiohttp.ClientSession, query: str) -> tuple[aiohttp.ClientResponse, bytes]:
    async with http.get(f"/v1/alerts/export?{query}") as answer:
        assert answer.status == 200, await answer.text()
        return answer, await answer.read()


def table(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


async def test_a_file_for_spreadsheets_by_value(http: aiohttp.ClientSession, bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    await bus.publish_stored(
        alert_event(2, "opened", source_name='Tor, "Nord" 门', text="Es brennt.\nLauft!", p_speak=None)
    )
    async with http.post("/v1/alerts/a-1/acknowledge", json={"note": "=1+1"}) as answer:
        assert answer.status == 200
    await bus.publish_stored(alert_event(1, "closed", 1))
    answer, body = await exported(http, "format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="vigil-alerts-2')
    assert answer.headers["Content-Disposition"].endswith('Z.csv"')
    assert body.startswith(b'\xef\xbb\xbf"alert_id","open","watch",')
    second, first = table(body)
    assert tuple(first) == COLUMNS
    assert (first["alert_id"], first["open"], first["closed_at"]) == ("a-1", "false", "2026-01-31T12:00:07Z")
    assert (first["acknowledged_note"], first["p_speak"], first["updates"]) == ("'=1+1", "0.9", "1")
    assert (second["open"], second["closed_at"], second["p_speak"]) == ("true", "", "")
    assert (second["source_name"], second["text"]) == ('Tor, "Nord" 门', "Es brennt.\nLauft!")


async def test_a_file_for_programs_has_what_the_list_has(http: aiohttp.ClientSession, bus: Bus) -> None:
    for number in range(3):
        await bus.publish_stored(alert_event(number, "opened", text="=1+1"))
    answer, body = await exported(http, "format=jsonl&open=true")
    assert answer.headers["Content-Type"] == "application/jsonl"
    async with http.get("/v1/alerts?open=true") as listed:
        assert [json.loads(line) for line in body.splitlines()] == (await listed.json())["alerts"]


async def test_the_same_alerts_are_selected_as_in_the_list(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, bus: Bus
) -> None:
    await bus.publish_stored(alert_event(1, "opened", watch="fall"))
    await bus.publish_stored(alert_event(2, "opened", source_id="yard"))
    assert [row["alert_id"] for row in table((await exported(http, "watch=fall"))[1])] == ["a-1"]
    assert [row["alert_id"] for row in table((await exported(http, "source=yard&severity=critical"))[1])] == ["a-2"]
    assert table((await exported(http, "acknowledged=true"))[1]) == []
    assert table((await exported(rival, ""))[1]) == []
    for wrong in ("format=xlsx", "since=1", "open=2", "severity=x"):
        async with http.get(f"/v1/alerts/export?{wrong}") as answer:
            assert answer.status == 422


async def test_nobody_exports_without_a_key(nobody: aiohttp.ClientSession) -> None:
    async with nobody.get("/v1/alerts/export") as answer:
        assert answer.status == 401


def test_more_alerts_than_a_file_holds_are_refused_in_words() -> None:
    problem = problem_of(TooManyAlerts(10_000))
    assert (problem.row.status, problem.row.kind) == (422, "too_many_alerts")
    assert problem.detail == "there are more than 10,000 such alerts since then, more than one file holds"


def alert_out(**changes: Any) -> AlertOut:
    data = json.loads(alert_event(1, "opened").payload)["data"]
    unset = dict.fromkeys(("closed_at", "acknowledged_by", "acknowledged_at", "acknowledged_note", "muted_until"))
    told = {"open": True, "updated_at": data["emit_time"], "snapshot_path": None, **unset, **changes}
    return AlertOut.model_validate({name: data.get(name) for name in AlertOut.model_fields} | told)


@pytest.mark.parametrize("form", Form)
def test_a_file_goes_out_in_parts(form: Form) -> None:
    alerts = [alert_out(alert_id=f"a-{number}") for number in range(ROWS + 1)]
    written = list(parts(iter(alerts), form))
    assert len(written) == (3 if form is Form.CSV else 2)
    assert b"".join(written).count(b"a-") == ROWS + 1


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("A fire has started.", "A fire has started."),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        ("＝1+1", "'＝1+1"),
        ("\t=1+1", "\t'=1+1"),
        ("Lobby;=1+1", "Lobby;'=1+1"),
        ("Lobby\n=1+1", "Lobby\n'=1+1"),
        ("2 = 1 + 1", "2 = 1 + 1"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe(text: str, cell: str) -> None:
    assert harmless(text) == cell


@settings(deadline=None)
@given(st.text(alphabet="=+-@;\t\n\r a,\"'＝", max_size=12))
def test_no_cell_is_a_formula_wherever_a_spreadsheet_parts_it(text: str) -> None:
    body = b"".join(parts([alert_out(source_name=text)], Form.CSV))
    (row,) = table(body)
    for part in row["source_name"].replace("\r", "\n").replace("\t", "\n").replace(";", "\n").split("\n"):
        assert not part.strip().startswith(("=", "+", "-", "@", "＝"))
    assert row["source_name"].replace("'", "") == text.replace("'", "")
