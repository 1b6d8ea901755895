"""The SDK against a real gateway process: what is asked arrives, what is answered is read, and what fails says why."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from gateway_stage import KEYS, Stage, gateway_stage, second_gateway

from vigil.contract import subjects
from vigil.contract.decision import decision_outgoing
from vigil.contract.events.alerts import alert_outgoing
from vigil.contract.events.envelope import Emission
from vigil.contract.events.observations import read_observation
from vigil.contract.events.utterances import utterance_outgoing
from vigil.contract.snapshots import snapshot_name
from vigil.core.alert import Moment, advance
from vigil.core.command import Ask, Instruct, Reset
from vigil.core.control import Action, Output
from vigil.core.decide import Completion, Decision
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.observation import Box, Observation
from vigil.core.probability import Probabilities
from vigil.core.session import Chunk, SessionState
from vigil.core.source import Role
from vigil.core.turn import Exchange, Turn
from vigil.runtime.store.sessions import Commit
from vigil.testing.alert_events import alert_event
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer
from vigil.v1.ingestion_pb2 import ProbeSourceResponse, SourceFault
from vigil_client import errors, options, values
from vigil_client.alerts import alert_subject, alerts
from vigil_client.api import Client
from vigil_client.cloudevents import Alert, Utterance
from vigil_client.endpoints import find
from vigil_client.events import Connection, Event, Lifecycle, RoleStatus
from vigil_client.events import Decision as Decided
from vigil_client.modules.observation import Noticed
from vigil_client.options import NewSession, NewSource, NewWatch

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

CAMERA = NewSession(NewSource("rtsp://user:secret@camera.local/1", "lobby", "Lobby"))
WHOLE = replace(
    CAMERA,
    watches=(NewWatch("Alert me when a fire starts.", "fire", "critical", 1.0, 2.0, 3.0, 4.0), NewWatch("Smoke?")),
    instructions=("Greet everyone.",),
    cadence=options.Cadence(500, 2),
    window=options.Window(50, 4),
    speech=options.Speech("reserved", "near", 0.5),
    infer_when_idle=False,
)
EMISSION = Emission(1_700_000_000_000_000, 1_700_000_000_250_000)
E = TypeVar("E")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The gateway, started once."""
    async with gateway_stage(tmp_path_factory.mktemp("gateway")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def client(stage: Stage) -> AsyncIterator[Client]:
    """The SDK with the demo tenant's key."""
    async with stage.client() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def session(client: Client) -> str:
    """The id of an open session without options."""
    return (await client.create_session(CAMERA)).id


async def test_a_session_is_as_it_was_asked_for(stage: Stage, client: Client) -> None:
    made = await client.create_session(WHOLE)
    assert made.source == values.Source("lobby", "rtsp", "rtsp://***@camera.local/1", "Lobby", loop=False)
    assert (made.cadence, made.window, made.speech) == (WHOLE.cadence, WHOLE.window, WHOLE.speech)
    assert (made.infer_when_idle, made.state, made.profile, made.model) == (False, "open", "vigil-small", "vigil-small")
    assert made.subjects.alerts == "vigil.v1.alert.demo.lobby.*"
    assert abs((made.created_at - datetime.now(UTC)).total_seconds()) < 60
    assert made in await client.sessions()
    shown = await client.session(made.id)
    assert shown.progress == values.Progress(0, None, 0, 0, 0)
    assert replace(shown, progress=None) == made
    assert stage.ingestion.probed[-1] == WHOLE.source.url, "the workers get the credentials"


async def test_a_client_may_push_the_pictures(stage: Stage, client: Client) -> None:
    made = await client.create_session(NewSession(NewSource(kind="pushed", name="Door")))
    assert made.source == values.Source(made.id, "pushed", "", "Door", loop=False)
    assert (await stage.store.spec(SessionKey("demo", made.id))).roles == (Role.CODEC, Role.INTERACTION)


async def test_defaults_are_those_of_the_gateway(client: Client, session: str) -> None:
    shown = await client.session(session)
    assert (shown.cadence, shown.window, shown.speech) == (CAMERA.cadence, CAMERA.window, CAMERA.speech)
    assert shown.infer_when_idle


async def test_a_session_is_changed_and_ended(client: Client, session: str) -> None:
    changed = await client.change_session(
        session,
        interval_ms=2_000,
        frames_per_turn=2,
        response_mode="talkative",
        duplicate_guard="off",
        text_temperature=1.5,
        infer_when_idle=False,
    )
    assert (changed.cadence, changed.speech) == (options.Cadence(2_000, 2), options.Speech("talkative", "off", 1.5))
    assert not changed.infer_when_idle
    again = await client.change_session(session, interval_ms=700)
    assert (again.cadence, again.speech) == (options.Cadence(700, 2), changed.speech)
    await client.end_session(session)
    await client.end_session(session)
    shown = await client.session(session)
    assert (shown.state, shown.ended_reason) == ("ended", "the client ended it")


async def test_watches_are_added_replaced_and_cleared(client: Client) -> None:
    session = (await client.create_session(WHOLE)).id
    fire, smoke = await client.watches(session)
    assert fire == values.Watch(
        fire.id, "Alert me when a fire starts.", True, None, "fire", "critical", 1.0, 2.0, 3.0, 4.0
    )
    assert (smoke.name, smoke.severity, smoke.update_interval_s) == ("smoke", "warning", 10.0)
    added = await client.watch(session, NewWatch("Flood?", update_interval_s=7.5))
    await client.replace_watch(session, fire.id, NewWatch("Alert me when a fire starts.", severity="info"))
    await client.clear_watch(session, smoke.id)
    found = {watch.id: watch for watch in await client.watches(session)}
    assert set(found) == {added, fire.id}
    assert found[added].update_interval_s == 7.5
    assert (found[fire.id].severity, found[fire.id].hold_s) == ("info", 5.0)


async def test_instructions_are_added_replaced_and_cleared(stage: Stage, client: Client, session: str) -> None:
    wave, greet = await client.instruct(session, "Wave."), await client.instruct(session, "Greet.")
    await client.replace_instruction(session, wave, "Bow.")
    await client.clear_instruction(session, greet)
    assert await client.instructions(session) == (values.Instruction(wave, "Bow.", True, None),)
    shown = Instruction(wave, "Bow.", given_at=3)
    waiting = len(await stage.store.commands(SessionKey("demo", session)))
    state = SessionState(next_sequence=4, last_time_ms=3_000, instructions=(shown,))
    await stage.commit(session, Commit(state, consumed=waiting))
    assert await client.instructions(session) == (values.Instruction(wave, "Bow.", False, 3),)


async def test_what_is_said_to_a_session_waits_for_its_next_turn(stage: Stage, client: Client, session: str) -> None:
    query = await client.ask(session, "Who is there?")
    await client.reset_session(session)
    assert await stage.store.commands(SessionKey("demo", session)) == (Ask(query, "Who is there?"), Reset())
    whole = await client.create_session(WHOLE)
    commands = await stage.store.commands(SessionKey("demo", whole.id))
    told = [command.instruction for command in commands if isinstance(command, Instruct)]
    assert told[0].watch == Watch("fire", Severity.CRITICAL, 1.0, 2.0, 3.0, 4.0)
    assert [instruction.text for instruction in told[1:]] == ["Smoke?", "Greet everyone."]


async def test_what_a_module_noticed_arrives_whole(stage: Stage, client: Client, session: str) -> None:
    key, box = SessionKey("demo", session), options.Box(1, 2, 3, 4)
    seen = options.NewObservation("zones", "zone", "Somebody.", "2026-01-01T00:00:00Z", 0.5, 5_000, box)
    async with stage.bus.subscribe(subjects.observations_of(key), capacity=1) as messages, asyncio.timeout(DEADLINE_S):
        observation = await client.observe(session, seen)
        message = await anext(messages)
    at_us = 1_767_225_600_000_000
    told = Observation("zones", "zone", "Somebody.", at_us, observation, 0.5, 5_000, Box(1, 2, 3, 4))
    assert read_observation(message.subject, message.payload) == (key, told)


async def test_history_has_turns_and_dialogue(stage: Stage, client: Client, session: str) -> None:
    turns = (
        Turn(0, 0, (), "</silence>"),
        Turn(1, 1_500, (), "</response> Let me look. </delegation> Who is it?", queries=("Who is there?",)),
    )
    dialogue = (Exchange("Who is there?", 1_500),)
    for number, turn in enumerate(turns):
        state = SessionState(number + 1, turn.time_ms, Chunk(turns=turns[: number + 1]), dialogue=dialogue)
        await stage.commit(session, Commit(state, turn))
    delegated = values.Turn(1, 1.5, "delegate", "Let me look.", "Who is it?", turns[1].reply, ("Who is there?",))
    history = await client.history(session)
    assert history.turns == (values.Turn(0, 0.0, "silent", "", "", "</silence>", ()), delegated)
    assert history.dialogue == (values.Exchange("Who is there?", 1.5, "open", "", None, "", ""),)
    assert (await client.history(session, limit=1)).turns == (delegated,)
    assert (await client.session(session)).progress == values.Progress(2, 1.5, 2, 0, 0)


async def test_events_are_read_as_they_happen(stage: Stage, client: Client, session: str) -> None:
    spec = await stage.store.spec(SessionKey("demo", session))
    completion = Completion("", {}, prompt_tokens=90, cached_tokens=80, request_bytes=2_000, engine_ms=70.0)
    p, output = Probabilities(0.1, 0.88, 0.02), Output(Action.SPEAK, "Fire!")
    decision = Decision(4, 4_000, EMISSION.capture_time_us, output, p, completion, 0, 1.0)
    watch = Instruction("w-1", "Alert me when a fire starts.", Watch("fire", Severity.CRITICAL))
    _, (opened,) = advance((), (watch,), Moment(session, 4, 4_000, EMISSION.capture_time_us), {watch.id: "Fire!"})
    spoken = utterance_outgoing(spec, decision, EMISSION)
    assert spoken is not None
    async with aclosing(client.events(session)) as events:
        assert await anext(events) == Connection(connected=True)
        assert await anext(events) == RoleStatus("")
        await stage.bus.publish_stored(decision_outgoing(spec, decision, emit_time_us=EMISSION.emit_time_us))
        decided = await of(events, Decided)
        await stage.bus.publish_stored(spoken)
        said = await of(events, Utterance)
        await stage.bus.publish_stored(alert_outgoing(spec, opened, 0.88, EMISSION))
        raised = await of(events, Alert)
        await stage.store.set_status(spec.key, Role.INGESTION, '{"state": "reconnecting", "detail": "it is away"}')
        assert (await of(events, RoleStatus)).text == "ingestion reconnecting: it is away"
        await client.end_session(session)
        assert await of(events, Lifecycle) == Lifecycle("ended", "the client ended it", session=session)
    assert (decided.sequence, decided.time_s, decided.action, decided.text) == (4, 4.0, "speak", "Fire!")
    assert (decided.p, decided.p_speak) == ({"silent": 0.1, "speak": 0.88, "delegate": 0.02}, 0.88)
    assert (decided.spoke, decided.duplicate, decided.latency_ms) == (True, False, 250.0)
    assert (said.text, said.source_id, said.session) == ("Fire!", "lobby", session)
    assert (raised.state, raised.watch, raised.severity, raised.text) == ("opened", "fire", "critical", "Fire!")


async def of(events: AsyncIterator[Event], kind: type[E]) -> E:
    """The next event of that kind; others are passed over."""
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"the stream ended without a {kind.__name__}")


