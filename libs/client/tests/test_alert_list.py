"""Alerts as the SDK and the command list, show, acknowledge, mute and export them."""

import json
from datetime import UTC, datetime

import pytest

from vigil_client import cloudevents
from vigil_client.api import Client
from vigil_client.errors import Invalid
from vigil_client.testing.command import invoked, vigil
from vigil_client.testing.scripted_answers import ALERT, EXPORTED, SESSION, alert_json
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing, playing_aside, problem
from vigil_client.values import AlertRecord, read
from vigil_client.view import alert_line


async def test_a_page_of_alerts_by_value() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        page = await client.alerts(is_open=True, since=datetime(2026, 1, 2, tzinfo=UTC), session=SESSION, limit=1)
        (alert,) = page.alerts
        assert (alert.alert_id, alert.open, alert.closed_at, alert.updates) == ("a-2", True, None, 1)
        assert alert.opened_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        (earlier,) = (await client.alerts(before=page.next)).alerts
        assert (earlier.alert_id, earlier.open, earlier.closed_at) == ("a-1", False, alert.updated_at)


def test_the_command_lists_page_after_page() -> None:
    with playing_aside(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        shown = invoked("alerts", "--open", "--since", "1h", *to)
        as_json = invoked("alerts", "--json", "--limit", "5", *to)
        newest = invoked("alerts", "--json", "--limit", "1", *to)
        wrong = invoked("alerts", "--since", "soon", *to)
    assert {shown.status, as_json.status, newest.status} == {0}
    assert wrong.status == 2
    assert "fire" in shown.output
    assert "critical" in shown.output
    assert SESSION in shown.output, "whole, to be copied, also without a terminal"
    assert [alert["alert_id"] for alert in json.loads(as_json.output)] == ["a-2", "a-1"]
    assert [alert["alert_id"] for alert in json.loads(newest.output)] == ["a-2"]


async def test_an_alert_is_shown_with_its_life_acknowledged_muted_and_exported() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        shown = await client.alerts.show("a-2")
        acknowledged = await client.alerts.acknowledge("a-2", "on my way")
        muted = await client.alerts.mute("a-2", 30)
        exported = b"".join([part async for part in client.alerts.export("csv", watch="fire", is_open=True)])
    assert (shown.opened_sequence, shown.events_left_out, shown.open) == (12, 3, True)
    assert [(event.event, event.by, event.note) for event in shown.events] == [
        ("opened", None, None),
        ("acknowledged", "Ann", "on my way"),
    ]
    assert (acknowledged.acknowledged_by, acknowledged.acknowledged_note) == ("Ann", "on my way")
    assert muted.muted_until == datetime(2026, 1, 2, 3, 35, tzinfo=UTC)
    assert exported == EXPORTED
    assert gateway.requests[1:3] == [
        ("POST", "/v1/alerts/a-2/acknowledge", {"note": "on my way"}),
        ("POST", "/v1/alerts/a-2/mute", {"minutes": 30, "note": ""}),
    ]


async def test_what_has_closed_is_refused_in_words() -> None:
    refusal = problem(409, "alert_closed", "the alert has closed", "nothing is left to do")
    refusing = ScriptedGateway(refusals={"/v1/alerts/a-1/acknowledge": refusal})
    async with playing(refusing) as gateway, Client(gateway.url, KEY) as client:
        with pytest.raises(Invalid, match="the alert has closed") as refused:
            await client.alerts.acknowledge("a-1")
    assert (refused.value.status, refused.value.kind) == (409, "alert_closed")


def test_the_command_acknowledges_mutes_and_shows() -> None:
    with playing_aside(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        acknowledged = invoked("alerts", "--acknowledge", "a-2", "--note", "on my way", *to)
        muted = invoked("alerts", "--mute", "a-2", "--for", "90s", "--json", *to)
        ended = invoked("alerts", "--mute", "a-2", "--for", "0s", *to)
        shown = invoked("alerts", "--show", "a-2", *to)
        both = invoked("alerts", "--show", "a-2", "--export", "csv", *to)
    assert {result.status for result in (acknowledged, muted, ended, shown)} == {0}
    assert ("a-2" in acknowledged.output, "Ann" in acknowledged.output) == (True, True)
    assert json.loads(muted.output)[0]["muted_until"] == "2026-01-02T03:35:00Z"
    bodies = [body for _, path, body in gateway.requests if path.endswith("/mute")]
    assert bodies == [{"minutes": 2, "note": ""}, {"minutes": 0, "note": ""}]
    for words in ("opened", "acknowledged", "3 events are left out", "12"):
        assert words in shown.output
    assert (both.status, "only one of" in both.output) == (2, True)


async def test_the_command_writes_a_file_as_it_comes() -> None:
    async with playing(ScriptedGateway()) as gateway:
        exported = await vigil("alerts", "--export", "csv", "--gateway", gateway.url, "--api-key", KEY, deadline_s=90)
    assert (exported.status, exported.output.encode()) == (0, EXPORTED)


def test_a_gateway_of_the_release_before_is_read() -> None:
    former = {name: value for name, value in ALERT.items() if not name.startswith(("acknowledged", "muted"))}
    assert read(AlertRecord, former).acknowledged_by is None


def test_what_somebody_did_about_an_alert_is_read_and_shown_in_a_line() -> None:
    until = "2026-01-02T03:35:00.000Z"
    told = alert_json("muted", by="Ann", note="lunch", until=until, reason="muted by Ann")
    muted = cloudevents.alert(json.dumps(told))
    assert (muted.state, muted.by, muted.note) == ("muted", "Ann", "lunch")
    assert muted.until == datetime(2026, 1, 2, 3, 35, tzinfo=UTC)
    line = alert_line(muted)
    assert "ALERT muted    critical fire  'A fire has started.'  (muted by Ann)" in line
    opened = cloudevents.alert(json.dumps(alert_json("opened")))
    assert (opened.by, opened.note, opened.until) == ("", "", None)
    assert "250 ms after capture" in alert_line(opened)
