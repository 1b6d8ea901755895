"""Every option of a session and of a watch has one default and one pair of bounds: those of the core."""

import math
from dataclasses import asdict, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from vigil.core import instruction, memory, voice
from vigil.core import session as core
from vigil.core.bounds import Bounds
from vigil.core.errors import InvalidSpec
from vigil.core.hearing import Hearing, TurnTaking
from vigil.core.instruction import Watch
from vigil.core.memory import MemoryLimits
from vigil.core.modules import Modules
from vigil.core.session import Cadence, SessionSpec, Speech, Window
from vigil.core.source import Role
from vigil.core.voice import Voice
from vigil.runtime.process.config import load
from vigil_gateway.api.models.options import (
    CadenceChange,
    CadenceGroup,
    HearingChange,
    HearingGroup,
    MemoryGroup,
    ModulesChange,
    ModulesGroup,
    SpeechChange,
    SpeechGroup,
    VoiceChange,
    VoiceGroup,
    WindowGroup,
)
from vigil_gateway.api.models.sessions import SessionIn, SessionPatch
from vigil_gateway.api.models.standing import WatchIn, WatchOut
from vigil_gateway.config import GatewaySettings
from vigil_gateway.http.app import routes
from vigil_gateway.sessions.spec import changed_spec, new_spec, watch_of
from vigil_gateway.sessions.views import session_out

Json = dict[str, Any]

GROUPS: list[tuple[type[BaseModel], object]] = [
    (CadenceGroup, Cadence()),
    (WindowGroup, Window()),
    (SpeechGroup, Speech()),
    (MemoryGroup, MemoryLimits()),
    (HearingGroup, Hearing()),
    (VoiceGroup, Voice()),
    (ModulesGroup, Modules()),
]
CHANGES: list[tuple[type[BaseModel], type[BaseModel]]] = [
    (CadenceChange, CadenceGroup),
    (SpeechChange, SpeechGroup),
    (HearingChange, HearingGroup),
    (VoiceChange, VoiceGroup),
    (ModulesChange, ModulesGroup),
]
FIXED = {"from_source"}  # an option of a group that holds for the life of the session
# Every numeric option: its model, its name, the core's bounds, and how the core is given it.
NUMBERS: list[tuple[type[BaseModel], str, Bounds]] = [
    (CadenceGroup, "interval_ms", core.INTERVAL_MS),
    (CadenceGroup, "frames_per_turn", core.FRAMES_PER_TURN),
    (CadenceChange, "interval_ms", core.INTERVAL_MS),
    (CadenceChange, "frames_per_turn", core.FRAMES_PER_TURN),
    (WindowGroup, "chunk_turns", core.CHUNK_TURNS),
    (WindowGroup, "tail_turns", core.TAIL_TURNS),
    (SpeechGroup, "text_temperature", core.TEXT_TEMPERATURE),
    (SpeechChange, "text_temperature", core.TEXT_TEMPERATURE),
    (MemoryGroup, "mid_blocks", memory.MID_BLOCKS),
    (MemoryGroup, "long_blocks", memory.LONG_BLOCKS),
    (MemoryGroup, "block_tokens", memory.BLOCK_TOKENS),
    (MemoryGroup, "long_tokens", memory.LONG_TOKENS),
    (MemoryGroup, "key_frames", memory.KEY_FRAMES),
    (VoiceGroup, "speed", voice.SPEED),
    (VoiceChange, "speed", voice.SPEED),
    (WatchIn, "hold_s", instruction.HOLD_S),
    (WatchIn, "cooldown_s", instruction.COOLDOWN_S),
    (WatchIn, "update_interval_s", instruction.UPDATE_INTERVAL_S),
    (WatchIn, "confirm_s", instruction.CONFIRM_S),
]
CORE = {
    CadenceGroup: Cadence,
    WindowGroup: Window,
    SpeechGroup: Speech,
    MemoryGroup: MemoryLimits,
    VoiceGroup: Voice,
}


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> GatewaySettings:
    """Settings of a gateway that is never started."""
    return load(GatewaySettings, {"api_keys_file": tmp_path_factory.mktemp("keys") / "keys.json"})