async def test_an_alert_is_acknowledged_muted_shown_and_exported(stage: Stage, client: Client) -> None:
    await stage.bus.publish_stored(alert_event(41, "opened", watch="smoke"))
    acknowledged = await client.alerts.acknowledge("a-41", "on my way")
    assert (acknowledged.acknowledged_note, acknowledged.open) == ("on my way", True)
    assert acknowledged.acknowledged_by
    muted = await client.alerts.mute("a-41", 5)
    assert muted.muted_until is not None
    assert muted.muted_until > datetime.now(UTC)
    shown = await client.alerts.show("a-41")
    assert [event.event for event in shown.events] == ["opened", "acknowledged", "muted"]
    assert shown.opened_sequence == 41
    assert (await client.alerts(watch="smoke", acknowledged=True, severity="critical", source="lobby")).alerts == (
        muted,
    )
    lines = b"".join([part async for part in client.alerts.export("jsonl", watch="smoke")]).splitlines()
    assert [json.loads(line)["alert_id"] for line in lines] == ["a-41"]
    await stage.bus.publish_stored(alert_event(41, "closed", 1))
    with pytest.raises(errors.Invalid, match="has closed"):
        await client.alerts.mute("a-41", 10)
    async with stage.client("rival") as rival:
        with pytest.raises(errors.NotFound, match="there is no alert"):
            await rival.alerts.acknowledge("a-41")


