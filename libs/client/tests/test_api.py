"""The REST client against a scripted gateway on a real port."""

import asyncio
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.testing.eventually import DEADLINE_S
from vigil.testing.ports import free_port
from vigil_client.api import Client
from vigil_client.backoff import Backoff
from vigil_client.cloudevents import Alert, Delegation
from vigil_client.errors import BadMessage, Invalid, NotFound, Refused, Unauthorised, Unavailable, Unreachable
from vigil_client.events import Connection, Decision, Event, Lifecycle, RoleStatus, read_event
from vigil_client.options import NewSession, NewSource, NewWatch, Speech, camera_meant, source_url
from vigil_client.sse import Parser, ServerEvent
from vigil_client.testing.scripted_answers import SESSION, alert_json, decision_json, delegation_json, sse
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing, problem
from vigil_client.transport import refusal
from vigil_client.values import (
    ApiKey,
    Exchange,
    Health,
    History,
    Instruction,
    Progress,
    RoleCapacity,
    Session,
    Source,
    Turn,
    Watch,
    read,
)

AT_ONCE = Backoff(first_s=0.001, last_s=0.001)

RECALLED = "Memory. At 12 seconds a red van came."


async def test_answers_are_read_by_value() -> None:
    new = NewSession(NewSource("file:///a.mp4", "lobby", loop=True), (NewWatch("Alert me.", "fire"),))
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        made = await client.create_session(new)
        assert (made.id, made.source, made.state) == (
            SESSION,
            Source("lobby", "rtsp", "rtsp://***@camera/1", "Lobby", loop=False),
            "open",
        )
        assert made.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert made.progress == Progress(7, 6.0, 7, 0, 0)
        assert [session.id for session in await client.sessions()] == [SESSION]
        changed = await client.change_session(SESSION, response_mode="reserved", interval_ms=500)
        assert changed.speech == Speech("reserved")
        assert await client.ask(SESSION, "What do you see?") == "q-1"
        assert await client.watches(SESSION) == (
            Watch("w-1", "Alert me.", True, None, "fire", "warning", 5.0, 30.0, 10.0, 0.0),
        )
        assert await client.instructions(SESSION) == (Instruction("i-1", "Greet.", False, 2, "big"),)
        assert await client.history(SESSION) == History(
            SESSION,
            (
                Turn(
                    3,
                    3.0,
                    "speak",
                    "Hello.",
                    "",
                    "</response> Hello.",
                    ("Who?",),
                    ("faces (face, 0.92): Anna is at the door",),
                ),
            ),
            (Exchange("Who?", 2.0, "answered", "Hello.", 3.0, "s-1-2", "Let me see.", (RECALLED,)),),
        )
        assert await client.snapshot("a-1") == b"\xff\xd8jpeg"
        sources = {"rtsp": True, "pushed": True}
        assert await client.health() == Health(True, True, sources, {"nats": "ok"}, {"codec": RoleCapacity(1, 8, 2)})
        key = ApiKey("0a1b2c3d4e5f", "pager", "demo", "admin", datetime(2026, 1, 31, 12, tzinfo=UTC), None)
        assert await client.key() == key
        assert await client.keys() == (key,)
        await client.end_session(SESSION)
    assert gateway.requests[0] == (
        "POST",
        "/v1/sessions",
        {
            "source": {"url": "file:///a.mp4", "id": "lobby", "loop": True},
            "watches": [{"text": "Alert me.", "name": "fire"}],
        },
    )
    assert gateway.requests[2][2] == {"cadence": {"interval_ms": 500}, "speech": {"response_mode": "reserved"}}
    assert gateway.requests[-1][:2] == ("DELETE", f"/v1/sessions/{SESSION}")


async def test_an_answer_that_is_none_of_the_contract_is_a_bad_message() -> None:
    with pytest.raises(BadMessage, match="cannot be read as Session") as bad:
        read(Session, {"id": SESSION})
    assert bad.value.next_step
    newer = read(Source, {"id": "a", "kind": "thermal", "url": "", "name": "", "loop": False, "heat": 3})
    assert newer == Source("a", "thermal", "", "", loop=False)
    assert newer.label == "a"


