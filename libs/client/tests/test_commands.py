"""The `vigil` command as a process: what it prints, how it exits, and what it leaves behind."""

import asyncio
import json
import signal
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import nats
import pytest
import typer

from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer
from vigil_client.commands.options import one_of
from vigil_client.commands.subscribe import duration
from vigil_client.commands.watch import source_id, watches_of
from vigil_client.endpoints import FILE, Endpoints, write
from vigil_client.main import command_line
from vigil_client.options import SEVERITIES, NewWatch
from vigil_client.testing.command import Result, start, vigil
from vigil_client.testing.scripted_answers import SESSION, alert_json, decision_json, sse
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing, problem

QUIET = [sse("decision", decision_json(number)) for number in range(3)]
SPEAKS = sse("decision", decision_json(3, "speak", "A fire has started."))
OPENED, CLOSED = sse("alert", alert_json("opened")), sse("alert", alert_json("closed", 2))
ENDED = sse("session", {"type": "vigil.session.ended", "data": {"reason": "end of file"}})


def to(gateway: ScriptedGateway) -> tuple[str, ...]:
    return ("--gateway", gateway.url, "--api-key", KEY)


async def watch(streams: Sequence[Sequence[bytes]], *arguments: str) -> tuple[Result, ScriptedGateway]:
    async with playing(ScriptedGateway(streams)) as gateway:
        result = await vigil("watch", "/lobby.mp4", "--alert", "Alert me when a fire starts.", *arguments, *to(gateway))
    return result, gateway


async def test_watch_ends_well_once_an_alert_has_closed(tmp_path: Path) -> None:
    svg = tmp_path / "live.svg"
    stream = [*QUIET, SPEAKS, OPENED, CLOSED]
    options = ("--name", "fire", "--severity", "critical", "--hold", "3", "--camera", "Main lobby", "--loop")
    result, gateway = await watch([stream], *options, "--until-closed", "--svg", str(svg))
    assert result.status == 0, result.output
    assert "ALERT opened" in result.output
    assert "1 of 1 alerts opened and closed" in result.output
    assert result.output.count("notice these weights know only the rendered world") == 1
    assert "A fire has started." in svg.read_text().replace("&#160;", " ")
    method, path, body = gateway.requests[0]
    assert (method, path) == ("POST", "/v1/sessions")
    assert body["source"] == {"url": "file:///lobby.mp4", "id": "Main-lobby", "name": "Main lobby", "loop": True}
    assert body["watches"][0]["hold_s"] == 3
    assert gateway.requests[-1][:2] == ("DELETE", f"/v1/sessions/{SESSION}")


async def test_watch_sends_the_options_it_is_given_and_no_others() -> None:
    session = ("--interval-ms", "500", "--chunk-turns", "50", "--duplicate-guard", "near", "--no-infer-when-idle")
    result, gateway = await watch([[OPENED, CLOSED]], "--update-interval", "2", *session, "--until-closed")
    assert result.status == 0, result.output
    assert gateway.requests[0][2] == {
        "source": {"url": "file:///lobby.mp4"},
        "watches": [{"text": "Alert me when a fire starts.", "update_interval_s": 2.0}],
        "cadence": {"interval_ms": 500},
        "window": {"chunk_turns": 50},
        "speech": {"duplicate_guard": "near"},
        "infer_when_idle": False,
    }


async def test_a_session_is_changed() -> None:
    async with playing(ScriptedGateway()) as gateway:
        changed = await vigil("sessions", "change", SESSION, "--response-mode", "reserved", *to(gateway))
        wrong = await vigil("sessions", "change", SESSION, "--response-mode", "loud", *to(gateway))
    assert (changed.status, "response-mode reserved" in changed.output) == (0, True), changed.output
    assert gateway.requests == [("PATCH", f"/v1/sessions/{SESSION}", {"speech": {"response_mode": "reserved"}})]
    assert wrong.status == 2
    assert "reserved, balanced, talkative" in wrong.output