def new(settings: GatewaySettings, body: Json) -> SessionSpec:
    """The spec that a request's body asks for."""
    return new_spec(settings, "demo", SessionIn.model_validate({"source": {"url": "rtsp://camera/1"}} | body))


@pytest.mark.parametrize(("model", "group"), GROUPS)
def test_a_group_has_the_fields_and_defaults_of_the_cores(model: type[BaseModel], group: Any) -> None:
    assert model().model_dump() == asdict(group)


@pytest.mark.parametrize(("change", "group"), CHANGES)
def test_a_change_may_leave_every_field_of_its_group_out(change: type[BaseModel], group: type[BaseModel]) -> None:
    assert set(change.model_fields) == set(group.model_fields) - FIXED
    assert change().model_dump(exclude_none=True) == {}


def test_a_watch_has_the_fields_and_defaults_of_the_cores() -> None:
    given = WatchIn(text="Fire?", name="fire").model_dump()
    assert given == {"text": "Fire?", "brain": "", **asdict(Watch("fire"))}
    assert set(WatchOut.model_fields) == {*given, "id", "pending", "given_at"}


def test_a_session_has_the_groups_of_the_cores() -> None:
    own = {"tenant", "session", "created_us"}
    given = {"watches", "instructions"}
    assert set(SessionIn.model_fields) - given == {field.name for field in fields(SessionSpec)} - own
    fixed = {"source", "profile", "model", "window", "memory"}
    assert set(SessionPatch.model_fields) == set(SessionIn.model_fields) - given - fixed


def numeric_options() -> set[tuple[str, str]]:
    """(model, option) of every number in a request of the API, in the groups that hold options."""
    schemas = routes().openapi()["components"]["schemas"]
    return {
        (name, option)
        for name, schema in schemas.items()
        if name.endswith(("Group", "Change")) or name == "WatchIn"
        for option, value in schema["properties"].items()
        if {"integer", "number"} & {part.get("type") for part in (value, *value.get("anyOf", ()))}
    }


def test_no_numeric_option_is_left_out_here() -> None:
    assert numeric_options() == {(model.__name__, option) for model, option, _ in NUMBERS}


def faults(model: type[BaseModel], option: str, value: float) -> list[object]:
    """The fields that HTTP names when it refuses the value; empty when a request may have it."""
    text = {"text": "Fire?"} if model is WatchIn else {}
    try:
        model.model_validate({option: value, **text})
    except ValidationError as error:
        return [part for fault in error.errors() for part in fault["loc"]]
    return []


@pytest.mark.parametrize(("model", "option", "bounds"), NUMBERS)
def test_the_bounds_over_http_are_those_of_the_core(model: type[BaseModel], option: str, bounds: Bounds) -> None:
    step = 1e-9 if option.endswith(("_s", "temperature", "speed")) else 1
    for value in (bounds.low - step, bounds.low, bounds.low + step, bounds.high, bounds.high + step * 1e6):
        assert faults(model, option, value) == ([] if bounds.allows(value) else [option]), value
    for value in (math.nan, math.inf, -math.inf):
        assert faults(model, option, value)[0] == option


def core_fault(model: type[BaseModel], option: str, value: float) -> str:
    """What the core says against the value, beside others that suit it; empty when it takes it."""
    try:
        if model is WatchIn:
            Watch("fire", **{option: value})  # type: ignore[arg-type]
        elif option == "tail_turns":
            Window(core.CHUNK_TURNS.high, value)  # type: ignore[arg-type]
        elif option == "long_tokens":
            MemoryLimits(block_tokens=memory.BLOCK_TOKENS.low, long_tokens=value)  # type: ignore[arg-type]
        elif option == "block_tokens":
            MemoryLimits(block_tokens=value, long_tokens=memory.LONG_TOKENS.high)  # type: ignore[arg-type]
        elif option == "chunk_turns":
            Window(value, 0)  # type: ignore[arg-type]
        else:
            CORE[model](**{option: value})
    except InvalidSpec as error:
        return str(error)
    return ""


