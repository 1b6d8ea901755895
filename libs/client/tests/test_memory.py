"""A session's memory as the SDK and the command show and ask it."""

import json

import pytest

from vigil_client import cloudevents
from vigil_client.api import Client
from vigil_client.commands.memory import rows
from vigil_client.errors import BadMessage, Unavailable
from vigil_client.events import read_event
from vigil_client.sse import ServerEvent
from vigil_client.testing.command import invoked
from vigil_client.testing.scripted_answers import SESSION, memory_news_json
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing, playing_aside, problem


async def test_a_memory_by_value() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        found = await client.memory(SESSION)
        picture = await client.memory.frame(SESSION, "m-1")
    assert [(block.level, block.from_s, block.to_s) for block in found.blocks] == [(1, 0.0, 500.0), (0, 500.0, 600.0)]
    assert (found.tiers.long.tokens, found.tiers.long.limit_tokens, found.settings.mid_blocks) == (30, 3_000, 5)
    assert (found.unwritten[0].asked, found.unwritten[0].frames[0].id) == (2, "m-1")
    assert picture == b"\xff\xd8m-1"


async def test_the_spans_of_a_memory_follow_each_other() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        found = list(rows(await client.memory(SESSION)))
    assert [row.tier for row in found] == ["long", "mid", "unwritten", "turns"]
    assert [row.to_s for row in found[:-1]] == [row.from_s for row in found[1:]], "no gap and no overlap"


async def test_the_archive_is_read_page_by_page() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        page = await client.memory.archive(SESSION, limit=2)
        last = await client.memory.archive(SESSION, before=page.next)
    assert [(entry.kind, entry.question) for entry in page.entries] == [("exchange", "Who came?"), ("block", "")]
    assert (page.next, last.next) == ("500000-600000-0", None)


async def test_a_question_is_asked_with_what_is_given_of_it() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        found = await client.memory.recall(SESSION, "Which van came?")
        await client.memory.recall(SESSION, "At 14:00?", time_zone="Asia/Tokyo", lines=3)
    assert (found.lines[0].text, found.lines[0].frames[0].id) == ("A red van came.", "m-1")
    assert [body for _, _, body in gateway.requests] == [
        {"question": "Which van came?"},
        {"question": "At 14:00?", "time_zone": "Asia/Tokyo", "lines": 3},
    ]


async def test_without_a_memory_service_it_is_said_so() -> None:
    path = f"/v1/sessions/{SESSION}/memory/recall"
    refusal = problem(503, "memory_unavailable", "no memory service listens", "start it")
    async with playing(ScriptedGateway(refusals={path: refusal})) as gateway, Client(gateway.url, KEY) as client:
        with pytest.raises(Unavailable, match="no memory service listens"):
            await client.memory.recall(SESSION, "Who?")


def test_the_command_shows_asks_and_lists() -> None:
    with playing_aside(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        shown = invoked("memory", SESSION, *to)
        asked = invoked("memory", SESSION, "--ask", "Which van came?", *to)
        archived = invoked("memory", SESSION, "--archive", *to)
        as_json = invoked("memory", SESSION, "--json", *to)
    assert {result.status for result in (shown, asked, archived, as_json)} == {0}
    for words in ("long", "mid", "unwritten", "112 turns", "30 of 3,000 tokens", "1 of 10 blocks"):
        assert words in shown.output
    assert "\x1b[2J" not in shown.output, "what a terminal would obey is written out"
    assert "A red van came." in asked.output
    assert "A courier." in archived.output
    assert json.loads(as_json.output)["turns"] == 112


@pytest.mark.parametrize("options", [("--ask", "Who?", "--archive"), ("--time-zone", "UTC")])
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...]) -> None:
    assert invoked("memory", SESSION, *options, "--gateway", "http://127.0.0.1:1", "--api-key", KEY).status == 2


def test_what_became_of_a_block_is_read() -> None:
    ready = read_event(ServerEvent("memory", json.dumps(memory_news_json("ready"))))
    assert isinstance(ready, cloudevents.MemoryNews)
    assert (ready.event, ready.block, ready.chars, ready.to_s) == ("ready", "500000-600000-0", 15, 600.0)
    failed = cloudevents.memory(json.dumps(memory_news_json("failed", chars=0, reason="the summariser is away")))
    assert (failed.event, failed.reason) == ("failed", "the summariser is away")
    with pytest.raises(BadMessage, match="not a memory event"):
        cloudevents.memory('{"data": {}}')
