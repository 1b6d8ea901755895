"""The bus against a real NATS server."""

import asyncio
from dataclasses import replace
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg
from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from structlog.testing import capture_logs

from vigil.contract import streams, subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, BusConfig, Message
from vigil.runtime.bus.jetstream import FORM_KEY, Stored
from vigil.runtime.bus.round_trip import round_trip
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import ArtefactMissing, BusUnavailable, NoResponders, PayloadTooLarge, SnapshotMissing
from vigil.runtime.process.trace import continued
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer
from vigil.testing.timing import once_within

KEY = SessionKey("demo", "s-1")
DECISIONS = subjects.decision(KEY)
SIGNALLING = subjects.signalling(KEY)


def decision(number: int) -> Outgoing:
    """A message for the DECISIONS stream."""
    return Outgoing(DECISIONS, f"demo.s-1.decision.{number}", b"decision %d" % number, CLOUDEVENT)


async def received(channel: KeepLatest[Message]) -> Message:
    """The next message, soon."""
    async with asyncio.timeout(DEADLINE_S):
        return await anext(channel)


async def test_a_subscriber_gets_what_is_published(bus: Bus) -> None:
    async with bus.subscribe(subjects.raw_frames(KEY), capacity=8) as channel:
        await bus.publish(subjects.raw_frames(KEY), b"frame", {"Extra": "1"})
        assert await received(channel) == Message(subjects.raw_frames(KEY), b"frame", {"Extra": "1"})


async def test_a_slow_reader_gets_the_newest_frame_and_counts_the_others(bus: Bus) -> None:
    async with bus.keep_latest(subjects.raw_frames(KEY)) as channel:
        for number in range(20):
            await bus.publish(subjects.raw_frames(KEY), b"%d" % number)
        await eventually(lambda: channel.statistics.offered == 20, what="all frames have come")
        assert (await received(channel)).payload == b"19"
        assert channel.dropped == 19


async def test_after_the_block_nothing_is_received(bus: Bus) -> None:
    async with bus.keep_latest(DECISIONS) as first:
        pass
    async with bus.keep_latest(DECISIONS) as second:
        await bus.publish(DECISIONS, b"later")
        await received(second)
    assert first.statistics.offered == 0


async def test_the_trace_travels_in_the_headers(bus: Bus) -> None:
    tracer = TracerProvider().get_tracer("test")
    async with bus.keep_latest(DECISIONS) as channel:
        with tracer.start_as_current_span("sender") as span:
            await bus.publish(DECISIONS, b"traced")
        message = await received(channel)
    sent = span.get_span_context()
    assert message.headers["traceparent"] == f"00-{sent.trace_id:032x}-{sent.span_id:016x}-{sent.trace_flags:02x}"
    with continued(message.headers):
        assert trace.get_current_span().get_span_context().trace_id == sent.trace_id
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_request_is_answered_by_who_listens(bus: Bus) -> None:
    async def answer_one(channel: KeepLatest[Message]) -> None:
        request = await received(channel)
        await bus.answer(request, request.payload.upper())

    async with bus.subscribe(SIGNALLING, capacity=8) as channel, asyncio.TaskGroup() as tasks:
        tasks.create_task(answer_one(channel))
        assert await bus.request(SIGNALLING, b"offer", timeout_s=5) == b"OFFER"


async def test_a_request_that_nobody_hears_fails_at_once(bus: Bus) -> None:
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(NoResponders, match="nobody listens"):
            await bus.request(SIGNALLING, b"offer", timeout_s=60)


async def test_a_request_that_is_not_answered_fails_in_time(bus: Bus) -> None:
    async with bus.subscribe(SIGNALLING, capacity=8):
        with pytest.raises(BusUnavailable, match="did not answer") as failure:
            await bus.request(SIGNALLING, b"offer", timeout_s=0.05)
    assert not isinstance(failure.value, NoResponders)


async def test_nothing_but_an_inbox_of_a_service_is_answered(bus: Bus) -> None:
    async with bus.subscribe(DECISIONS, capacity=8) as heard:
        await bus.answer(Message(SIGNALLING, b"offer", reply=DECISIONS), b"forged")
        await bus.answer(Message(SIGNALLING, b"offer"), b"unwanted")
        await bus.publish(DECISIONS, b"true")
        assert (await received(heard)).payload == b"true"


