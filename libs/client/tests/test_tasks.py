"""Delegated questions and approvals as the SDK and the command list, show, cancel and decide them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vigil_client import cloudevents
from vigil_client.api import Client
from vigil_client.approvals import NewPattern
from vigil_client.commands.tasks import file_name
from vigil_client.errors import BadMessage, Invalid
from vigil_client.events import read_event
from vigil_client.sse import ServerEvent
from vigil_client.tasks import Artefact
from vigil_client.testing.command import invoked
from vigil_client.testing.scripted_answers import (
    ARTEFACT,
    SESSION,
    approval_json,
    delegation_json,
    task_news_json,
)
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing, playing_aside, problem

TASK_ID = f"{SESSION}-4"


async def test_tasks_by_value() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        done, waiting = await client.tasks(SESSION)
        shown = await client.tasks.show(SESSION, TASK_ID)
        content = await client.tasks.artefact(SESSION, TASK_ID, 0)
        await client.tasks.cancel(SESSION, "../t")
    assert (done.state, done.text, done.brain, done.sequence) == ("ready", "An iris.", "big", 4)
    assert done.opened_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (waiting.state, waiting.opened_at, waiting.artefacts) == ("queued", None, ())
    assert shown == done
    assert shown.artefacts[0].media_type == "text/html"
    assert content == ARTEFACT
    assert gateway.requests[-1][:2] == ("DELETE", f"/v1/sessions/{SESSION}/tasks/../t"), "decoded, yet one segment"


async def test_a_question_names_its_brain_only_where_one_is_named() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        await client.ask(SESSION, "Who?")
        await client.ask(SESSION, "Who?", brain="big")
        await client.instruct(SESSION, "Greet.", brain="big")
        await client.change_session(SESSION, brain="")
    assert [body for _, _, body in gateway.requests] == [
        {"text": "Who?"},
        {"text": "Who?", "brain": "big"},
        {"text": "Greet.", "brain": "big"},
        {"brain": ""},
    ]


async def test_an_approval_is_granted_refused_and_granted_for_later_ones() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        (asked,) = await client.approvals(state="requested", session=SESSION)
        granted = await client.approvals.grant(asked.id)
        refused = await client.approvals.refuse(asked.id)
        await client.approvals.grant(asked.id, NewPattern("*", minutes=60))
        (pattern,) = await client.approvals.patterns()
        await client.approvals.remove_pattern(pattern.id)
    assert (asked.tool, asked.arguments, asked.state, asked.decided_at) == (
        "open_ticket",
        '{"queue":"lobby"}',
        "requested",
        None,
    )
    assert (granted.state, granted.by, refused.state) == ("granted", "Ann", "refused")
    assert pattern.expires_at is None
    assert [body for method, _, body in gateway.requests if method == "POST"] == [
        {"grant": True},
        {"grant": False},
        {"grant": True, "pattern": {"arguments": "*", "minutes": 60}},
    ]


async def test_what_was_decided_is_refused_in_words() -> None:
    refusal = problem(409, "approval_decided", "the approval 'p-1' was refused by Bo before", "nothing is left to do")
    refusing = ScriptedGateway(refusals={"/v1/approvals/p-1": refusal})
    async with playing(refusing) as gateway, Client(gateway.url, KEY) as client:
        with pytest.raises(Invalid, match="was refused by Bo before"):
            await client.approvals.grant("p-1")


def test_the_command_lists_shows_saves_and_cancels_tasks(tmp_path: Path) -> None:
    with playing_aside(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        listed = invoked("tasks", SESSION, *to)
        as_json = invoked("tasks", SESSION, "--json", *to)
        shown = invoked("tasks", SESSION, "--show", TASK_ID, "--save", str(tmp_path / "answers"), *to)
        cancelled = invoked("tasks", SESSION, "--cancel", TASK_ID, *to)
        both = invoked("tasks", SESSION, "--cancel", TASK_ID, "--show", TASK_ID, *to)
        alone = invoked("tasks", SESSION, "--save", str(tmp_path), *to)
    assert {result.status for result in (listed, as_json, shown, cancelled)} == {0}
    for words in ("Which flower is it?", "An iris.", "ready", "queued", TASK_ID):
        assert words in listed.output
    assert [task["state"] for task in json.loads(as_json.output)] == ["ready", "queued"]
    assert "Let me see." in shown.output
    assert (tmp_path / "answers" / "0-flower.html").read_bytes() == ARTEFACT
    assert [path.name for path in tmp_path.iterdir()] == ["answers"], "a name leads nowhere else"
    assert ("DELETE", f"/v1/sessions/{SESSION}/tasks/{TASK_ID}", None) in gateway.requests
    assert (both.status, alone.status) == (2, 2)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("screen.html", "0-screen.html"),
        ("../../etc/passwd", "0-etc-passwd"),
        ("...", "0-artefact"),
        ("", "0-artefact"),
        ("火 灾.png", "0-火-灾.png"),
        ("x" * 300, "0-" + "x" * 100),
    ],
)
def test_a_file_is_saved_under_a_name_that_stays_in_its_folder(name: str, kept: str) -> None:
    assert file_name(Artefact(0, name, "text/html", 1, "/v1")) == kept


def test_the_command_lists_and_decides_approvals() -> None:
    with playing_aside(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        listed = invoked("approve", *to)
        granted = invoked("approve", "p-1", *to)
        refused = invoked("approve", "p-1", "--refuse", "--json", *to)
        pattern = invoked("approve", "p-1", "--arguments", '{"queue":"lobby"*', "--for", "90s", *to)
        patterns = invoked("approve", "--patterns", *to)
        taken_back = invoked("approve", "--take-back", "p-0", *to)
    assert {result.status for result in (listed, granted, refused, pattern, patterns, taken_back)} == {0}
    assert "open_ticket" in listed.output
    assert "\\x1b[2J" in listed.output, "what a terminal would obey is written out"
    assert "\x1b[2J" not in listed.output
    assert "granted by Ann" in granted.output
    assert json.loads(refused.output)[0]["state"] == "refused"
    assert "open_ticket" in patterns.output
    bodies = [body for method, path, body in gateway.requests if method == "POST"]
    assert bodies == [
        {"grant": True},
        {"grant": False},
        {"grant": True, "pattern": {"arguments": '{"queue":"lobby"*', "minutes": 2}},
    ]
    assert gateway.requests[-1][:2] == ("DELETE", "/v1/approval-patterns/p-0")


@pytest.mark.parametrize(
    "options",
    [
        ("p-1", "--patterns"),
        ("--patterns", "--take-back", "p-0"),
        ("--refuse",),
        ("--arguments", "*"),
        ("p-1", "--refuse", "--arguments", "*"),
        ("p-1", "--tool", "mail*"),
        ("p-1", "--for", "1h"),
    ],
)
def test_options_of_approve_that_do_not_go_together_are_refused(options: tuple[str, ...]) -> None:
    assert invoked("approve", *options, "--gateway", "http://127.0.0.1:1", "--api-key", KEY).status == 2


def test_events_of_a_task_are_read_whoever_tells_them() -> None:
    opened = cloudevents.task_event(json.dumps(delegation_json("opened")))
    assert isinstance(opened, cloudevents.Delegation)
    path = f"/v1/sessions/{SESSION}/tasks/{TASK_ID}/artefacts/0"
    ready = cloudevents.task_event(
        json.dumps(task_news_json("ready", "ready", "An iris.", artefacts=[{"name": "a", "path": path}]))
    )
    assert isinstance(ready, cloudevents.TaskNews)
    assert (ready.event, ready.state, ready.text, ready.artefact_paths) == ("ready", "ready", "An iris.", (path,))
    assert read_event(ServerEvent("delegation", json.dumps(task_news_json("started", "running")))) is not None
    with pytest.raises(BadMessage, match="not a task event"):
        cloudevents.task_event('{"data": {"event": "started"}}')


def test_an_approval_event_is_read() -> None:
    read = read_event(ServerEvent("approval", json.dumps(approval_json("granted", by="Ann"))))
    assert isinstance(read, cloudevents.ApprovalEvent)
    assert (read.event, read.tool, read.by, read.approval) == ("granted", "open_ticket", "Ann", "p-1")
    with pytest.raises(BadMessage, match="not an approval event"):
        cloudevents.approval('{"data": {}}')
