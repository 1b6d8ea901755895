"""Recalling from an archive in the store: lines with times and pictures, bounds, and what is refused."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from vigil.contract.errors import InvalidMessage
from vigil.core.ids import SessionKey
from vigil.core.memory import Block, MemoryLimits, block_id
from vigil.core.recall import MAX_LINES
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.task import KeyFrame
from vigil.core.turn import Exchange, FrameRef, Reply, Turn
from vigil.runtime.errors import StoreUnavailable
from vigil.runtime.store.memory_archive import Archive, ArchivedBlock
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.testing.eventually import eventually
from vigil.v1 import memory_pb2 as pb
from vigil_memory.recall.recaller import ArchiveRecaller
from vigil_memory.recall.semantics import Semantics
from vigil_memory.recall.vectors import Vectors

KEY = SessionKey("demo", "s-1")
SPEC = SessionSpec("demo", "s-1", Source("lobby", SourceKind.RTSP, "rtsp://camera/1"), "joyai", "m")
ORIGIN_US = 1_795_932_000_000_000  # 2026-11-29 06:00 UTC
BLOCK = Block(
    block_id(0, 90_000, 0),
    0,
    0,
    90_000,
    "At 12 seconds a blue bag was left. At 40 seconds someone put the keys on the table.",
)
SAID = Exchange("Which locker is mine?", 60_000, "Number 42.", 61_000)
OPEN = Exchange("Who has the locker?", 70_000)


def request(question: str, **fields: Any) -> pb.RecallRequest:
    made: dict[str, Any] = {"tenant": "demo", "session": "s-1", "time_ms": 8_000_000, "origin_us": ORIGIN_US} | fields
    return pb.RecallRequest(question=question, **made)


class Shelf:
    """An archive that is there at once, or never, of a session with this time zone."""

    def __init__(self, archive: Archive | None = None, time_zone: str = "") -> None:
        self.archive_kept = archive
        self.time_zone = time_zone

    async def spec(self, key: SessionKey) -> SessionSpec:
        return replace(SPEC, memory=MemoryLimits(time_zone=self.time_zone))

    async def archive(self, key: SessionKey) -> Archive:
        if self.archive_kept is None:
            await asyncio.get_running_loop().create_future()
        return self.archive_kept or Archive()


ARCHIVE = Archive((ArchivedBlock(BLOCK),), (SAID, OPEN), (KeyFrame("u-35", 35_000),))


async def test_what_a_session_archived_is_recalled_from_redis(redis: Redis) -> None:
    sessions = SessionStore(redis)
    await sessions.create(replace(SPEC, memory=MemoryLimits(time_zone="Asia/Tokyo")))
    await sessions.take(KEY, 1)
    turn = Turn(0, 35_000, (FrameRef("u-35", 32, 32),), "</silence>")
    state = SessionState(1, 35_000, Chunk(turns=(turn,)))
    await sessions.commit(KEY, 1, Commit(state, turn, frames=(("u-35", b"jpeg"),)))
    frame = KeyFrame("u-35", 35_000)
    archived = (ArchivedBlock(BLOCK, (frame,)), SAID)
    await sessions.commit(KEY, 1, Commit(state, turn, restart=True, archived=archived, key_frames=(frame,)))
    found = await ArchiveRecaller(sessions).recall(request("Where are the keys?"))
    assert found.lines[0].text == "At 40 seconds someone put the keys on the table."
    assert (found.lines[0].from_ms, found.lines[0].kind, list(found.lines[0].frame_ids)) == (40_000, "block", ["u-35"])
    timed = await ArchiveRecaller(sessions).recall(request("What happened between 15:00 and 15:01?"))
    assert (timed.from_ms, timed.to_ms) == (0, 60_000), "in Tokyo it is 15:00"


async def test_what_modules_noticed_is_recalled_with_its_time(redis: Redis) -> None:
    sessions = SessionStore(redis)
    await sessions.create(SPEC)
    await sessions.take(KEY, 1)
    lines = (
        "faces (face, 0.92) at 30.0 seconds: Anna is at the door. She waits.",
        "mqtt (heat) at 41.0 seconds: 41 degrees",
    )
    await sessions.commit(KEY, 1, Commit(SessionState(1, 35_000), archived=(ArchivedBlock(BLOCK, (), lines),)))
    assert (await sessions.archive(KEY)).blocks[0].observed == lines
    found = (await ArchiveRecaller(sessions).recall(request("When was Anna there?"))).lines
    assert (found[0].text, found[0].kind, found[0].from_ms) == (lines[0], "observation", 30_000)


async def test_a_session_that_is_gone_has_nothing(redis: Redis) -> None:
    assert not (await ArchiveRecaller(SessionStore(redis)).recall(request("Where are the keys?"))).lines


async def test_only_exchanges_with_an_answer_are_recalled() -> None:
    lines = (await ArchiveRecaller(Shelf(ARCHIVE)).recall(request("Whose locker is it?"))).lines
    assert [line.text for line in lines] == [
        'At 60 seconds: Asked: "Which locker is mine?" Answered: "Number 42."',
    ]
    assert lines[0].kind == "exchange"


async def test_an_exchange_is_recalled_with_its_newest_replies_in_order() -> None:
    replies = tuple(Reply(at_ms, f"Reply {at_ms}.") for at_ms in (61_000, 63_000, 64_000))
    said = Exchange("Which locker is mine?", 60_000, "Number 42.", 62_000, replies=replies)
    lines = (await ArchiveRecaller(Shelf(Archive(exchanges=(said,)))).recall(request("Whose locker is it?"))).lines
    assert lines[0].text.endswith('Answered: "Number 42. Reply 63000. Reply 64000."')


async def test_the_zone_of_the_request_comes_before_that_of_its_session_and_that_before_the_service() -> None:
    recaller = ArchiveRecaller(Shelf(ARCHIVE), "Asia/Shanghai")
    at_two = "What happened between 14:00 and 14:01?"  # 06:00 UTC
    assert (await recaller.recall(request(at_two))).to_ms == 60_000
    utc = await recaller.recall(request(at_two.replace("14", "06"), time_zone="UTC"))
    assert utc.lines[0].text == "At 12 seconds a blue bag was left."
    tokyo = ArchiveRecaller(Shelf(ARCHIVE, "Asia/Tokyo"), "Asia/Shanghai")
    assert (await tokyo.recall(request(at_two.replace("14", "15")))).to_ms == 60_000
    assert (await tokyo.recall(request(at_two.replace("14", "06"), time_zone="UTC"))).to_ms == 60_000


async def test_what_is_near_in_meaning_is_recalled_with_what_holds_the_words() -> None:
    class Meaning:
        """A model to which luggage and bags are the same."""

        async def embed(self, texts: Sequence[str], deadline_s: float) -> list[list[float]]:
            return [[1.0, 0.0] if "bag" in text or "luggage" in text else [0.0, 1.0] for text in texts]

    semantics = Semantics(Meaning(), Vectors(1 << 20), least=0.5)
    recaller = ArchiveRecaller(Shelf(ARCHIVE), semantics=semantics)

    async def found() -> bool:
        lines = (await recaller.recall(request("Whose luggage is it?"))).lines
        return [line.text for line in lines][:1] == ["At 12 seconds a blue bag was left."]

    await eventually(found, what="it is found by its meaning")
    await semantics.close()
    assert not (await ArchiveRecaller(Shelf(ARCHIVE)).recall(request("Whose luggage is it?"))).lines


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"tenant": "a.b"}, "tenant"),
        ({"session": ""}, "session"),
        ({"time_zone": "Mars/Base"}, "no time zone"),
        ({"time_zone": "../etc/passwd"}, "no time zone"),
        ({"time_ms": -1}, "model time"),
    ],
)
async def test_a_request_that_cannot_be_answered_says_why(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidMessage, match=why):
        await ArchiveRecaller(Shelf(ARCHIVE)).recall(request("Where?", **fields))


async def test_a_question_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="shorten"):
        await ArchiveRecaller(Shelf(ARCHIVE)).recall(request("a" * 2_001))


async def test_a_store_that_does_not_answer_is_given_up() -> None:
    recaller = ArchiveRecaller(Shelf(), deadline_s=0.05)
    found = await asyncio.gather(*(recaller.recall(request("Where?")) for _ in range(10)), return_exceptions=True)
    assert all(isinstance(error, StoreUnavailable) for error in found)


async def test_nobody_gets_more_lines_than_the_service_gives() -> None:
    blocks = [
        ArchivedBlock(
            Block(block_id(at, at + 1_000, 0), 0, at, at + 1_000, f"Somebody left {at} bags. A car came. Rain.")
        )
        for at in range(0, 90_000, 1_000)
    ]
    recaller = ArchiveRecaller(Shelf(Archive(tuple(blocks))))
    assert len((await recaller.recall(request("What of the bags and the car?", max_lines=100))).lines) <= MAX_LINES
    assert len((await recaller.recall(request("What of the bags?", max_lines=2))).lines) == 2