@given(choice=st.sampled_from([row for row in NUMBERS if row[0] in CORE or row[0] is WatchIn]), data=st.data())
def test_what_http_accepts_the_core_accepts_and_the_other_way_round(
    choice: tuple[type[BaseModel], str, Bounds], data: st.DataObject
) -> None:
    model, option, bounds = choice
    whole = model.model_fields[option].annotation is int
    near = st.integers(int(bounds.low) - 2, int(bounds.high) + 2)
    value = data.draw(near if whole else st.floats(bounds.low - 1, bounds.high + 1))
    refusal = core_fault(model, option, value)
    assert faults(model, option, value) == ([option] if refusal else [])
    assert option in refusal or not refusal


@given(
    chunk_turns=st.integers(2, 250),
    tail_turns=st.integers(0, 249),
    frames_per_turn=st.integers(1, 8),
    interval_ms=st.integers(200, 60_000),
    text_temperature=st.floats(0, 2),
)
def test_options_that_do_not_go_together_are_named(
    defaults: GatewaySettings,
    chunk_turns: int,
    tail_turns: int,
    frames_per_turn: int,
    interval_ms: int,
    text_temperature: float,
) -> None:
    body = {
        "cadence": {"interval_ms": interval_ms, "frames_per_turn": frames_per_turn},
        "window": {"chunk_turns": chunk_turns, "tail_turns": tail_turns},
        "speech": {"text_temperature": text_temperature},
    }
    if tail_turns >= chunk_turns or chunk_turns * frames_per_turn > core.MAX_PICTURES:
        with pytest.raises(InvalidSpec, match=r"window\.(tail|chunk)_turns"):
            new(defaults, body)
        return
    shown = session_out(new(defaults, body), None, ()).model_dump(mode="json")
    assert {name: shown[name] for name in ("cadence", "window")} == {name: body[name] for name in ("cadence", "window")}
    assert shown["speech"]["text_temperature"] == text_temperature


@given(st.integers(2, 250))
def test_a_tail_that_is_left_out_goes_with_its_chunk(defaults: GatewaySettings, chunk_turns: int) -> None:
    spec = new(defaults, {"window": {"chunk_turns": chunk_turns}})
    assert spec.window == Window(chunk_turns, min(9, chunk_turns - 1))
    with pytest.raises(InvalidSpec, match=r"window\.tail_turns"):
        new(defaults, {"window": {"chunk_turns": min(chunk_turns, 249), "tail_turns": min(chunk_turns, 249)}})


SAID = {"is_on": True, "turn_taking": "wake", "wake_phrase": "hey vigil", "language": "pt-BR"}


def test_a_session_is_made_to_hear_and_to_speak(defaults: GatewaySettings) -> None:
    spec = new(
        defaults, {"hearing": SAID | {"from_source": True}, "voice": {"is_on": True, "name": "anna", "speed": 1.5}}
    )
    assert spec.hearing == Hearing(True, True, TurnTaking.WAKE, "hey vigil", "pt-BR")
    assert spec.voice == Voice(True, "anna", 1.5)
    assert spec.roles == (Role.INGESTION, Role.CODEC, Role.INTERACTION, Role.ASR, Role.TTS)
    shown = session_out(spec, None, ()).model_dump(mode="json")
    assert shown["hearing"] == SAID | {"from_source": True}
    assert shown["voice"] == {"is_on": True, "name": "anna", "speed": 1.5, "language": ""}
    assert (shown["subjects"]["transcripts"], shown["subjects"]["speech"]) == (
        f"vigil.v1.transcript.final.demo.{spec.session}",
        f"vigil.v1.speech.*.demo.{spec.session}",
    )


@pytest.mark.parametrize(
    "hearing",
    [
        {"from_source": True},
        {"is_on": True, "turn_taking": "wake"},
        {"is_on": True, "wake_phrase": "hey vigil"},
        {"is_on": True, "wake_phrase": "hey\nvigil", "turn_taking": "wake"},
    ],
)
def test_hearing_that_does_not_go_together_is_refused(defaults: GatewaySettings, hearing: Json) -> None:
    with pytest.raises(InvalidSpec, match=r"hearing\."):
        new(defaults, {"hearing": hearing})