async def test_watch_says_where_to_publish_and_follows_it() -> None:
    async with playing(ScriptedGateway([[OPENED, CLOSED]])) as gateway:
        asked = ("--webrtc", "--camera", "My desk", "--alert", "Alert me when a fire starts.", "--until-closed")
        result = await vigil("watch", *asked, *to(gateway))
    assert result.status == 0, result.output
    assert f"publish to  {gateway.url}/v1/sessions/{SESSION}/whip" in result.output
    assert all(program in result.output for program in ("OBS", "whipclientsink", "-f whip"))
    assert KEY not in result.output
    assert gateway.requests[0][2]["source"] == {"kind": "webrtc", "id": "My-desk", "name": "My desk"}


@pytest.mark.parametrize(
    "arguments", [(), ("/lobby.mp4", "--webrtc"), ("--webrtc", "--loop")], ids=["neither", "both", "loop"]
)
async def test_watch_takes_either_a_source_or_what_is_published(arguments: tuple[str, ...]) -> None:
    async with playing(ScriptedGateway()) as gateway:
        result = await vigil("watch", *arguments, "--alert", "Alert me.", *to(gateway))
    assert result.status == 2, result.output
    assert "--webrtc" in result.output
    assert gateway.requests == []


async def test_watch_fails_when_no_alert_came_in_time() -> None:
    for seconds in ("1", "5", "25"):  # a busy machine may need longer for three decisions
        result, gateway = await watch([QUIET], "--duration", seconds)
        assert result.status == 1
        assert gateway.requests[-1][0] == "DELETE"
        if "no alert in 3 decisions" in result.output:
            break
    assert "no alert in 3 decisions" in result.output


async def test_watch_fails_when_the_source_ends_with_the_alert_open() -> None:
    result, _ = await watch([[*QUIET, SPEAKS, OPENED, ENDED]], "--until-closed")
    assert result.status == 1
    assert "end of file" in result.output
    assert "did not close" in result.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_session(number: signal.Signals) -> None:
    async with playing(ScriptedGateway([QUIET])) as gateway:
        process = await start("watch", "/lobby.mp4", "--alert", "Alert me.", *to(gateway))
        await eventually(lambda: gateway.connections == 1, what="the stream of events")
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), DEADLINE_S) == 0
    assert gateway.requests[-1][:2] == ("DELETE", f"/v1/sessions/{SESSION}")


async def test_a_detached_watch_leaves_its_session_running() -> None:
    result, gateway = await watch([], "--camera", "gate", "--detach")
    assert result.status == 0, result.output
    assert f"session {SESSION} watches" in result.output
    assert [asked[:2] for asked in gateway.requests] == [("GET", "/v1/sessions"), ("POST", "/v1/sessions")]


async def test_a_detached_watch_keeps_an_open_session_of_its_camera() -> None:
    result, gateway = await watch([], "--camera", "lobby", "--detach")
    assert result.status == 0, result.output
    assert "already" in result.output
    assert [asked[:2] for asked in gateway.requests] == [("GET", "/v1/sessions")]


async def test_a_detached_watch_waits_for_nothing() -> None:
    result, gateway = await watch([], "--detach", "--until-closed")
    assert result.status == 2
    assert "leave out" in result.output
    assert not gateway.requests


async def test_a_refused_source_says_what_to_do() -> None:
    refusal = problem(422, "source_fault", "the file has no bytes", "Correct the source.")
    async with playing(ScriptedGateway(refusals={"/v1/sessions": refusal})) as gateway:
        result = await vigil("watch", "/lobby.mp4", "--alert", "Alert me.", *to(gateway))
    assert result.status == 1
    assert "the file has no bytes" in result.output
    assert "Correct the source." in result.output


