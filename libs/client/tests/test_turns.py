"""Turns, frames, prompts and the wall as the SDK reads them, and `vigil turns`."""

import json
from contextlib import aclosing
from pathlib import Path

from vigil_client.api import Client
from vigil_client.backoff import Backoff
from vigil_client.cloudevents import Alert
from vigil_client.events import Connection, Lifecycle
from vigil_client.testing.command import invoked
from vigil_client.testing.scripted_answers import SESSION, alert_json, sse, tile_json
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing, playing_aside
from vigil_client.turns import PromptPart
from vigil_client.wall import Tile, WallStatus


async def test_turns_by_page_a_frame_and_a_prompt() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        page = await client.turns(SESSION, limit=2)
        assert [turn.sequence for turn in page.turns] == [4, 3]
        rest = await client.turns(SESSION, before=page.next)
        assert ([turn.sequence for turn in rest.turns], rest.next) == ([2, 1], 1)
        assert await client.frame(SESSION) == b"\xff\xd8newest"
        assert await client.frame(SESSION, 12) == b"\xff\xd812"
        prompt = await client.prompt(SESSION, 12)
    assert prompt.messages[0].parts == (PromptPart("text", "Watch."),)
    assert prompt.messages[1].parts[1] == PromptPart("image", "", "u-12", 160, 96, "/v1/sessions/s/turns/12/frames/0")
    assert prompt.reply == "</response> Fire!"


async def test_a_wall_goes_on_where_it_was_and_gets_its_tiles_anew() -> None:
    status = sse("status", {"sessions": 1, "dropped": {"alert": 0, "session": 0}}, "a3-s1")
    ended = {"type": "vigil.session.ended", "data": {"session": SESSION, "reason": "end of file"}}
    first = (status, sse("tile", tile_json()), sse("alert", alert_json("opened"), "a4-s1"))
    second = (status.replace(b"a3", b"a4"), sse("tile", tile_json(state="ended")), sse("session", ended, "a4-s2"))
    async with (
        playing(ScriptedGateway((first, second))) as gateway,
        Client(gateway.url, KEY) as client,
        aclosing(client.wall(Backoff(first_s=0.01, last_s=0.01))) as wall,
    ):
        heard = [await anext(wall) for _ in range(9)]
    connected, told, tile, alert, lost, _, _, again, over = heard
    assert (connected, told) == (Connection(connected=True), WallStatus(1, {"alert": 0, "session": 0}))
    assert isinstance(tile, Tile)
    assert (tile.state, tile.name, tile.alerts[0].severity) == ("live", "Lobby", "critical")
    assert tile.last is not None
    assert tile.last.sequence == 4
    assert isinstance(alert, Alert)
    assert isinstance(lost, Connection)
    assert isinstance(again, Tile)
    assert again.state == "ended"
    assert over == Lifecycle("ended", "end of file", session=SESSION)
    assert gateway.last_ids == ["", "a4-s1"]


def test_the_command_lists_turns_page_after_page() -> None:
    with playing_aside(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        shown = invoked("turns", SESSION, *to)
        as_json = invoked("turns", SESSION, "--limit", "3", "--json", *to)
        earlier = invoked("turns", SESSION, "--before", "2", "--json", *to)
    assert {shown.status, as_json.status, earlier.status} == {0}
    lines = shown.output.splitlines()
    assert len(lines) == 10
    assert {line.strip() for line in lines[1::2]} == {"faces (face, 0.92): Anna is at the door"}
    assert "cached" in shown.output
    assert [turn["sequence"] for turn in json.loads(as_json.output)] == [4, 3, 2]
    assert [turn["sequence"] for turn in json.loads(earlier.output)] == [1, 0]


def test_the_command_shows_a_prompt_and_saves_a_picture(tmp_path: Path) -> None:
    saved = tmp_path / "seen.jpg"
    with playing_aside(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        prompt = invoked("turns", SESSION, "--prompt", "12", *to)
        as_json = invoked("turns", SESSION, "--prompt", "12", "--json", *to)
        assert invoked("turns", SESSION, "--picture", str(saved), "--of", "12", *to).status == 0
    assert "[picture 160x96 /v1/sessions/s/turns/12/frames/0]" in prompt.output
    assert prompt.output.rstrip().endswith("</response> Fire!")
    assert json.loads(as_json.output)["sequence"] == 12
    assert saved.read_bytes() == b"\xff\xd812"
