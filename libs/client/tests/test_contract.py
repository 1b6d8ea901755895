"""The SDK and the command against the contract, `openapi.json`: everything can be set and read, by its name."""

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from vigil_client import approvals, memory, options, tasks, values
from vigil_client.alert_calls import Selection
from vigil_client.api import Client
from vigil_client.events import Decision
from vigil_client.main import command_line
from vigil_client.options import NewSession, NewSource, NewWatch, as_body
from vigil_client.testing.scripted_answers import SESSION
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing

OPENAPI = json.loads((Path(__file__).parents[3] / "services" / "gateway" / "openapi.json").read_text())
SCHEMAS: dict[str, dict[str, Any]] = OPENAPI["components"]["schemas"]
ASKED: dict[type, str] = {
    options.NewSource: "SourceIn",
    options.Cadence: "CadenceGroup",
    options.Window: "WindowGroup",
    options.Speech: "SpeechGroup",
    options.Memory: "MemoryGroup",
    options.Hearing: "HearingGroup",
    options.Voice: "VoiceGroup",
    options.Modules: "ModulesGroup",
    options.NewWatch: "WatchIn",
    options.NewSession: "SessionIn",
    options.Box: "BoxIn",
    options.NewObservation: "ObservationIn",
    approvals.NewPattern: "PatternIn",
}
ANSWERED: dict[type, str] = {
    values.Source: "SourceOut",
    values.Subjects: "SubjectsOut",
    values.Progress: "ProgressOut",
    values.Session: "SessionDetail",
    values.Notice: "NoticeOut",
    values.Instruction: "InstructionOut",
    values.Watch: "WatchOut",
    values.Turn: "TurnOut",
    values.Exchange: "ExchangeOut",
    values.History: "HistoryOut",
    values.AlertRecord: "AlertOut",
    values.AlertDetail: "AlertDetail",
    values.AlertEvent: "AlertEventOut",
    values.AlertPage: "AlertList",
    values.RoleCapacity: "RoleOut",
    values.Health: "HealthOut",
    values.ApiKey: "KeyOut",
    values.AuditEntry: "AuditEntry",
    values.AuditPage: "AuditList",
    values.Accepted: "Accepted",
    Decision: "DecisionOut",
    tasks.Artefact: "ArtefactOut",
    tasks.Task: "TaskOut",
    memory.MemoryFrame: "MemoryFrameOut",
    memory.Block: "BlockOut",
    memory.Unwritten: "UnwrittenOut",
    memory.Tier: "TierOut",
    memory.Tiers: "TiersOut",
    memory.Memory: "MemoryOut",
    memory.Archived: "ArchivedOut",
    memory.ArchivePage: "ArchivePage",
    memory.Recalled: "RecalledOut",
    memory.Recall: "RecallOut",
    approvals.Approval: "ApprovalOut",
    approvals.Pattern: "PatternOut",
}
# What the command calls something else, and what it sets with one option for two.
COMMAND_NAMES = {
    "watches.text": "--alert",
    "watches.name": "--name",
    "memory.is_on": "--memory",
    "hearing.is_on": "--hearing",
    "hearing.from_source": "--hear-source",
    "hearing.language": "--hearing-language",
    "voice.is_on": "--voice",
    "voice.name": "--voice-name",
    "voice.speed": "--voice-speed",
    "voice.language": "--voice-language",
    "modules.is_on": "--modules",
    "modules.names": "--module",
    "instructions": "--instruction",
    "source.id": "--camera",
    "source.name": "--camera",
    "source.url": "SOURCE",
}


def properties(schema: str) -> dict[str, dict[str, Any]]:
    """The properties of one of the contract's objects."""
    found: dict[str, dict[str, Any]] = SCHEMAS[schema]["properties"]
    return found


def default_of(option: Any) -> object:
    return option.default if option.default_factory is MISSING else option.default_factory()