def test_a_session_hears_the_modules_that_it_names(defaults: GatewaySettings) -> None:
    assert new(defaults, {}).modules == Modules()
    spec = new(defaults, {"modules": {"names": ["faces", "zones"]}})
    assert spec.modules == Modules(True, ("faces", "zones"))
    assert session_out(spec, None, ()).model_dump(mode="json")["modules"] == {
        "is_on": True,
        "names": ["faces", "zones"],
    }
    off = changed_spec(spec, SessionPatch.model_validate({"modules": {"is_on": False}}))
    assert off.modules == Modules(False, ("faces", "zones"))
    everyone = changed_spec(off, SessionPatch.model_validate({"modules": {"is_on": True, "names": []}}))
    assert everyone.modules == Modules()


@pytest.mark.parametrize("names", [["two words"], ["*"], [""], ["m"] * 17, "faces"])
def test_what_is_no_list_of_modules_is_refused(names: object) -> None:
    assert faults(ModulesGroup, "names", names)[0] == "names"  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["english language", "e", "en_US", "en\n"])
def test_what_is_no_language_is_refused_by_both(language: str) -> None:
    assert faults(HearingGroup, "language", language) == ["language"]  # type: ignore[arg-type]
    with pytest.raises(InvalidSpec, match=r"hearing\.language"):
        Hearing(language=language)
    with pytest.raises(InvalidSpec, match=r"voice\.language"):
        Voice(language=language)


def test_a_change_keeps_what_it_leaves_out(defaults: GatewaySettings) -> None:
    before = new(defaults, {"cadence": {"interval_ms": 500, "frames_per_turn": 2}, "speech": {"text_temperature": 1}})
    assert changed_spec(before, SessionPatch()) == before
    after = changed_spec(
        before,
        SessionPatch.model_validate({"cadence": {"interval_ms": 700}, "speech": {"response_mode": "talkative"}}),
    )
    assert after.cadence == Cadence(700, 2)
    assert (after.speech.response_mode, after.speech.text_temperature) == (core.ResponseMode.TALKATIVE, 1)
    assert after.infer_when_idle


def test_hearing_and_voice_change_with_what_goes_with_them(defaults: GatewaySettings) -> None:
    wake = {"is_on": True, "from_source": True, "turn_taking": "wake", "wake_phrase": "hey vigil", "language": "en"}
    before = new(defaults, {"hearing": wake, "voice": {"is_on": True, "name": "heart"}})
    opened = changed_spec(before, SessionPatch.model_validate({"hearing": {"turn_taking": "open"}}))
    assert opened.hearing == Hearing(is_on=True, from_source=True, language="en")
    off = changed_spec(opened, SessionPatch.model_validate({"hearing": {"is_on": False}, "voice": {"speed": 2}}))
    assert (off.hearing, off.voice) == (Hearing(language="en"), Voice(is_on=True, name="heart", speed=2))
    assert (Role.ASR in off.roles, Role.TTS in off.roles) == (False, True)
    on = changed_spec(off, SessionPatch.model_validate({"hearing": {"is_on": True}, "voice": {"is_on": False}}))
    assert (on.hearing.hears_source, Role.ASR in on.roles, Role.TTS in on.roles) == (False, True, False)
    with pytest.raises(InvalidSpec, match=r"hearing\.wake_phrase"):
        changed_spec(before, SessionPatch.model_validate({"hearing": {"wake_phrase": ""}}))


def test_a_change_that_makes_the_prompt_too_large_is_refused(defaults: GatewaySettings) -> None:
    change = SessionPatch.model_validate({"cadence": {"frames_per_turn": 3}})
    with pytest.raises(InvalidSpec, match=r"window.chunk_turns 100 times cadence.frames_per_turn 3 is 300 pictures"):
        changed_spec(new(defaults, {}), change)


def test_a_watch_is_made_of_what_the_request_has() -> None:
    body = {"text": "Fire?", "name": "fire", "severity": "critical", "hold_s": 1, "update_interval_s": 2}
    made = watch_of("w-1", WatchIn.model_validate(body))
    assert (made.id, made.text) == ("w-1", "Fire?")
    assert made.watch == Watch("fire", instruction.Severity.CRITICAL, hold_s=1, update_interval_s=2)