async def test_the_same_message_id_is_stored_once(bus: Bus) -> None:
    first = await bus.publish_stored(decision(1))
    again = await bus.publish_stored(decision(1))
    other = await bus.publish_stored(decision(2))
    assert (first.duplicate, again.duplicate, other.duplicate) == (False, True, False)
    assert (again.sequence, other.sequence) == (first.sequence, first.sequence + 1)


async def test_a_stored_message_keeps_its_own_trace_and_says_what_it_is(bus: Bus) -> None:
    trace_header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with bus.keep_latest(DECISIONS) as channel:
        await bus.publish_stored(Outgoing(DECISIONS, "id-1", b"x", CLOUDEVENT, trace_header))
        headers = (await received(channel)).headers
    assert headers == {"Nats-Msg-Id": "id-1", "Content-Type": CLOUDEVENT, "traceparent": trace_header}


async def test_ensuring_the_streams_again_changes_nothing(bus: Bus) -> None:
    await bus.publish_stored(decision(1))
    await bus.ensure_streams()
    assert (await bus.publish_stored(decision(2))).sequence == 2


async def test_a_stream_that_a_newer_release_declared_stays_as_it_is(bus: Bus, nats_server: NatsServer) -> None:
    client = await nats.connect(nats_server.url)
    try:
        js = client.jetstream()
        larger = 2 * streams.DECISIONS.max_bytes
        for form, is_kept in ((streams.FORM + 1, True), (0, False)):
            found = (await js.stream_info(streams.DECISIONS.name)).config
            await js.update_stream(replace(found, metadata={FORM_KEY: str(form)}, max_bytes=larger))
            with capture_logs() as logs:
                await bus.ensure_streams()
            found = (await js.stream_info(streams.DECISIONS.name)).config
            assert found.max_bytes == (larger if is_kept else streams.DECISIONS.max_bytes)
            told = [entry["stream"] for entry in logs if entry["event"] == "stream of a newer release kept"]
            assert told == [streams.DECISIONS.name] * is_kept
    finally:
        await client.close()


async def test_what_no_stream_stores_says_so(bus: Bus) -> None:
    with pytest.raises(BusUnavailable, match="no stream stores this subject"):
        await bus.publish_stored(Outgoing("vigil.v1.nowhere", "1", b"", CLOUDEVENT))


async def test_a_message_over_the_limit_is_refused(bus: Bus) -> None:
    with pytest.raises(PayloadTooLarge, match="over NATS's limit"):
        await bus.publish(DECISIONS, bytes(2 << 20))


async def test_a_snapshot_reads_back_and_a_later_one_replaces_it(bus: Bus) -> None:
    picture = bytes(range(256)) * 1_000
    await bus.put_snapshot("demo.s-1-fire-7.0", b"first")
    await bus.put_snapshot("demo.s-1-fire-7.0", picture)
    assert await bus.get_snapshot("demo.s-1-fire-7.0") == picture


async def test_a_snapshot_that_cannot_be_stored_costs_a_second(bus: Bus, nats_server: NatsServer) -> None:
    async def put(_: int) -> None:
        with pytest.raises(BusUnavailable, match=r"demo\.s-1-fire-7\.0: NATS did not answer"):
            await bus.put_snapshot("demo.s-1-fire-7.0", b"red")

    nats_server.freeze()
    try:
        await once_within(1.9, put)  # one request of the several alone would wait for two
    finally:
        nats_server.thaw()


async def test_artefacts_read_back_and_can_be_dropped(bus: Bus) -> None:
    page = b"<html>" + bytes(range(256)) * 2_000
    await bus.put_artefact("demo.s-1-7.0", page)
    assert await bus.get_artefact("demo.s-1-7.0") == page
    await bus.drop_artefacts(["demo.s-1-7.0", "demo.s-1-7.1"])
    for name in ("demo.s-1-7.0", "demo.s-1-7.1"):
        with pytest.raises(ArtefactMissing, match="aged out"):
            await bus.get_artefact(name)


async def test_snapshots_can_be_dropped(bus: Bus) -> None:
    await bus.put_snapshot("demo/a-1", b"a picture")
    await bus.drop_snapshots(["demo/a-1", "demo/a-2"])
    for name in ("demo/a-1", "demo/a-2"):
        with pytest.raises(SnapshotMissing, match="aged out"):
            await bus.get_snapshot(name)