async def test_sessions_and_ask() -> None:
    async with playing(ScriptedGateway()) as gateway:
        listed = await vigil("sessions", "list", *to(gateway))
        shown = await vigil("sessions", "show", SESSION, *to(gateway))
        as_json = await vigil("sessions", "list", "--json", *to(gateway))
        asked = await vigil("ask", SESSION, "What do you see?", *to(gateway))
        ended = await vigil("sessions", "end", SESSION, *to(gateway))
        erased = await vigil("sessions", "end", SESSION, "--erase", *to(gateway))
    assert SESSION in listed.output
    assert "Alert me." in shown.output
    assert "Hello." in shown.output
    assert json.loads(as_json.output)[0]["id"] == SESSION
    assert "q-1" in asked.output
    assert "has ended" in ended.output
    assert "erased" not in ended.output
    assert "has ended and is erased" in erased.output
    assert {result.status for result in (listed, shown, as_json, asked, ended, erased)} == {0}
    assert ("POST", f"/v1/sessions/{SESSION}/queries", {"text": "What do you see?"}) in gateway.requests


async def test_the_running_vigil_is_found_by_itself(tmp_path: Path) -> None:
    async with playing(ScriptedGateway()) as gateway:
        write(tmp_path / FILE, Endpoints(gateway.url, "nats://127.0.0.1:1", KEY))
        result = await vigil("sessions", "list", "--data-dir", str(tmp_path))
    assert (result.status, SESSION in result.output) == (0, True)


async def test_without_a_running_vigil_the_next_step_is_said(tmp_path: Path) -> None:
    result = await vigil("sessions", "list", "--data-dir", str(tmp_path / "nowhere"), cwd=tmp_path)
    assert result.status == 1
    assert "vigil up" in result.output


async def test_subscribe_prints_events_as_json(nats_server: NatsServer) -> None:
    process = await start("subscribe", "alerts", "--json", "--nats", nats_server.url)
    assert process.stdout is not None
    assert b"listening on vigil.v1.alert.demo.*.*" in await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)
    connection = await nats.connect(nats_server.url)
    await connection.publish("vigil.v1.alert.demo.lobby.opened", b"not an event")
    await connection.publish("vigil.v1.alert.demo.lobby.opened", json.dumps(alert_json("opened")).encode())
    await connection.close()
    lines = [await asyncio.wait_for(process.stdout.readline(), DEADLINE_S) for _ in range(2)]
    assert any(b"left out" in line for line in lines)
    assert any(json.loads(line)["data"]["watch"] == "fire" for line in lines if line.startswith(b"{"))
    process.terminate()
    assert await asyncio.wait_for(process.wait(), DEADLINE_S) == 0


async def test_help_teaches_by_example() -> None:
    for arguments in ((), ("watch",), ("subscribe",), ("sessions",), ("ask",), ("listen",)):
        result = await vigil(*arguments, "--help")
        assert result.status == 0
        assert "vigil " in result.output.partition("Usage:")[2].partition("\n")[2]


def test_a_named_command_comes_alone_and_a_name_that_is_none_with_all() -> None:
    def names(wanted: str) -> list[str]:
        return [str(command.name) for command in command_line(wanted).registered_commands]

    assert names("watch") == ["watch"]
    assert {"watch", "ask", "up", "doctor"} <= set(names("wacth")) == set(names(""))


def test_durations() -> None:
    assert duration("90s") == timedelta(seconds=90)
    assert duration("1.5h") == timedelta(minutes=90)
    for wrong in ("", "90", "h", "-1h", "1w", "36501d", "9" * 400 + "s"):
        with pytest.raises(typer.BadParameter):
            duration(wrong)


def test_watches_are_named() -> None:
    like = NewWatch("", None, "info", hold_s=1, cooldown_s=2, confirm_s=3)
    texts = ["Alert me when a fire starts.", "Tell me of falls."]
    assert [watch.name for watch in watches_of(texts, ["fire"], like)] == ["fire", None]
    with pytest.raises(typer.BadParameter, match="named alike"):
        watches_of(texts, ["fire", "fire"], like)
    with pytest.raises(typer.BadParameter, match="2 names for 1"):
        watches_of(texts[:1], ["a", "b"], like)
    assert watches_of(texts[:1], [], like) == (NewWatch(texts[0], None, "info", 1, 2, 10.0, 3),)
    assert source_id("Main lobby / north") == "Main-lobby-north"
    assert source_id("") is None
    with pytest.raises(typer.BadParameter, match="none of info, warning, critical"):
        one_of(SEVERITIES)("urgent")