async def test_a_problem_becomes_an_error_with_its_next_step() -> None:
    refusals = {"/v1/sessions": problem(422, "source_fault", "no route to rtsp://camera", "Correct the source.")}
    async with playing(ScriptedGateway(refusals=refusals)) as gateway, Client(gateway.url, KEY) as client:
        with pytest.raises(Invalid, match="no route to rtsp://camera") as refused:
            await client.create_session(NewSession(NewSource("rtsp://camera")))
    assert (refused.value.status, refused.value.kind) == (422, "source_fault")
    assert refused.value.next_step == "Correct the source."
    assert not refused.value.retryable


async def test_a_wrong_key_and_an_unknown_session() -> None:
    async with playing(ScriptedGateway()) as gateway:
        async with Client(gateway.url, "wrong-key") as client:
            with pytest.raises(Unauthorised, match="not valid"):
                await client.sessions()
        async with Client(gateway.url, KEY) as client:
            with pytest.raises(NotFound):
                await client.session("no/such/thing")


async def test_nothing_answers() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}", KEY) as client:
        with pytest.raises(Unreachable, match="does not answer") as unreachable:
            await client.sessions()
    assert unreachable.value.retryable
    assert "vigil up" in unreachable.value.next_step


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthorised), (404, NotFound), (400, Invalid), (413, Invalid), (500, Unavailable), (503, Unavailable)],
)
def test_statuses_have_classes(status: int, kind: type[Refused]) -> None:
    error = refusal(status, "<html>no problem here</html>")
    assert type(error) is kind
    assert str(status) in error.message


async def collect(client: Client, count: int) -> list[Event]:
    events: list[Event] = []
    async with asyncio.timeout(DEADLINE_S):
        async for event in client.events(SESSION, AT_ONCE):
            events.append(event)
            if len(events) == count:
                return events
    return events


async def test_events_go_on_after_the_stream_is_cut() -> None:
    first = [sse("decision", decision_json(0)), b": heartbeat\n\n", sse("alert", alert_json("opened"))]
    second = [sse("decision", decision_json(1, "speak", "A fire has started."))]
    async with playing(ScriptedGateway([first, second])) as gateway, Client(gateway.url, KEY) as client:
        events = await collect(client, 6)
    match events:
        case [Connection(True), Decision(0), Alert(state="opened"), Connection(False), Connection(True), Decision(1)]:
            assert gateway.connections == 2
        case _:
            pytest.fail(f"unexpected: {events}")


async def test_a_stream_that_is_cut_goes_on_after_the_last_whole_event() -> None:
    first = [sse("decision", decision_json(0), "d1-a0"), b"event: decision\nid: d2-a0\ndata: {"]
    second = [sse("decision", decision_json(1), "d2-a0")]
    async with playing(ScriptedGateway([first, second])) as gateway, Client(gateway.url, KEY) as client:
        await collect(client, 5)
        assert gateway.last_ids == ["", "d1-a0"]


async def test_events_of_an_unknown_session_end_at_once() -> None:
    refusals = {f"/v1/sessions/{SESSION}/events": problem(404, "unknown_session", "no such session", "list them")}
    async with playing(ScriptedGateway(refusals=refusals)) as gateway, Client(gateway.url, KEY) as client:
        with pytest.raises(NotFound, match="no such session"):
            await collect(client, 1)


def test_events_are_read_by_value() -> None:
    event = read_event(ServerEvent("decision", json.dumps(decision_json(4, "speak", "Hi", p=None, frames_skipped=2))))
    assert isinstance(event, Decision)
    assert (event.sequence, event.action, event.text, event.p_speak, event.frames_skipped) == (
        4,
        "speak",
        "Hi",
        None,
        2,
    )
    ended = {"type": "vigil.session.ended", "data": {"reason": "end of file"}}
    assert read_event(ServerEvent("session", json.dumps(ended))) == Lifecycle("ended", "end of file")
    assert read_event(ServerEvent("newer-than-us", "{}")) is None


def test_a_delegation_is_read_by_value() -> None:
    opened, closed = (
        read_event(ServerEvent("delegation", json.dumps(delegation_json(event, outcome, result))))
        for event, outcome, result in (("opened", None, ""), ("closed", "answered", "A rose."))
    )
    assert isinstance(opened, Delegation)
    assert isinstance(closed, Delegation)
    assert (opened.task, opened.event, opened.question, opened.note) == (
        closed.task,
        "opened",
        "Which flower is it?",
        "Let me see.",
    )
    assert (opened.outcome, opened.result, opened.deadline_s) == ("", "", 124.0)
    assert (closed.event, closed.outcome, closed.result) == ("closed", "answered", "A rose.")


