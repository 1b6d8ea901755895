"""A module of the SDK at a real NATS server: it sees the newest pictures and tells what it notices."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import nats
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg

from vigil.contract import subjects
from vigil.contract.events.observations import read_observation
from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.frames import Frame as BusFrame
from vigil.contract.frames import FrameGroup, encode_group
from vigil.contract.modules import ModuleId
from vigil.contract.permissions import Permissions, of_module
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.ids import SessionKey
from vigil.core.observation import Box, Observation
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.handled import handled
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer
from vigil.v1 import frame_pb2 as pb
from vigil_client.errors import BadMessage, BadObservation, BadSubject, ClientError, NotAdmitted, Unreachable
from vigil_client.modules import Frame, Module, SessionNews
from vigil_client.modules.frames import newest_frame
from vigil_client.modules.newest import NewestOfEach

KEY = SessionKey("demo", "s-1")
AT_US = 1_767_225_600_123_457
SEEN = Frame("s-1", b"jpeg", 640, 384, AT_US)

frames = st.builds(
    BusFrame,
    st.binary(min_size=1, max_size=300),
    st.integers(1, 0xFFFF),
    st.integers(1, 0xFFFF),
    st.integers(-(1 << 63), (1 << 63) - 1),
)
groups = st.builds(
    FrameGroup,
    st.just(KEY),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(0, (1 << 64) - 1),
    st.lists(frames, min_size=1, max_size=3).map(tuple),
    st.integers(0, (1 << 64) - 1),
)


@given(groups)
def test_the_last_picture_of_a_group_is_read_as_it_was_written(group: FrameGroup) -> None:
    last = group.frames[-1]
    assert newest_frame(encode_group(group)) == Frame(
        "s-1", last.jpeg, last.width, last.height, last.capture_time_us, group.time_ms / 1_000
    )


def test_fields_of_a_later_release_are_skipped() -> None:
    known = encode_group(FrameGroup(KEY, 0, 0, (BusFrame(b"jpeg", 640, 384, AT_US),), 0))
    later = pb.CodedFrameGroup(frames=[pb.CodedFrame(visual_tokens=7)]).SerializeToString()
    more = bytes([0x98, 0x01, 0x07]) + bytes([0xA1, 0x01]) + bytes(8) + bytes([0xAD, 0x01]) + bytes(4)
    assert newest_frame(more + known + more) == SEEN
    with pytest.raises(BadMessage):
        newest_frame(later)


@given(st.binary(max_size=100), groups, st.integers(0, 2_000))
def test_no_bytes_break_the_reader(junk: bytes, group: FrameGroup, cut: int) -> None:
    for payload in (junk, encode_group(group)[:cut], encode_group(group)[:cut] + junk):
        try:
            frame = newest_frame(payload)
        except BadMessage:
            continue
        assert frame.jpeg
        assert frame.session


@pytest.mark.parametrize("box", [(0, 0, 5_000, 5_000), (640, 0, 1, 1), (0, 384, 1, 1), (0, 0, 1, 385)])
async def test_a_box_of_no_part_of_the_frame_is_refused_and_one_over_its_edge_is_not(
    nats_server: NatsServer, box: tuple[int, int, int, int]
) -> None:
    async with Module.connect("zones", url=nats_server.url) as module:
        with pytest.raises(BadObservation, match=r"the box is .*, and the frame has 640 x 384 pixels"):
            await module.observe(SEEN, kind="zone", text="x", box=box)
        await module.observe(SEEN, kind="zone", text="x", box=(600, 300, 640, 384))


async def test_the_newest_message_of_each_session_waits() -> None:
    newest = NewestOfEach(2)
    assert [newest.put("a", b"1"), newest.put("b", b"1"), newest.put("a", b"2")] == [False, False, True]
    assert newest.put("c", b"1"), "the one that has waited longest makes way"
    assert [await newest.take(), await newest.take()] == [b"1", b"1"]
    waiting = asyncio.ensure_future(newest.take())
    await asyncio.sleep(0)
    newest.wake()
    assert await waiting is None


@pytest.fixture
async def ingestion(nats_server: NatsServer) -> AsyncIterator[Nats]:
    """A connection that publishes what a module hears."""
    connection = await nats.connect(nats_server.url)
    yield connection
    await connection.close()


def group(session: str, number: int) -> tuple[str, bytes]:
    """A group of two pictures, of which the second shows the number."""
    key = SessionKey("demo", session)
    pictures = (BusFrame(b"early", 64, 38, AT_US + number), BusFrame(b"%d" % number, 640, 384, AT_US + number))
    return subjects.raw_frames(key), encode_group(FrameGroup(key, 1_000 * number, number, pictures, 1))


async def test_a_module_sees_the_newest_picture_of_each_session_in_turn(
    nats_server: NatsServer, ingestion: Nats
) -> None:
    async with Module.connect("zones", url=nats_server.url) as module:
        seen = module.frames()
        first = asyncio.ensure_future(anext(seen))
        while not first.done():  # it subscribes when it is asked for the first picture
            await ingestion.publish(*group("s-1", 0))
            await asyncio.wait({first}, timeout=0.05)
        assert first.result() == Frame("s-1", b"0", 640, 384, AT_US, 0.0)
        await ingestion.publish(*group("s-9", 0))
        while (await anext(seen)).session != "s-9":
            pass  # one that was published while it subscribed
        skipped = module.skipped
        for number in range(1, 6):
            await ingestion.publish(*group("s-1", number))
        await ingestion.publish(*group("s-2", 1))
        await ingestion.publish(subjects.raw_frames(KEY), b"junk")
        await ingestion.publish(subjects.raw_frames(SessionKey("demo", "s-0")), b"", headers={"Vigil-Inquiry": "asked"})
        await ingestion.publish(*group("s-1", 6))
        await ingestion.publish(*group("s-3", 1))
        await ingestion.flush()
        await eventually(lambda: module.skipped == skipped + 6, what="the older pictures made way")
        await handled(ingestion)
        async with asyncio.timeout(DEADLINE_S):
            found = [await anext(seen) for _ in range(3)]
        assert [(frame.session, frame.jpeg) for frame in found] == [("s-1", b"6"), ("s-2", b"1"), ("s-3", b"1")]
        assert found[0].time_s == 6.0


async def test_one_session_can_be_looked_at_alone(nats_server: NatsServer, ingestion: Nats) -> None:
    async with Module.connect("zones", url=nats_server.url) as module:
        seen = module.frames(session="s-2")
        first = asyncio.ensure_future(anext(seen))
        while not first.done():
            await ingestion.publish(*group("s-1", 1))
            await ingestion.publish(*group("s-2", 1))
            await asyncio.wait({first}, timeout=0.05)
        assert first.result().session == "s-2"


async def test_what_it_notices_is_an_observation_by_the_contract(nats_server: NatsServer, ingestion: Nats) -> None:
    heard: asyncio.Queue[Msg] = asyncio.Queue()
    await ingestion.subscribe(subjects.observations_of(KEY), cb=heard.put)
    await handled(ingestion)
    async with Module.connect("zones", url=nats_server.url) as module:
        ids = [
            await module.observe(
                SEEN, kind="zone", text="Ein Mann, 男, 👋.", confidence=0.9, ttl_s=2.5, box=(10, 20, 30, 40)
            ),
            await module.observe(SEEN, kind="zone", text="x"),
            await module.tell("s-1", kind="temperature", text="31 degrees", capture_time_us=AT_US + 1),
            await module.tell("s-1", kind="temperature", text="32 degrees"),
        ]
        async with asyncio.timeout(DEADLINE_S):
            messages = [await heard.get() for _ in ids]
    read = [read_observation(message.subject, message.data) for message in messages]
    assert {key for key, _ in read} == {KEY}
    full, plain, timed, now = (seen for _, seen in read)
    assert full == Observation("zones", "zone", "Ein Mann, 男, 👋.", AT_US, ids[0], 0.9, 2_500, Box(10, 20, 30, 40))
    assert plain == Observation("zones", "zone", "x", AT_US, ids[1])
    assert (timed.capture_time_us, timed.kind) == (AT_US + 1, "temperature")
    assert now.capture_time_us > AT_US
    assert len(set(ids)) == len(ids)


async def test_it_hears_what_happens_to_sessions(nats_server: NatsServer, ingestion: Nats) -> None:
    data = SessionData("demo", "s-1", "lobby", "", "", "the client ended it")
    ended = session_outgoing(Lifecycle.ENDED, data, created_us=1, number=0, emit_time_us=AT_US)
    async with Module.connect("zones", url=nats_server.url) as module:
        news = module.sessions()
        first = asyncio.ensure_future(anext(news))
        while not first.done():
            await ingestion.publish(ended.subject, ended.payload)
            await asyncio.wait({first}, timeout=0.05)
        assert first.result() == SessionNews("ended", "s-1", "lobby", "the client ended it", first.result().raw)


async def test_a_reader_that_leaves_is_unsubscribed(nats_server: NatsServer, ingestion: Nats) -> None:
    async with Module.connect("zones", url=nats_server.url) as module:
        seen = module.frames()
        first = asyncio.ensure_future(anext(seen))
        while not first.done():
            await ingestion.publish(*group("s-1", 0))
            await asyncio.wait({first}, timeout=0.05)
        await seen.aclose()  # type: ignore[attr-defined]  # it is a generator
        skipped = module.skipped
        for number in range(5):
            await ingestion.publish(*group("s-1", number))
        await ingestion.flush()
        await module.observe(SEEN, kind="zone", text="x")  # the server has answered twice since
        assert module.skipped == skipped


async def test_while_nats_is_away_observations_are_dropped_and_pictures_go_on_afterwards(
    nats_server: NatsServer, ingestion: Nats
) -> None:
    faults: list[str] = []
    async with Module.connect("zones", url=nats_server.url, on_fault=faults.append) as module:
        seen = module.frames()
        first = asyncio.ensure_future(anext(seen))
        while not first.done():
            await ingestion.publish(*group("s-1", 0))
            await asyncio.wait({first}, timeout=0.05)
        await nats_server.kill()
        await eventually(lambda: faults, what="the fault is told")
        await module.observe(SEEN, kind="zone", text="x")
        assert module.dropped == 1
        await nats_server.start()
        await eventually(lambda: faults[-1] == "", what="the fault has ended")
        again = asyncio.ensure_future(anext(seen))
        fresh = await nats.connect(nats_server.url)
        while not again.done():
            await fresh.publish(*group("s-1", 1))
            await asyncio.wait({again}, timeout=0.05)
        assert again.result().jpeg in (b"0", b"1")
        await module.observe(SEEN, kind="zone", text="x")
        assert module.dropped == 1
        await fresh.close()


USERS = """
authorization {{
  users: [{{user: "module.demo.zones", password: "x",
            permissions: {{publish: {publish}, subscribe: {subscribe}}}}}]
}}
"""


def rights(allowed: Permissions) -> str:
    """The configuration of a server that lets a module do this."""
    publish, subscribe = (
        "[" + ", ".join(f'"{subject}"' for subject in listed) + "]" for listed in (allowed.publish, allowed.subscribe)
    )
    return USERS.format(publish=publish, subscribe=subscribe)


@pytest.fixture
async def strict(tmp_path: Any) -> AsyncIterator[str]:
    """The address of the module `demo/zones` at a server that lets it do what a module may."""
    server = NatsServer(tmp_path / "strict", rights(of_module(ModuleId("demo", "zones"))))
    await server.start()
    yield server.url.replace("nats://", "nats://module.demo.zones:x@")
    await server.kill()


async def test_its_name_and_tenant_stand_in_its_address(strict: str) -> None:
    async with Module.connect(url=strict) as module:
        assert (module.tenant, module.name) == ("demo", "zones")
        await module.observe(SEEN, kind="zone", text="x")
        assert module.dropped == 0


@pytest.mark.parametrize("wanted", [{"name": "faces"}, {"tenant": "acme"}])
async def test_the_address_of_another_module_is_refused_at_once(strict: str, wanted: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="the address is that of demo/zones") as caught:
        async with Module.connect(url=strict, **wanted):
            pass
    assert "vigil modules add" in caught.value.next_step


async def test_an_address_without_a_name_needs_one(nats_server: NatsServer) -> None:
    with pytest.raises(ClientError, match="names no module"):
        async with Module.connect(url=nats_server.url):
            pass


@pytest.mark.parametrize("name", ["my zones", "a.b", "*", "x" * 65])
async def test_a_name_that_no_module_can_have_is_refused(nats_server: NatsServer, name: str) -> None:
    with pytest.raises(BadSubject):
        async with Module.connect(name, url=nats_server.url):
            pass


async def test_what_nats_forbids_is_said_where_it_was_tried(strict: str, tmp_path: Any) -> None:
    deaf = NatsServer(tmp_path / "deaf", rights(Permissions(("nothing",), ("nothing",))))
    await deaf.start()
    faults: list[str] = []
    url = deaf.url.replace("nats://", "nats://module.demo.zones:x@")
    async with Module.connect(url=url, on_fault=faults.append) as module:
        with pytest.raises(ClientError, match="does not let this user speak on"):
            await module.observe(SEEN, kind="zone", text="x")
        with pytest.raises(ClientError, match="does not let this user hear"):
            await anext(module.frames())
    await deaf.kill()


async def test_a_server_that_is_away_is_named_without_the_password() -> None:
    with pytest.raises(Unreachable) as caught:
        async with Module.connect(url=f"nats://module.demo.zones:secret@127.0.0.1:{free_port()}"):
            pass
    assert "secret" not in caught.value.message


async def test_a_password_that_holds_no_longer_ends_the_connection_and_says_so(tmp_path: Any) -> None:
    allowed = rights(of_module(ModuleId("demo", "zones")))
    server = NatsServer(tmp_path / "changing", allowed)
    await server.start()
    faults: list[str] = []
    url = server.url.replace("nats://", "nats://module.demo.zones:x@")
    async with Module.connect(url=url, on_fault=faults.append) as module:
        waiting = asyncio.ensure_future(anext(module.frames()))
        await asyncio.wait({waiting}, timeout=0.05)
        await server.kill()
        changed = NatsServer(tmp_path / "changed", allowed.replace('password: "x"', 'password: "y"'))
        changed.port = server.port
        await changed.start()
        with pytest.raises(NotAdmitted, match=r"does not let the user module\.demo\.zones in") as caught:
            await asyncio.wait_for(waiting, DEADLINE_S)
        assert "vigil modules add zones --tenant demo" in caught.value.next_step
        assert ":x@" not in caught.value.message
        with pytest.raises(NotAdmitted):
            await module.tell("s-1", kind="zone", text="x")
    assert faults == ["the connection to NATS was lost: connecting again"]
    await changed.kill()


async def test_a_first_connection_that_is_refused_is_no_server_that_is_away(strict: str) -> None:
    with pytest.raises(NotAdmitted, match=r"does not let the user module\.demo\.faces in"):
        async with Module.connect(url=strict.replace("zones", "faces")):
            pass


async def test_a_kind_or_a_session_that_cannot_be_one_is_refused(nats_server: NatsServer) -> None:
    async with Module.connect("zones", url=nats_server.url) as module:
        with pytest.raises(BadSubject, match="kind 'Mean Brightness' is not allowed: it has 1 to 64 letters") as caught:
            await module.observe(SEEN, kind="Mean Brightness", text="x")
        assert caught.value.next_step == "choose another, such as 'Mean-Brightness'"
        kind: Any = 42
        with pytest.raises(BadSubject, match="kind"):
            await module.observe(SEEN, kind=kind, text="x")
        with pytest.raises(BadSubject, match="session"):
            await module.tell("*", kind="zone", text="x")


def test_a_traceback_shows_what_to_do() -> None:
    assert ClientError("it failed", "try again").__notes__ == ["next: try again"]
