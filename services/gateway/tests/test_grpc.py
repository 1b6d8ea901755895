"""The public gRPC service, driven by a client that knows only what the server's reflection says."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.core.instruction import Severity, Watch
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.service import Service
from vigil.runtime.store.keys import Part, part_key
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.emitted import alert, approval, decide_quickly, decided, delegation
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.images import jpeg
from vigil.testing.reflected_grpc import Json, ReflectedService, problem_of, reflected
from vigil.testing.scripted_decider import ScriptedDecider
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil_gateway.config import GatewaySettings
from vigil_gateway.pushed.data_url import MAX_PICTURE_BYTES

GATEWAY = "vigil.v1.GatewayService"
FIRE = {"name": "fire", "text": "Alert me when a fire starts.", "severity": "SEVERITY_CRITICAL", "hold_s": 3}
PUSHED = {"source": {"kind": "SOURCE_KIND_PUSHED"}, "watches": [FIRE]}
CAMERA = {"source": {"url": "rtsp://user:secret@camera.local/stream1", "id": "lobby"}}
PICTURE = base64.b64encode(jpeg()).decode()


@pytest.fixture
def target(gateway: Service[GatewaySettings]) -> str:
    """Where the gateway's gRPC service is."""
    return f"127.0.0.1:{gateway.settings.grpc_port}"


@pytest.fixture
async def service(target: str) -> AsyncIterator[ReflectedService]:
    """The service as the tenant demo calls it."""
    async with reflected(target, GATEWAY, "a-key-of-demo") as found:
        yield found


@pytest.fixture
async def decider(bus: Bus, store: SessionStore, workers: None) -> AsyncIterator[ScriptedDecider]:
    """Workers that decide on every picture, and say that they saw it."""
    async with ScriptedDecider(bus, store, lambda picture: "A picture.").working() as working:
        yield working


@pytest.fixture
async def pushed(service: ReflectedService, decider: ScriptedDecider) -> str:
    """The id of a session whose pictures the client pushes."""
    return str((await service.call("OpenSession", PUSHED))["session"])


@pytest.fixture
async def camera(service: ReflectedService, workers: None) -> str:
    """The id of a session on a camera."""
    return str((await service.call("OpenSession", CAMERA))["session"])


