"""The `vigil` command when something is wrong: what it says, what to do next, and its exit status."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from vigil.testing.ports import free_port
from vigil_client.commands.hints import STEPS
from vigil_client.endpoints import FILE, Endpoints, write
from vigil_client.main import command_line
from vigil_client.testing.command import invoked, vigil
from vigil_client.testing.scripted_answers import SESSION
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing_aside, problem

WATCH = ("watch", "/lobby.mp4", "--alert", "Alert me.")
# Every command that speaks to the gateway, with what it needs.
TO_THE_GATEWAY = (
    WATCH,
    ("sessions",),
    ("sessions", "list"),
    ("sessions", "show", SESSION),
    ("sessions", "end", SESSION),
    ("ask", SESSION, "What do you see?"),
)
EVERY_CALL = pytest.mark.parametrize("arguments", TO_THE_GATEWAY, ids=lambda arguments: " ".join(arguments[:2]))
ADDRESSED = [arguments for arguments in TO_THE_GATEWAY if arguments != ("sessions",)]


@pytest.fixture
def gateway() -> Iterator[ScriptedGateway]:
    with playing_aside(ScriptedGateway()) as playing:
        yield playing


def commands(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))
        else:
            assert isinstance(command, TyperCommand)
            yield (*path, name), command


def every_command() -> list[tuple[tuple[str, ...], TyperCommand]]:
    root = typer.main.get_command(command_line())
    assert isinstance(root, TyperGroup)
    return list(commands(root))


EVERY_COMMAND = pytest.mark.parametrize(("path", "command"), every_command(), ids=lambda part: str(part))


@EVERY_COMMAND
def test_a_command_says_what_it_does(path: tuple[str, ...], command: TyperCommand) -> None:
    result = invoked(*path, "--help")
    assert result.status == 0
    assert f"Usage: vigil {' '.join(path)} " in result.output
    assert command.help
    assert command.help.strip().partition("\n")[0].endswith((".", ":")), "the first line is a sentence"


@EVERY_COMMAND
def test_every_option_of_a_command_is_explained(path: tuple[str, ...], command: TyperCommand) -> None:
    silent = [
        option.name for option in command.params if option.name != "help" and not getattr(option, "help", "explained")
    ]
    assert silent == []


@EVERY_COMMAND
def test_every_example_in_a_help_is_a_command_that_is_there(path: tuple[str, ...], command: TyperCommand) -> None:
    known = {path[0] for path, _ in every_command()}
    examples = re.findall(r"^ *vigil ([a-z]+)", command.help or "", re.MULTILINE)
    assert set(examples) <= known


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("dance",), "No such command 'dance'"),
        (("sessions", "dance"), "No such command 'dance'"),
        (("watch", "--alert", "Alert me when a fire starts."), "give a video file or an address to watch"),
        (("watch", "10.0.0.9:8554/cam", "--alert", "Alert me of fire."), "write rtsp://10.0.0.9:8554/cam"),
        (("watch", "/lobby.mp4"), "Missing option '--alert'"),
        ((*WATCH, "--severity", "urgent"), "'urgent' is none of info, warning, critical"),
        ((*WATCH, "--response-mode", "loud"), "'loud' is none of"),
        ((*WATCH, "--duplicate-guard", "maybe"), "'maybe' is none of"),
        ((*WATCH, "--hold", "soon"), "Invalid value for '--hold'"),
        ((*WATCH, "--duration", "0"), "Invalid value for '--duration'"),
        ((*WATCH, "--interval-ms", "1.5"), "Invalid value for '--interval-ms'"),
        ((*WATCH, "--colour", "red"), "No such option: --colour"),
        ((*WATCH, "--name", "a", "--name", "b"), "2 names for 1 alerts"),
        ((*WATCH, "--alert", "And me.", "--name", "a", "--name", "a"), "two alerts are named alike"),
        (("sessions", "show"), "Missing argument 'SESSION'"),
        (("sessions", "end"), "Missing argument 'SESSION'"),
        (("ask",), "Missing argument 'SESSION'"),
        (("ask", SESSION), "Missing argument 'QUESTION'"),
        (("ask", SESSION, "What?", "Why?"), "unexpected extra argument"),
        (("subscribe",), "Missing argument"),
        (("subscribe", "gossip"), "'gossip' is not one of"),
        (("subscribe", "alerts", "--since", "yesterday"), "'yesterday' is not a duration: write 90s, 15m, 1h or 2d"),
    ],
)
def test_a_wrong_call_is_named_and_exits_with_2(arguments: tuple[str, ...], says: str) -> None:
    result = invoked(*arguments)
    assert result.status == 2
    assert says.lower() in " ".join(result.output.lower().split())
    assert "Usage:" in result.output


def test_without_a_command_the_help_is_shown() -> None:
    result = invoked()
    assert result.status == 2
    assert "Begin with:" in result.output


@EVERY_CALL
def test_a_wrong_key(gateway: ScriptedGateway, arguments: tuple[str, ...]) -> None:
    result = invoked(*arguments, *addressed(arguments, gateway.url, "wrong-key"))
    assert result.status == 1
    assert "the key is not valid" in result.output
    assert "use a valid key" in result.output


def addressed(arguments: tuple[str, ...], url: str, key: str = KEY) -> tuple[str, ...]:
    """The options that name the gateway; `vigil sessions` alone is `list`, which has them."""
    named = ("--gateway", url, "--api-key", key)
    return ("list", *named) if arguments == ("sessions",) else named


@EVERY_CALL
def test_nothing_answers(arguments: tuple[str, ...]) -> None:
    result = invoked(*arguments, *addressed(arguments, f"http://127.0.0.1:{free_port()}"))
    assert result.status == 1
    assert "does not answer" in result.output
    assert "next" in result.output


@pytest.mark.parametrize("arguments", ADDRESSED, ids=lambda arguments: " ".join(arguments[:2]))
def test_no_vigil_is_known_here(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = invoked(*arguments, "--data-dir", str(tmp_path))
    assert result.status == 1
    assert f"no running Vigil is known here ({tmp_path / FILE} is not there)" in result.output
    assert "--gateway URL --api-key KEY" in result.output


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (WATCH, "/v1/sessions"),
        (("sessions", "list"), "/v1/sessions"),
        (("sessions", "show", SESSION), f"/v1/sessions/{SESSION}"),
        (("sessions", "end", SESSION), f"/v1/sessions/{SESSION}"),
        (("ask", SESSION, "What do you see?"), f"/v1/sessions/{SESSION}/queries"),
    ],
    ids=lambda part: " ".join(part[:2]) if isinstance(part, tuple) else "",
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, "no_such_path"), (409, "session_ended"), (422, "invalid"), (500, "internal"), (503, "capacity_full")],
)
def test_what_the_gateway_refuses_is_told_with_its_next_step(
    arguments: tuple[str, ...], path: str, status: int, kind: str
) -> None:
    refusal = problem(status, kind, "it cannot be done", "Do something else.")
    with playing_aside(ScriptedGateway(refusals={path: refusal})) as gateway:
        result = invoked(*arguments, *addressed(arguments, gateway.url))
    assert result.status == 1
    assert "it cannot be done" in result.output
    assert "Do something else." in result.output


@pytest.mark.parametrize("kind", STEPS)
def test_a_person_is_told_a_command_where_the_gateway_names_a_path(kind: str) -> None:
    refusal = problem(404, kind, "it is not there", "List them at /v1/things.")
    with playing_aside(ScriptedGateway(refusals={f"/v1/sessions/{SESSION}": refusal})) as gateway:
        result = invoked("sessions", "show", SESSION, *addressed(("sessions", "show", SESSION), gateway.url))
    assert "/v1/" not in result.output
    [command] = re.findall(r"`vigil ([a-z]+)", result.output)
    assert command in {path[0] for path, _ in every_command()}


def test_what_is_found_needs_no_options(tmp_path: Path, gateway: ScriptedGateway) -> None:
    write(tmp_path / FILE, Endpoints(gateway.url, "nats://127.0.0.1:1", KEY))
    found = ("--data-dir", str(tmp_path))
    assert SESSION in invoked("sessions", "list", *found).output
    assert "Hello." in invoked("sessions", "show", SESSION, *found).output
    assert invoked("sessions", "show", SESSION, "--json", *found).output.lstrip().startswith("{")
    assert "q-1" in invoked("ask", SESSION, "Who?", *found).output
    assert "has ended" in invoked("sessions", "end", SESSION, *found).output


def test_a_key_of_the_command_line_goes_before_the_one_that_is_found(tmp_path: Path, gateway: ScriptedGateway) -> None:
    write(tmp_path / FILE, Endpoints(gateway.url, "nats://127.0.0.1:1", "an-old-key"))
    found = ("--data-dir", str(tmp_path))
    assert invoked("sessions", "list", *found).status == 1
    assert invoked("sessions", "list", "--api-key", KEY, *found).status == 0


def test_nobody_is_there_to_subscribe_to() -> None:
    result = invoked("subscribe", "alerts", "--nats", f"nats://user:secret@127.0.0.1:{free_port()}")
    assert result.status == 1
    assert "cannot be used" in result.output
    assert "secret" not in result.output


def test_a_name_that_cannot_be_in_a_subject() -> None:
    for option in ("--tenant", "--source"):
        result = invoked("subscribe", "alerts", option, "a.b", "--nats", "nats://127.0.0.1:1")
        assert result.status == 1
        assert "'a.b' cannot be in a subject" in result.output


async def test_a_place_that_cannot_be_read_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    result = await vigil("sessions", "list", "--data-dir", str(tmp_path))
    assert result.status == 1
    assert "Is a directory" in result.output
    assert "check path and rights" in result.output