async def test_who_may_not_update_goes_on_without_a_stream_whose_subjects_an_older_release_has(
    bus: Bus, nats_server: NatsServer
) -> None:
    client = await nats.connect(nats_server.url)
    try:
        js = client.jetstream()
        await js.delete_stream(streams.TASKS.name)
        await js.delete_stream(streams.DELEGATIONS.name)
        await js.add_stream(StreamConfig(name="DELEGATIONS", subjects=["vigil.v1.delegation.>"]))
        async with Bus.connect(BusConfig(nats_server.url, name="old", updates_streams=False)) as other:
            await other.connected()
        assert streams.TASKS.name not in {info.config.name for info in await js.streams_info()}
        await bus.ensure_streams()
        found = {info.config.name: info.config.subjects for info in await js.streams_info()}
    finally:
        await client.close()
    assert found["TASKS"] == list(streams.TASKS.subjects)
    assert found["DELEGATIONS"] == list(streams.DELEGATIONS.subjects)


async def test_an_unknown_snapshot_is_missing(bus: Bus) -> None:
    with pytest.raises(SnapshotMissing, match="'nothing'"):
        await bus.get_snapshot("nothing")


async def test_without_a_server_calls_fail_at_once_and_say_why() -> None:
    async with Bus.connect(BusConfig(f"nats://127.0.0.1:{free_port()}")) as bus:
        with pytest.raises(BusUnavailable, match="no connection to NATS"):
            await bus.publish(DECISIONS, b"")
        with pytest.raises(BusUnavailable, match="no connection to NATS"):
            await bus.ping()
        await eventually(lambda: _refused(bus), what="the reason is known")


async def _refused(bus: Bus) -> bool:
    try:
        await bus.ping()
    except BusUnavailable as error:
        return "Connect call failed" in str(error) or "refused" in str(error)
    return False


async def test_a_url_that_is_none_says_so() -> None:
    async with Bus.connect(BusConfig("nats://host:port")) as bus:

        async def reason() -> str:
            try:
                await bus.ping()
            except BusUnavailable as error:
                return "" if "not connected yet" in str(error) else str(error)
            return ""

        assert "check that it runs and that its URL is right" in await eventually(reason, what="the reason is known")


