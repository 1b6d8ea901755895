"""The audit as the SDK and the command list it."""

import json
from datetime import UTC, datetime

from vigil_client.api import Client
from vigil_client.testing.command import vigil
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing


async def test_a_page_of_records_by_value() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        page = await client.audit(since=datetime(2026, 1, 2, tzinfo=UTC), actor="desk", limit=1)
        (entry,) = page.entries
        assert (entry.actor, entry.method, entry.route, entry.status) == ("desk", "POST", "/v1/sessions", 201)
        assert entry.time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        later = await client.audit(after=page.next)
        assert ([entry.status for entry in later.entries], later.next) == ([403], None)


async def test_the_command_lists_page_after_page() -> None:
    async with playing(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        shown = await vigil("audit", "--since", "1h", *to)
        as_json = await vigil("audit", "--json", "--limit", "5", *to)
        first = await vigil("audit", "--json", "--limit", "1", "--actor", "desk", *to)
    assert {shown.status, as_json.status, first.status} == {0}
    for text in ("desk", "/v1/sessions", "201", "403", "192.0.2.7"):
        assert text in shown.output
    assert [entry["status"] for entry in json.loads(as_json.output)] == [201, 403]
    assert [entry["status"] for entry in json.loads(first.output)] == [201]