@pytest.mark.parametrize("kind", ["decision", "alert", "utterance", "delegation", "session", "status"])
@pytest.mark.parametrize("data", ["", "no json", "[]", '{"data": {}}', '{"data": null}', "3"])
def test_what_is_no_event_is_a_bad_message(kind: str, data: str) -> None:
    with pytest.raises(BadMessage):
        read_event(ServerEvent(kind, data))


# As the gateway sent them, over a camera that was killed and came back.
OPENING = '{"roles":{"ingestion":{"state":"opening","worker":"ingestion-1"}},"dropped":{"decision":0,"alert":0}}'
WATCHED = (
    '{"roles":{"ingestion":{"state":"watching","worker":"ingestion-1","source":{"width":320,"height":192,'
    '"frames_per_second":10.0,"codec":"h264"}}},"dropped":{"decision":0,"utterance":0,"alert":0,"session":0}}'
)
LOST = (
    '{"roles":{"ingestion":{"state":"reconnecting","worker":"ingestion-1","detail":"rtsp://***@127.0.0.1:8554/cam '
    'does not answer","fault":"unreachable","failures":3,"retry_s":1.87}},"dropped":{"decision":0,"alert":0}}'
)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (OPENING, "ingestion opening"),
        (WATCHED, ""),
        (LOST, "ingestion reconnecting: rtsp://***@127.0.0.1:8554/cam does not answer"),
        ('{"roles":{},"dropped":{}}', ""),
        ('{"roles":null,"dropped":{}}', "the gateway cannot read how the session is"),
        ('{"roles":{"codec":"tired"},"dropped":{}}', "codec tired"),
        ('{"roles":{"ingestion":{"state":"watching","detail":"it is cut off"}}}', "ingestion watching: it is cut off"),
    ],
)
def test_a_status_says_what_is_not_well(data: str, shown: str) -> None:
    assert read_event(ServerEvent("status", data)) == RoleStatus(shown)


@given(
    events=st.lists(
        st.tuples(
            st.sampled_from(["decision", "alert"]), st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))
        ),
        max_size=5,
    ),
    cuts=st.lists(st.integers(0, 400), max_size=10),
)
def test_the_parser_does_not_care_how_bytes_arrive(events: list[tuple[str, str]], cuts: list[int]) -> None:
    whole = b"".join(f"event: {kind}\r\ndata: {data}\r\n\r\n".encode() for kind, data in events)
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    parser = Parser()
    parsed = [event for start, end in itertools.pairwise(edges) for event in parser.feed(whole[start:end])]
    assert [(event.kind, event.data) for event in parsed] == events


def test_several_data_lines_are_one_event() -> None:
    assert list(Parser().feed(b"id: 7\ndata: a\ndata: b\n\n")) == [ServerEvent("message", "a\nb", "7")]


def test_a_path_becomes_an_address() -> None:
    assert source_url("rtsp://u:p@camera/1") == "rtsp://u:p@camera/1"
    assert source_url("/videos/my lobby.mp4") == "file:///videos/my%20lobby.mp4"
    assert source_url("lobby.mp4").startswith("file:///")


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("172.17.0.1:8554/cam", "rtsp://172.17.0.1:8554/cam"),
        ("192.168.1.20/stream1", "rtsp://192.168.1.20/stream1"),
        ("camera.local:554", "rtsp://camera.local:554"),
        ("[fe80::1]:8554/cam", "rtsp://[fe80::1]:8554/cam"),
        ("rtsp://172.17.0.1:8554/cam", ""),
        ("lobby.mp4", ""),
        ("/videos/10.0.0.1:80", ""),
        ("clips/12:30.mp4", ""),
    ],
)
def test_a_host_without_a_scheme_is_taken_for_a_camera(source: str, meant: str) -> None:
    assert camera_meant(source) == meant


def test_a_file_that_is_named_like_a_host_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "10.0.0.1").touch()
    monkeypatch.chdir(tmp_path)
    assert camera_meant("10.0.0.1") == ""