async def test_the_picture_of_an_alert(stage: Stage, client: Client) -> None:
    await stage.bus.put_snapshot(snapshot_name("demo", "s-1-fire-4"), b"\xff\xd8 a picture")
    assert await client.snapshot("s-1-fire-4") == b"\xff\xd8 a picture"
    async with stage.client("rival") as rival:
        with pytest.raises(errors.NotFound, match="no snapshot"):
            await rival.snapshot("s-1-fire-4")


async def test_health_needs_no_key_that_is_valid(stage: Stage) -> None:
    told: list[values.Health] = []
    async with Client(stage.url, "nobody's key") as client:

        async def is_whole() -> bool:
            """Whether no part was too busy to answer the gateway within a second."""
            told.append(await client.health())
            return set(told[-1].checks.values()) == {"ok"}

        await eventually(is_whole, what="every part says that it is well")
    health = told[-1]
    assert (health.ready, health.takes_sessions) == (True, True)
    assert health.checks == {"nats": "ok", "redis": "ok", "ingestion": "ok"}
    assert set(health.capacity) == {"ingestion", "codec", "interaction", "asr", "tts"}
    assert health.capacity["codec"].capacity == 1_000


# --- what goes wrong -------------------------------------------------------------------------------------------------

Failing = Callable[[Stage, Path], Awaitable[object]]