@pytest.mark.parametrize(("kind", "schema"), [*ASKED.items(), *ANSWERED.items()])
def test_a_value_has_the_names_of_the_contract(kind: Any, schema: str) -> None:
    assert {field.name for field in fields(kind)} == set(properties(schema))


@pytest.mark.parametrize(("kind", "schema"), ASKED.items())
def test_what_can_be_asked_has_the_defaults_of_the_contract(kind: Any, schema: str) -> None:
    for option in fields(kind):
        told = properties(schema)[option.name]
        required = option.name in SCHEMAS[schema].get("required", ())
        assert required == (default_of(option) is MISSING), option.name
        if required:
            continue
        default = default_of(option)
        if type(default) in ASKED:
            given = {field.name: getattr(default, field.name) for field in fields(default)}  # type: ignore[arg-type]
            assert json.loads(json.dumps(given)) == told["default"]
        else:
            assert default == (tuple(told["default"]) if isinstance(told.get("default"), list) else told.get("default"))


@pytest.mark.parametrize(
    ("choices", "schema"),
    [
        (options.SEVERITIES, "Severity"),
        (options.RESPONSE_MODES, "ResponseMode"),
        (options.DUPLICATE_GUARDS, "DuplicateGuard"),
        (options.TURN_TAKINGS, "TurnTaking"),
        (approvals.STATES, "ApprovalState"),
    ],
)
def test_choices_are_those_of_the_contract(choices: tuple[str, ...], schema: str) -> None:
    assert set(choices) == set(SCHEMAS[schema]["enum"])


def leaves(schema: str) -> Iterator[tuple[str, str]]:
    """(path, name) of every option of a request, with those of its groups and of its lists' items."""
    for name, told in properties(schema).items():
        parts = (told, told.get("items", {}), *told.get("allOf", ()))
        inner = [part["$ref"].rpartition("/")[2] for part in parts if "$ref" in part]
        if inner and "properties" in SCHEMAS[inner[0]]:
            yield from ((f"{name}.{path}", leaf) for path, leaf in leaves(inner[0]))
        else:
            yield name, name


def test_a_change_can_set_every_option_that_may_change() -> None:
    keywords = set(inspect.signature(Client.change_session).parameters) - {"self", "session_id"}
    options_of_change = {option_of(path, name) for path, name in leaves("SessionPatch")}
    assert keywords == {option.removeprefix("--").replace("-", "_") for option in options_of_change}


def command(*path: str) -> TyperCommand:
    """A command of `vigil`, by its name."""
    found: Any = typer.main.get_command(command_line())
    for name in path:
        assert isinstance(found, TyperGroup)
        found = found.commands[name]
    assert isinstance(found, TyperCommand)
    return found


def names_of(found: TyperCommand) -> set[str]:
    """What a person types: long options, and arguments in capitals."""
    return {
        parameter.opts[0] if isinstance(parameter, TyperOption) else (parameter.name or "").upper()
        for parameter in found.params
    }


def option_of(path: str, name: str) -> str:
    """The command's option for one of the contract's: its name without the unit of seconds."""
    return COMMAND_NAMES.get(path, f"--{name.removesuffix('_s').replace('_', '-')}")


NOT_OF_WATCH = {"source.kind"}  # the command watches what Vigil pulls
OWN = {"--gateway", "--api-key", "--ca-file", "--data-dir"}


def test_the_watch_command_can_set_every_option_of_a_session() -> None:
    wanted = {option_of(path, name) for path, name in leaves("SessionIn") if path not in NOT_OF_WATCH}
    assert names_of(command("watch")) == wanted | OWN | {
        "--webrtc",
        "--detach",
        "--duration",
        "--until-closed",
        "--svg",
    }


def test_the_change_command_can_set_every_option_that_may_change() -> None:
    wanted = {option_of(path, name) for path, name in leaves("SessionPatch")}
    assert names_of(command("sessions", "change")) == wanted | OWN | {"SESSION"}


