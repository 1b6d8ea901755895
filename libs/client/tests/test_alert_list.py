"""Alerts as the SDK and the command list them."""

import json
from datetime import UTC, datetime

from vigil_client.api import Client
from vigil_client.testing.command import vigil
from vigil_client.testing.scripted_answers import SESSION
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing


async def test_a_page_of_alerts_by_value() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        page = await client.alerts(is_open=True, since=datetime(2026, 1, 2, tzinfo=UTC), session=SESSION, limit=1)
        (alert,) = page.alerts
        assert (alert.alert_id, alert.open, alert.closed_at, alert.updates) == ("a-2", True, None, 1)
        assert alert.opened_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        (earlier,) = (await client.alerts(before=page.next)).alerts
        assert (earlier.alert_id, earlier.open, earlier.closed_at) == ("a-1", False, alert.updated_at)


async def test_the_command_lists_page_after_page() -> None:
    async with playing(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        shown = await vigil("alerts", "--open", "--since", "1h", *to)
        as_json = await vigil("alerts", "--json", "--limit", "5", *to)
        newest = await vigil("alerts", "--json", "--limit", "1", *to)
        wrong = await vigil("alerts", "--since", "soon", *to)
    assert {shown.status, as_json.status, newest.status} == {0}
    assert wrong.status == 2
    assert "fire" in shown.output
    assert "critical" in shown.output
    assert SESSION in shown.output, "whole, to be copied, also without a terminal"
    assert [alert["alert_id"] for alert in json.loads(as_json.output)] == ["a-2", "a-1"]
    assert [alert["alert_id"] for alert in json.loads(newest.output)] == ["a-2"]