async def test_a_server_that_comes_later_is_found(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    async with Bus.connect(BusConfig(server.url)) as bus:
        assert not bus.is_connected
        await server.start()
        try:
            async with asyncio.timeout(DEADLINE_S):
                await bus.connected()
            await bus.ping()
            assert (await bus.publish_stored(decision(1))).sequence == 1
        finally:
            await server.kill()


async def test_a_wrong_password_is_named_without_showing_it(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, 'authorization { user: "service", password: "right" }')
    await server.start()
    try:
        url = f"nats://service:wrong@127.0.0.1:{server.port}"
        async with Bus.connect(BusConfig(url)) as bus:
            error = await eventually(lambda: _violation(bus), what="the server has refused")
            assert "wrong" not in error
    finally:
        await server.kill()


async def test_a_store_that_is_too_small_for_the_streams_says_so_and_is_not_ready(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, "jetstream { max_file_store: 300MB }")
    await server.start()
    try:
        async with Bus.connect(BusConfig(server.url)) as bus:
            assert "storage" in await eventually(lambda: _complaint(bus), what="the reason is known")
            assert not bus.is_connected
    finally:
        await server.kill()


async def _complaint(bus: Bus) -> str:
    try:
        await bus.ping()
    except BusUnavailable as error:
        return str(error) if "not ready: it is not ready" in str(error) else ""
    return ""


async def _violation(bus: Bus) -> str:
    try:
        await bus.ping()
    except BusUnavailable as error:
        return str(error) if "Authorization" in str(error) else ""
    return ""


async def test_a_subscription_goes_on_after_the_server_restarts(bus: Bus, nats_server: NatsServer) -> None:
    async with bus.keep_latest(DECISIONS) as channel:
        await nats_server.kill()
        await eventually(lambda: not bus.is_connected, what="the loss is seen")
        with pytest.raises(BusUnavailable):
            await bus.publish(DECISIONS, b"into the void")
        await nats_server.start()
        async with asyncio.timeout(DEADLINE_S):
            await bus.connected()
        await bus.publish(DECISIONS, b"after")
        assert (await received(channel)).payload == b"after"


async def test_what_is_stored_outlives_a_crash_of_the_server(bus: Bus, nats_server: NatsServer) -> None:
    await bus.publish_stored(decision(1))
    await nats_server.kill()
    await eventually(lambda: not bus.is_connected, what="the loss is seen")
    with pytest.raises(BusUnavailable):
        await bus.publish_stored(decision(2))
    await nats_server.start()
    async with asyncio.timeout(DEADLINE_S):
        await bus.connected()
    assert (await bus.publish_stored(decision(1))).duplicate
    assert await bus.publish_stored(decision(2)) == Stored(sequence=2, duplicate=False)


async def test_a_server_that_lost_its_streams_gets_them_again(bus: Bus, nats_server: NatsServer) -> None:
    client = await nats.connect(nats_server.url)
    assert await client.jetstream().delete_stream(streams.DECISIONS.name)
    await client.close()
    assert await bus.publish_stored(decision(1)) == Stored(sequence=1, duplicate=False)


async def test_every_stream_is_bounded(bus: Bus, nats_server: NatsServer) -> None:
    client = await nats.connect(nats_server.url)
    found = {info.config.name: info.config for info in await client.jetstream().streams_info()}
    await client.close()
    buckets = {"OBJ_VIGIL_SNAPSHOTS", "OBJ_VIGIL_ARTEFACTS"}
    assert set(found) == {*(stream.name for stream in streams.STREAMS), *buckets}
    for config in found.values():
        assert (config.max_age or 0) > 0
        assert (config.max_bytes or 0) > 0
        assert config.discard == DiscardPolicy.OLD
        assert config.storage == StorageType.FILE


async def test_a_hung_server_makes_calls_fail_in_time(bus: Bus, nats_server: NatsServer) -> None:
    nats_server.freeze()
    try:
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(BusUnavailable):
                await bus.ping()
            with pytest.raises(BusUnavailable):
                await bus.publish_stored(decision(1))
    finally:
        nats_server.thaw()
    stored = await eventually(lambda: _stored(bus), what="the server takes messages again")
    assert stored is not None
    assert stored.sequence == 1


async def test_what_a_hung_server_does_not_take_is_dropped_not_kept(bus: Bus, nats_server: NatsServer) -> None:
    nats_server.freeze()
    try:
        with pytest.raises(BusUnavailable, match="too slowly"):  # noqa: PT012  which of them it is does not matter
            for _ in range(100):
                await bus.publish(DECISIONS, bytes(500_000))
    finally:
        nats_server.thaw()


async def _stored(bus: Bus) -> Stored | None:
    try:
        return await bus.publish_stored(decision(1))
    except BusUnavailable:
        return None


async def test_a_publisher_can_ask_who_listens_and_no_reader_sees_that_it_did(bus: Bus) -> None:
    assert not await bus.is_heard("somewhere")
    async with bus.keep_latest("somewhere") as channel:
        await bus.publish("somewhere", b"1")
        assert await bus.is_heard("somewhere")
        assert (await anext(channel)).payload == b"1", "what waited was not replaced"
        assert channel.statistics.offered == 1
    assert not await bus.is_heard("somewhere")


async def test_whoever_looks_on_with_a_wildcard_is_no_reader_and_breaks_no_ping(
    bus: Bus, nats_server: NatsServer
) -> None:
    onlooker = await nats.connect(nats_server.url)
    for pattern in ("vigil.v1.>", ">"):
        await onlooker.subscribe(pattern)
    await round_trip(onlooker, 5.0)
    await bus.ping()
    assert not await bus.is_heard(subjects.coded_frames(KEY))
    async with bus.keep_latest(subjects.coded_frames(KEY)):
        assert await bus.is_heard(subjects.coded_frames(KEY))
    await onlooker.close()


async def test_a_stranger_who_answers_everything_is_no_reader_and_breaks_no_ping(
    bus: Bus, nats_server: NatsServer
) -> None:
    async def answer(message: Msg) -> None:
        if message.reply:
            await stranger.publish(message.reply, b"here I am")

    stranger = await nats.connect(nats_server.url)
    await stranger.subscribe("vigil.v1.>", cb=answer)
    await round_trip(stranger, 5.0)
    await bus.ping()
    assert not await bus.is_heard(subjects.coded_frames(KEY))
    async with bus.keep_latest(subjects.coded_frames(KEY)):
        assert await bus.is_heard(subjects.coded_frames(KEY))
    await stranger.close()