def defaults_of(found: TyperCommand) -> dict[str, object]:
    return {parameter.opts[0]: parameter.default for parameter in found.params if isinstance(parameter, TyperOption)}


def test_the_watch_command_has_the_defaults_of_the_contract() -> None:
    shown = defaults_of(command("watch"))
    for kind in (options.Cadence, options.Window, options.Speech):
        for option in fields(kind):
            assert shown[option_of("", option.name)] == option.default
    assert (shown["--modules"], shown["--module"]) == (options.Modules().is_on, None)
    for group, named in (("memory", options.Memory), ("hearing", options.Hearing), ("voice", options.Voice)):
        for option in fields(named):
            assert shown[option_of(f"{group}.{option.name}", option.name)] == option.default
    for option in fields(options.NewWatch):
        if option.name not in ("text", "name"):
            assert shown[option_of("", option.name)] == option.default


@pytest.mark.parametrize(
    "path",
    [
        ("watch",),
        ("sessions", "change"),
        ("sessions", "show"),
        ("ask",),
        ("subscribe",),
        ("listen",),
        ("tasks",),
        ("memory",),
        ("approve",),
        ("observe",),
    ],
)
def test_every_option_says_what_it_does(path: tuple[str, ...]) -> None:
    for parameter in command(*path).params:
        assert getattr(parameter, "help", ""), f"{' '.join(path)} {parameter.opts} has no help"


def test_the_observe_command_can_say_everything_of_an_observation() -> None:
    wanted = {option_of(path, name) for path, name in leaves("ObservationIn") if path not in ("text", "ttl_ms")}
    box = {option_of("", name) for name in properties("BoxIn")}
    assert names_of(command("observe")) == (wanted - box) | OWN | {"SESSION", "TEXT", "--ttl", "--box"}


def test_a_body_leaves_out_what_is_the_gateways_default() -> None:
    assert as_body(NewSession(NewSource("rtsp://camera"))) == {"source": {"url": "rtsp://camera"}}
    assert as_body(options.Window(chunk_turns=5)) == {"chunk_turns": 5}, "the gateway takes a tail that fits"
    whole = NewSession(
        NewSource("rtsp://camera", "lobby", "Lobby", loop=True),
        (NewWatch("Fire?", "fire", "critical", 1, 2, 3, 4), NewWatch("Smoke?", update_interval_s=1)),
        ("Greet.",),
        profile="joyai",
        model="large",
        cadence=options.Cadence(500, 2),
        window=options.Window(tail_turns=4),
        speech=options.Speech("reserved", "near", 0.5),
        memory=options.Memory(mid_blocks=3, time_zone="Asia/Tokyo"),
        hearing=options.Hearing(is_on=True, turn_taking="push"),
        voice=options.Voice(speed=1.5),
        infer_when_idle=False,
        brain="big",
    )
    fire = {"text": "Fire?", "name": "fire", "severity": "critical", "hold_s": 1, "cooldown_s": 2}
    assert as_body(whole) == {
        "source": {"url": "rtsp://camera", "id": "lobby", "name": "Lobby", "loop": True},
        "watches": [
            fire | {"update_interval_s": 3, "confirm_s": 4},
            {"text": "Smoke?", "update_interval_s": 1},
        ],
        "instructions": ["Greet."],
        "profile": "joyai",
        "model": "large",
        "cadence": {"interval_ms": 500, "frames_per_turn": 2},
        "window": {"tail_turns": 4},
        "speech": {"response_mode": "reserved", "duplicate_guard": "near", "text_temperature": 0.5},
        "memory": {"mid_blocks": 3, "time_zone": "Asia/Tokyo"},
        "hearing": {"is_on": True, "turn_taking": "push"},
        "voice": {"speed": 1.5},
        "infer_when_idle": False,
        "brain": "big",
    }