async def _wrong_key(stage: Stage, _: Path) -> object:
    async with Client(stage.url, "wrong") as client:
        return await client.sessions()


async def _unknown_session(stage: Stage, _: Path) -> object:
    async with stage.client() as client:
        return await client.session("s-none")


async def _bad_source(stage: Stage, _: Path) -> object:
    good = stage.ingestion.answer
    stage.ingestion.answer = ProbeSourceResponse(fault=SourceFault.SOURCE_FAULT_EMPTY, message="the file has no bytes")
    try:
        async with stage.client() as client:
            return await client.create_session(CAMERA)
    finally:
        stage.ingestion.answer = good


async def _slow_source(stage: Stage, folder: Path) -> object:
    """At a gateway without patience: the one of the other tests waits for as long as a busy machine needs."""
    stage.ingestion.open_gate.clear()
    try:
        async with (
            second_gateway(stage, folder, {"PROBE_DEADLINE_S": 0.5}) as url,
            Client(url, KEYS["demo"]) as client,
        ):
            return await client.create_session(CAMERA)
    finally:
        stage.ingestion.open_gate.set()


async def _ended_session(stage: Stage, _: Path) -> object:
    async with stage.client() as client:
        session = (await client.create_session(CAMERA)).id
        await client.end_session(session)
        return await client.ask(session, "Who?")


async def _too_many_turns(stage: Stage, _: Path) -> object:
    async with stage.client() as client:
        return await client.create_session(replace(CAMERA, window=options.Window(251)))