async def refused(service: ReflectedService, method: str, request: Json, code: grpc.StatusCode, kind: str) -> Json:
    """Call the method, check that it is refused with this status and problem; returns the problem."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await service.call(method, request)
    problem = problem_of(caught.value)
    assert (caught.value.code(), problem["type"]) == (code, f"urn:vigil:problem:{kind}"), problem
    assert problem["next_step"] in str(caught.value.details())
    assert "secret" not in str(caught.value.details())
    return problem


async def test_open_push_ask_and_end(
    service: ReflectedService, pushed: str, decider: ScriptedDecider, store: SessionStore
) -> None:
    key = SessionKey("demo", pushed)
    commands = await store.commands(key)
    assert [command.instruction.watch for command in commands] == [  # type: ignore[union-attr]
        Watch("fire", Severity.CRITICAL, hold_s=3.0)
    ]
    async with asyncio.timeout(DEADLINE_S), service.talk("PushFrames") as call:
        for number in range(4):
            await call.send({"session": pushed if number == 0 else "", "picture": PICTURE, "time_s": number + 1.0})
        await call.end()
        answers = [await call.receive() for _ in range(4)]
        assert await call.receive() is None
    decisions = [answer["decision"] for answer in answers if answer]
    assert [int(answer.get("frame", 0)) for answer in answers if answer] == [0, 1, 2, 3]
    assert [int(decision["time_ms"]) for decision in decisions] == [1_000, 2_000, 3_000, 4_000]
    assert {(decision["action"], decision["text"]) for decision in decisions} == {("ACTION_SPEAK", "A picture.")}
    assert decider.seen[key] == [1_000, 2_000, 3_000, 4_000]
    asked = await service.call("Ask", {"session": pushed, "text": "What is there?"})
    assert [getattr(command, "id", "") for command in (await store.commands(key))[1:]] == [asked["id"]]
    await service.call("EndSession", {"session": pushed})
    await service.call("EndSession", {"session": pushed})
    ended = await store.ended(key)
    assert getattr(ended, "reason", "") == "the client ended it"


async def test_a_question_comes_with_a_picture(
    service: ReflectedService, pushed: str, store: SessionStore, redis: Redis
) -> None:
    key = SessionKey("demo", pushed)

    async def taken() -> bool:  # what a worker does with a question that its turn has shown
        waiting = await store.commands(key)
        if len(waiting) < 2:
            return False
        await redis.delete(part_key(key, Part.INBOX))
        return True

    async with asyncio.timeout(DEADLINE_S), service.talk("PushFrames") as call:
        await call.send({"session": pushed, "picture": PICTURE, "time_s": 1.0, "question": "How many?"})
        await eventually(taken, what="the question waits")
        answer = await call.receive()
    assert answer is not None
    assert answer["decision"]["text"] == "A picture."


async def test_what_one_picture_meets_is_told_and_the_call_goes_on(service: ReflectedService, pushed: str) -> None:
    async with asyncio.timeout(DEADLINE_S), service.talk("PushFrames") as call:
        damaged = base64.b64encode(jpeg()[:200]).decode()
        large = base64.b64encode(bytes(MAX_PICTURE_BYTES + 1)).decode()
        for request in (
            {"session": pushed, "picture": damaged},
            {"picture": large},
            {"picture": PICTURE, "time_s": 5.0},
            {"picture": PICTURE, "time_s": 5.0},
            {"picture": PICTURE, "time_s": 4.0},
            {"picture": PICTURE, "time_s": -1.0},
            {"picture": PICTURE, "time_s": 6.0},
        ):
            await call.send(request)
        answers = [await call.receive() or {} for _ in range(7)]
    kinds = [answer.get("problem", {}).get("type", "").removeprefix("urn:vigil:problem:") for answer in answers]
    assert kinds == ["picture_refused", "picture_refused", "", "", "time_not_later", "invalid_request", ""]
    assert answers[3]["decision"] == answers[2]["decision"], "the same picture and time once more is the same turn"
    assert "damaged" in answers[0]["problem"]["detail"]
    assert "at most 5,242,880 are allowed" in answers[1]["problem"]["detail"]
    assert answers[4]["problem"]["next_step"]


async def test_events_are_typed_and_in_order(service: ReflectedService, camera: str, bus: Bus) -> None:
    async with asyncio.timeout(DEADLINE_S):
        events = service.listen("Events", {"session": camera})
        assert "status" in await anext(events)
        for sequence in (1, 2):
            await bus.publish_stored(decided(camera, sequence))
            decision = (await anext(events))["decision"]
            assert (int(decision["sequence"]), decision["action"]) == (sequence, "ACTION_SILENT")
        await bus.publish_stored(alert(camera))
        opened = (await anext(events))["alert"]
        assert (opened["type"], opened["data"]["watch"]) == ("vigil.alert.opened", "fire")
        await bus.publish_stored(delegation(camera))
        delegated = (await anext(events))["delegation"]
        assert (delegated["type"], delegated["data"]["outcome"]) == ("vigil.delegation.closed", "answered")
        await bus.publish_stored(approval(camera))
        asked = (await anext(events))["approval"]
        assert (asked["type"], asked["data"]["tool"]) == ("vigil.approval.requested", "open_ticket")
        await service.call("EndSession", {"session": camera})
        left = [event async for event in events]
    assert left[0]["session"]["type"] == "vigil.session.ended"
    assert left[-1]["end"] == {"reason": "the session ended"}


async def test_who_asks_and_for_what_is_checked_as_over_http(
    service: ReflectedService, target: str, camera: str
) -> None:
    code = grpc.StatusCode
    async with reflected(target, GATEWAY) as nobody:
        await refused(nobody, "Ask", {"session": camera, "text": "?"}, code.UNAUTHENTICATED, "key_missing")
    async with reflected(target, GATEWAY, "a-wrong-key") as stranger:
        await refused(stranger, "EndSession", {"session": camera}, code.UNAUTHENTICATED, "key_wrong")
    async with reflected(target, GATEWAY, "a-key-of-rival") as rival:
        await refused(rival, "EndSession", {"session": camera}, code.NOT_FOUND, "unknown_session")
        with pytest.raises(grpc.aio.AioRpcError, match="there is no session"):
            await anext(rival.listen("Events", {"session": camera}))
    await refused(service, "Ask", {"session": "s-none", "text": "?"}, code.NOT_FOUND, "unknown_session")
    await refused(service, "Ask", {"session": "a b", "text": "?"}, code.NOT_FOUND, "unknown_session")
    await refused(service, "Ask", {"session": camera, "text": " "}, code.INVALID_ARGUMENT, "invalid_request")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"source": {}}, "source"),
        ({"source": {"kind": "SOURCE_KIND_PUSHED", "url": "rtsp://camera"}}, "source"),
        ({**CAMERA, "window": {"chunk_turns": 1}}, "window.chunk_turns"),
        ({**CAMERA, "watches": [{"text": ""}]}, "watches.0.text"),
        ({**CAMERA, "watches": [{**FIRE, "severity": 9}]}, "watches.0.severity"),
    ],
)
async def test_options_have_the_limits_of_http(
    service: ReflectedService, workers: None, request_: Json, field: str
) -> None:
    problem = await refused(service, "OpenSession", request_, grpc.StatusCode.INVALID_ARGUMENT, "invalid_request")
    assert problem["detail"].startswith(f"{field}:")


async def test_without_room_nothing_is_opened(
    service: ReflectedService, placement: Placement, store: SessionStore
) -> None:
    await refused(service, "OpenSession", CAMERA, grpc.StatusCode.UNAVAILABLE, "no_worker")
    for role in Role:
        await placement.heartbeat(role, f"{role}-1", 0)
    await refused(service, "OpenSession", PUSHED, grpc.StatusCode.RESOURCE_EXHAUSTED, "capacity_full")
    assert await store.sessions("demo") == []


async def test_a_request_of_too_many_bytes_is_refused(service: ReflectedService) -> None:
    large = {**CAMERA, "instructions": ["x" * 300_000]}
    await refused(service, "OpenSession", large, grpc.StatusCode.RESOURCE_EXHAUSTED, "body_too_large")


async def nothing() -> AsyncIterator[bytes]:
    """No message, and no end of them."""
    await asyncio.Event().wait()
    yield b""


async def test_without_a_key_no_message_is_waited_for(target: str) -> None:
    """A call that sends its headers and no message is ended at once; with a key its message is waited for."""
    async with grpc.aio.insecure_channel(target) as channel:
        begin = channel.stream_unary(f"/{GATEWAY}/OpenSession", bytes, bytes)
        for metadata in ((), (("authorization", "Bearer wrong"),)):
            async with asyncio.timeout(DEADLINE_S):
                assert await begin(nothing(), metadata=metadata).code() is grpc.StatusCode.UNAUTHENTICATED
        known = begin(iter([b"\xff"]), metadata=(("authorization", "Bearer a-key-of-demo"),))
        assert await known.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "sent", [b"\xff\xff garbage", b"\x0a\x02\xff\xfe", None], ids=["garbage", "not UTF-8", "nothing"]
)
@pytest.mark.parametrize("method", ["OpenSession", "Ask", "Events", "EndSession", "PushFrames"])
async def test_what_is_no_message_is_refused_and_logs_no_error(
    target: str, method: str, sent: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    if method == "PushFrames" and sent is None:
        return  # a call may push no picture
    async with grpc.aio.insecure_channel(target) as channel:
        for key, kind in (("a-key-of-demo", "malformed_message"), ("a-wrong-key", "key_wrong")):
            given: Any = {"timeout": DEADLINE_S, "metadata": (("authorization", f"Bearer {key}"),)}
            call: Any
            if sent is None:
                call = channel.stream_stream(f"/{GATEWAY}/{method}", bytes, bytes)(iter(()), **given)
            else:  # its message goes out with its headers: a call that is refused meanwhile is no error of grpc's
                call = channel.unary_stream(f"/{GATEWAY}/{method}", bytes, bytes)(sent, **given)
            code = await call.code()
            assert code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAUTHENTICATED)
            trailers: Any = await call.trailing_metadata()
            assert json.loads(trailers["vigil-problem"])["type"] == f"urn:vigil:problem:{kind}"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_pictures_go_only_where_they_can(service: ReflectedService, camera: str, pushed: str) -> None:
    picture = {"picture": PICTURE, "time_s": 1.0}
    assert await push_refused(service, {"session": camera, **picture}) == "not_pushed"
    assert await push_refused(service, {"session": "s-none", **picture}) == "unknown_session"
    assert await push_refused(service, {"session": pushed, **picture}, {"session": camera}) == "session_changed"


async def push_refused(service: ReflectedService, *requests: Json) -> str:
    """Send the pictures, the last of which ends the call; the kind of problem that it ends with."""
    async with asyncio.timeout(DEADLINE_S), service.talk("PushFrames") as call:
        *answered, last = requests
        for request in answered:
            await call.send(request)
            assert "decision" in (await call.receive() or {})
        await call.send(last)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.receive()
    return str(problem_of(caught.value)["type"]).removeprefix("urn:vigil:problem:")


def patience() -> Iterator[float]:
    """Deadlines in seconds, each twice as long: one of them passes in the midst of a call, on any machine."""
    return (0.3 * 2**tries for tries in count())


async def test_a_deadline_that_passes_leaves_no_session(
    service: ReflectedService, workers: None, ingestion: ScriptedIngestion, store: SessionStore
) -> None:
    ingestion.open_gate.clear()
    deadlines_s = patience()

    async def is_begun() -> bool:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await service.call("OpenSession", CAMERA, timeout_s=next(deadlines_s))
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return bool(ingestion.probed)

    await eventually(is_begun, what="the deadline passes when the source is looked at")
    ingestion.open_gate.set()

    async def ends() -> list[str] | None:
        found = [await store.ended(key) for key in await store.sessions("demo")]
        reasons = [ended.reason for ended in found if ended is not None]
        return reasons if len(reasons) == len(found) == len(ingestion.probed) else None

    reasons = await eventually(ends, what="the session that nobody knows is ended")
    assert set(reasons or ()) == {"its client did not wait for it"}


async def test_a_deadline_ends_a_stream_and_gives_its_place_back(service: ReflectedService, camera: str) -> None:
    deadlines_s = patience()

    async def begun() -> AsyncIterator[Json] | None:
        events = service.listen("Events", {"session": camera}, timeout_s=next(deadlines_s))
        try:
            assert "status" in await anext(events)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
            return None
        return events

    events = await eventually(begun, what="the deadline passes when the stream is there")
    assert events is not None
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with asyncio.timeout(DEADLINE_S):
            await anext(events)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await eventually(lambda: sample("vigil_gateway_event_streams") == 0, what="the stream is over")


async def test_health_says_serving(target: str) -> None:
    async with reflected(target, "grpc.health.v1.Health") as health:
        assert await health.call("Check", {"service": GATEWAY}) == {"status": "SERVING"}


@pytest.mark.parametrize("changed", [{"turn_deadline_s": 1.0}])
async def test_a_turn_that_comes_too_late_is_told(
    service: ReflectedService, pushed: str, decider: ScriptedDecider
) -> None:
    decider.open_gate.clear()
    async with asyncio.timeout(DEADLINE_S), service.talk("PushFrames") as call:
        await call.send({"session": pushed, "picture": PICTURE})
        late = await call.receive()
    assert late is not None
    assert late["problem"]["type"] == "urn:vigil:problem:turn_late"


async def test_a_picture_of_a_session_that_ends_meanwhile_is_told_that(
    service: ReflectedService, pushed: str, decider: ScriptedDecider
) -> None:
    decider.open_gate.clear()
    async with asyncio.timeout(DEADLINE_S), service.talk("PushFrames") as call:
        await call.send({"session": pushed, "picture": PICTURE})
        await eventually(lambda: len(decider.seen[SessionKey("demo", pushed)]) == 1, what="the picture is shown")
        await service.call("EndSession", {"session": pushed})
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.receive()
    assert problem_of(caught.value)["type"] == "urn:vigil:problem:session_ended"


async def test_a_client_that_vanishes_in_a_turn_lets_it_go(
    service: ReflectedService, pushed: str, decider: ScriptedDecider
) -> None:
    decider.open_gate.clear()
    key = SessionKey("demo", pushed)
    async with service.talk("PushFrames") as call:
        await call.send({"session": pushed, "picture": PICTURE})
        await eventually(lambda: len(decider.seen[key]) == 1, what="the picture is shown")
    await eventually(lambda: sample("vigil_gateway_event_streams") == 0, what="the call is over")
    decider.open_gate.set()
    async with asyncio.timeout(DEADLINE_S), service.talk("PushFrames") as again:
        await again.send({"session": pushed, "picture": PICTURE})
        answer = await again.receive()
    assert "decision" in (answer or {}), answer


async def test_a_slow_reader_misses_old_decisions_and_no_alert(target: str, camera: str, bus: Bus) -> None:
    before = sample("vigil_gateway_events_dropped_total", kind="decision")
    many, newest = 3_000, 0
    async with asyncio.timeout(DEADLINE_S), reflected(target, GATEWAY, "a-key-of-demo") as service:
        events = service.listen("Events", {"session": camera})
        assert "status" in await anext(events)
        await bus.publish_stored(alert(camera))
        await decide_quickly(bus, camera, many, "x" * 4_000)
        decisions = alerts = 0
        async for event in events:
            alerts += "alert" in event
            decisions += "decision" in event
            newest = int(event.get("decision", {}).get("sequence", newest))
            if newest == many - 1:
                break
    assert alerts == 1
    assert 64 <= decisions < many
    assert sample("vigil_gateway_events_dropped_total", kind="decision") > before


async def test_streams_are_limited_and_calls_are_counted(service: ReflectedService, camera: str) -> None:
    first, second, third = (service.listen("Events", {"session": camera}) for _ in range(3))
    await anext(first)
    await anext(second)
    before = sample("vigil_gateway_calls_total", door="grpc", method="Events", status="RESOURCE_EXHAUSTED")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(third)
    assert problem_of(caught.value)["type"] == "urn:vigil:problem:too_many_streams"
    await first.aclose()  # type: ignore[attr-defined]
    await second.aclose()  # type: ignore[attr-defined]
    after = sample("vigil_gateway_calls_total", door="grpc", method="Events", status="RESOURCE_EXHAUSTED")
    assert after == before + 1


async def test_a_stream_begins_before_its_first_answer(service: ReflectedService) -> None:
    """A first answer that is cut off on its way would else take with it why the stream ends (grpcio 1.85)."""
    async with asyncio.timeout(DEADLINE_S), service.talk("PushFrames") as call:
        await call.begun()


async def test_a_gateway_that_stops_ends_its_streams(
    gateway: Service[GatewaySettings], service: ReflectedService, camera: str, pushed: str
) -> None:
    events = service.listen("Events", {"session": camera})
    await anext(events)
    async with asyncio.timeout(DEADLINE_S), service.talk("PushFrames") as call:
        await call.send({"session": pushed, "picture": PICTURE})
        assert await call.receive() is not None
        gateway.stop()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.receive()
        assert problem_of(caught.value)["type"] == "urn:vigil:problem:shutting_down"
        left = [event async for event in events]
    assert left[-1]["end"]["reason"] == "the gateway is shutting down: connect again"


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0