async def call_everything(client: Client) -> None:
    """Every call of the SDK but the streams of events, once."""
    await client.create_session(NewSession(NewSource("rtsp://camera")))
    await client.sessions()
    await client.session(SESSION)
    await client.change_session(SESSION, infer_when_idle=False)
    await client.reset_session(SESSION)
    await client.ask(SESSION, "Who?")
    await client.observe(SESSION, options.NewObservation("zones", "zone", "Somebody is in the bay."))
    await client.instructions(SESSION)
    await client.instruct(SESSION, "Greet.")
    await client.replace_instruction(SESSION, "i-1", "Wave.")
    await client.clear_instruction(SESSION, "i-1")
    await client.watches(SESSION)
    await client.watch(SESSION, NewWatch("Fire?"))
    await client.replace_watch(SESSION, "w-1", NewWatch("Smoke?"))
    await client.clear_watch(SESSION, "w-1")
    await client.history(SESSION, limit=10)
    await client.turns(SESSION)
    await client.frame(SESSION)
    await client.prompt(SESSION, 3)
    await client.alerts()
    await client.alerts.show("a-1")
    await client.alerts.acknowledge("a-1")
    await client.alerts.mute("a-1")
    async for _ in client.alerts.export():
        pass
    await client.snapshot("a-1")
    await client.tasks(SESSION)
    await client.tasks.show(SESSION, "t-1")
    await client.tasks.cancel(SESSION, "t-1")
    await client.tasks.artefact(SESSION, "t-1", 0)
    await client.memory(SESSION)
    await client.memory.archive(SESSION)
    await client.memory.frame(SESSION, "m-1")
    await client.memory.recall(SESSION, "Who came?")
    await client.approvals()
    await client.approvals.grant("p-1")
    await client.approvals.refuse("p-1")
    await client.approvals.patterns()
    await client.approvals.remove_pattern("p-0")
    await client.health()
    await client.voices()
    await client.transcripts(SESSION)
    await client.say(SESSION, "Leave the building.")
    await client.key()
    await client.keys()
    await client.audit()
    await client.end_session(SESSION)


def test_alerts_can_be_selected_by_everything_that_the_contract_knows() -> None:
    told = {parameter["name"] for parameter in OPENAPI["paths"]["/v1/alerts/export"]["get"]["parameters"]}
    selected = {"open" if name == "is_open" else name for name in Selection.__annotations__}
    assert selected == told - {"format"}
    listed = {parameter["name"] for parameter in OPENAPI["paths"]["/v1/alerts"]["get"]["parameters"]}
    assert selected == listed - {"limit", "before"}


def template(path: str) -> str:
    """A path as the contract writes it."""
    path = path.replace(SESSION, "{session}").replace("a-1", "{alert_id}").replace("p-1", "{approval}")
    path = path.replace("t-1", "{task}").replace("/artefacts/0", "/artefacts/{index}").replace("p-0", "{pattern}")
    path = path.replace("/memory/frames/m-1", "/memory/frames/{frame}")
    path = path.replace("/turns/newest/frames/0", "/turns/{turn}/frames/{index}").replace(
        "/turns/3/", "/turns/{sequence}/"
    )
    return re.sub(r"i-1$", "{instruction_id}", re.sub(r"w-1$", "{watch_id}", path))


async def test_every_operation_of_the_contract_has_a_call() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        await call_everything(client)
    called = {(method.lower(), template(path)) for method, path, _ in gateway.requests}
    told = {
        (method, path)
        for path, operations in OPENAPI["paths"].items()
        for method, operation in operations.items()
        # logins are for pages, and WHIP has clients of its own
        if not {"OpenAI-compatible", "login", "WHIP"} & set(operation["tags"])
    }
    streams = {("get", path) for path in ("/v1/sessions/{session}/events", "/v1/wall")}
    of_pages = {("get", path) for path in ("/v1/sessions/{session}/preview", "/v1/console")}
    assert called == told - streams - of_pages