async def _too_many_pictures(stage: Stage, _: Path) -> object:
    async with stage.client() as client:
        return await client.create_session(replace(CAMERA, cadence=options.Cadence(1_000, 3)))


async def _full_inbox(stage: Stage, _: Path) -> object:
    async with stage.client() as client:
        session = (await client.create_session(CAMERA)).id
        for _number in range(100):
            await client.ask(session, "Who?")
    return session


async def _nobody_there(_: Stage, __: Path) -> object:
    async with Client(f"http://127.0.0.1:{free_port()}", "key") as client:
        return await client.sessions()


async def _something_else_there(stage: Stage, _: Path) -> object:
    async with Client(f"{stage.metrics_url}?", "key") as client:
        return await client.health()


async def _events_of_an_unknown_session(stage: Stage, _: Path) -> object:
    async with stage.client() as client, aclosing(client.events("s-none")) as events:
        return await anext(events)


async def _bad_subject(_: Stage, __: Path) -> object:
    return alert_subject("a.b", "*")


async def _bad_observation(_: Stage, __: Path) -> object:
    return Noticed("zone", " ", 0)


async def _not_admitted(_: Stage, folder: Path) -> object:
    server = NatsServer(folder / "strict", 'authorization: {"user": "pager", "password": "right"}')
    await server.start()
    try:
        return await anext(alerts(f"nats://pager:secret@127.0.0.1:{server.port}"))
    finally:
        await server.kill()


async def _nothing_configured(_: Stage, folder: Path) -> object:
    return find(folder / "nowhere")


# What is done, the error it raises, its HTTP status, the name of the problem, and what the message says.
FAILURES: list[tuple[Failing, type[errors.ClientError], int, str, str]] = [
    (_wrong_key, errors.Unauthorised, 401, "key_wrong", "is not known here"),
    (_unknown_session, errors.NotFound, 404, "unknown_session", "s-none"),
    (_events_of_an_unknown_session, errors.NotFound, 404, "unknown_session", "s-none"),
    (_bad_source, errors.Invalid, 422, "source_fault", "the file has no bytes"),
    (_too_many_turns, errors.Invalid, 422, "invalid_request", "window.chunk_turns: .* 250"),
    (_too_many_pictures, errors.Invalid, 422, "invalid_value", "is 300 pictures in one prompt: at most 250"),
    (_ended_session, errors.Invalid, 409, "session_ended", "ended"),
    (_full_inbox, errors.Invalid, 429, "inbox_full", "64"),
    (_slow_source, errors.Unavailable, 503, "probe_unavailable", "did not finish within 0.5 s"),
    (_nobody_there, errors.Unreachable, 0, "", "does not answer"),
    (_something_else_there, errors.BadMessage, 0, "", "did not answer JSON"),
    (_bad_subject, errors.BadSubject, 0, "", "a.b"),
    (_bad_observation, errors.BadObservation, 0, "", "the text is empty"),
    (_not_admitted, errors.NotAdmitted, 0, "", "does not let the user pager in"),
    (_nothing_configured, errors.NotConfigured, 0, "", "no running Vigil is known here"),
]


@pytest.mark.parametrize(("failing", "kind", "status", "name", "message"), FAILURES)
async def test_what_fails_says_why_and_what_to_do(
    stage: Stage, tmp_path: Path, failing: Failing, kind: type[errors.ClientError], status: int, name: str, message: str
) -> None:
    with pytest.raises(kind, match=message) as failed:
        await failing(stage, tmp_path)
    error = failed.value
    assert type(error) is kind
    assert error.message
    assert error.next_step
    assert "secret" not in error.message
    assert error.retryable == (kind in (errors.Unreachable, errors.Unavailable))
    if isinstance(error, errors.Refused):
        assert (error.status, error.kind) == (status, name)


async def test_every_error_of_the_sdk_is_tried_here() -> None:
    family = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ClientError)]
    leaves = {kind for kind in family if not any(kind in other.__bases__ for other in family)}
    assert {kind for _, kind, *_ in FAILURES} == leaves
