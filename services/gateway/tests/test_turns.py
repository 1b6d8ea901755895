"""Turns of a session, listed from the stream of decisions."""

from dataclasses import replace

import aiohttp
import pytest

from vigil.contract import subjects
from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.runtime.bus.client import Bus
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.emitted import decided

HOUR_US = 3_600_000_000


async def turns(http: aiohttp.ClientSession, session: str, query: str = "") -> tuple[list[int], int | None]:
    """The sequences of an answer and its `next`."""
    async with http.get(f"/v1/sessions/{session}/turns{query}") as answer:
        body = await answer.json()
        assert answer.status == 200, body
    return [turn["sequence"] for turn in body["turns"]], body["next"]


async def fill(bus: Bus, session: str, count: int, first: int = 0) -> None:
    """Store the decisions of so many turns, each beside some of other sessions."""
    for sequence in range(first, first + count):
        await bus.publish_stored(decided(session, sequence, "Words." if sequence % 5 == 0 else ""))
        for other in range(sequence % 3):
            await bus.publish_stored(decided(f"s-other-{other}", sequence))


async def test_the_newest_come_first_and_pages_lead_back_to_the_beginning(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    assert await turns(http, session) == ([], None)
    await fill(bus, session, 25)
    assert await turns(http, session, "?limit=10") == (list(range(24, 14, -1)), 15)
    assert await turns(http, session, "?limit=10&before=15") == (list(range(14, 4, -1)), 5)
    assert await turns(http, session, "?limit=10&before=5") == ([4, 3, 2, 1, 0], None)
    assert await turns(http, session, "?before=0") == ([], None)
    assert await turns(http, session, "?limit=3&before=900") == ([24, 23, 22], 22)
    assert await turns(http, session) == (list(range(24, -1, -1)), None)


async def test_a_turn_says_all_that_its_decision_event_says(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    await bus.publish_stored(decided(session, 7, "Fire!"))
    async with http.get(f"/v1/sessions/{session}/turns") as answer:
        (turn,) = (await answer.json())["turns"]
    assert turn["p"] == {"silent": 0.9, "speak": 0.08, "delegate": 0.02}
    assert (turn["latency_ms"], turn["prompt_tokens"], turn["cached_tokens"]) == (250.0, 90, 80)
    assert (turn["sequence"], turn["time_s"], turn["action"], turn["text"]) == (7, 7.0, "speak", "Fire!")


async def test_what_is_no_decision_is_passed_over(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    subject = subjects.decision(SessionKey("demo", session))
    await bus.publish_stored(Outgoing(subject, "broken-1", b"\xff", PROTOBUF))
    await fill(bus, session, 3)
    await bus.publish_stored(Outgoing(subject, "broken-2", b"\xff", PROTOBUF))
    await fill(bus, session, 3, first=3)
    assert await turns(http, session, "?limit=4") == ([5, 4, 3, 2], 2)
    assert await turns(http, session, "?limit=4&before=2") == ([1, 0], None)


async def test_more_than_a_page_of_the_stream_is_read_whole(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    for sequence in range(300):
        await bus.publish_stored(decided(session, sequence, "x" * 5_000))
    assert await turns(http, session, "?limit=290") == (list(range(299, 9, -1)), 10)


async def test_an_earlier_session_of_the_same_id_is_another_one(
    http: aiohttp.ClientSession, session: str, bus: Bus, store: SessionStore
) -> None:
    await fill(bus, session, 5)

    def made_later(before: SessionSpec) -> SessionSpec:
        """As if the stored decisions were of a session that ended an hour before this one was made."""
        return replace(before, created_us=before.created_us + HOUR_US)

    await store.change_spec(SessionKey("demo", session), made_later)
    assert await turns(http, session) == ([], None)


async def test_turns_of_an_ended_session_can_still_be_listed(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    await fill(bus, session, 2)
    async with http.delete(f"/v1/sessions/{session}") as answer:
        assert answer.status == 204
    assert await turns(http, session) == ([1, 0], None)


@pytest.mark.parametrize("query", ["?limit=0", "?limit=501", "?before=-1", "?before=x"])
async def test_bounds_are_told(http: aiohttp.ClientSession, session: str, query: str) -> None:
    async with http.get(f"/v1/sessions/{session}/turns{query}") as answer:
        assert answer.status == 422
        assert query[1:].partition("=")[0] in (await answer.json())["detail"]


async def test_another_tenants_turns_are_not_there(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    await fill(bus, session, 2)
    async with rival.get(f"/v1/sessions/{session}/turns") as answer:
        assert (answer.status, (await answer.json())["type"]) == (404, "urn:vigil:problem:unknown_session")
