"""What was said to a session, listed from the stream of transcripts; and what an operator has it say."""

import asyncio
from asyncio import TaskGroup
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.events.envelope import decode_event
from vigil.contract.events.transcripts import Transcript, transcript_outgoing
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.core.hearing import Became, Origin
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually

NOW_US = 1_767_225_600_000_000
HOUR_US = 3_600_000_000
LOUD = {"source": {"kind": "pushed"}, "voice": {"is_on": True}}


def said(session: str, number: int) -> Outgoing:
    begin_us = NOW_US + number * 1_000_000
    became = Became.QUERY if number % 2 else Became.NOISE
    key = SessionKey("demo", session)
    text, question = f"Number {number}?", f"q-{number}" if number % 2 else ""
    transcript = Transcript(
        key, "cam", f"said-{number}", text, begin_us, begin_us + 1, 0.9, "en", Origin.MICROPHONE, "w", became, question
    )
    return transcript_outgoing(transcript, begin_us + 2)


async def fill(bus: Bus, session: str, count: int, first: int = 0) -> None:
    """Store so many transcripts, each beside some of other sessions."""
    for number in range(first, first + count):
        await bus.publish_stored(said(session, number))
        for other in range(number % 7):
            await bus.publish_stored(said(f"s-other-{other}", number))


async def transcripts(http: aiohttp.ClientSession, session: str, query: str = "") -> tuple[list[str], str | None]:
    """What was said according to an answer, and its `next`."""
    async with http.get(f"/v1/sessions/{session}/transcripts{query}") as answer:
        body = await answer.json()
        assert answer.status == 200, body
    return [transcript["text"] for transcript in body["transcripts"]], body["next"]


def numbers(newest: int, oldest: int) -> list[str]:
    return [f"Number {number}?" for number in range(newest, oldest - 1, -1)]


async def test_the_newest_come_first_and_pages_lead_back_to_the_beginning(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    assert await transcripts(http, session) == ([], None)
    await fill(bus, session, 25)
    first, place = await transcripts(http, session, "?limit=10")
    assert first == numbers(24, 15)
    second, place = await transcripts(http, session, f"?limit=10&before={place}")
    assert second == numbers(14, 5)
    third, end = await transcripts(http, session, f"?limit=10&before={place}")
    assert (third, end) == (numbers(4, 0), None)
    assert await transcripts(http, session, "?limit=25") == (numbers(24, 0), None)
    assert await transcripts(http, session, "?before=1") == ([], None)


async def test_more_than_a_page_of_the_stream_is_read_whole(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    for number in range(300):
        await bus.publish_stored(said(session, number))
    found, place = await transcripts(http, session, "?limit=290")
    assert found == numbers(299, 10)
    assert await transcripts(http, session, f"?before={place}") == (numbers(9, 0), None)


async def test_a_transcript_says_all_that_its_event_says(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    await bus.publish_stored(said(session, 1))
    async with http.get(f"/v1/sessions/{session}/transcripts") as answer:
        (found,) = (await answer.json())["transcripts"]
    data: dict[str, Any] = decode_event(said(session, 1).payload).data
    left_out = {"tenant", "session", "source_id", "stable_chars"}
    times = {"begin_time", "end_time", "emit_time"}
    assert {name: found[name] for name in found if name not in times} == {
        name: data[name] for name in data if name not in times | left_out
    }
    assert set(found) == set(data) - left_out


async def test_what_is_no_transcript_is_passed_over(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    subject = subjects.transcript(SessionKey("demo", session))
    await bus.publish_stored(Outgoing(subject, "broken-1", b"\xff", CLOUDEVENT))
    await fill(bus, session, 3)
    await bus.publish_stored(Outgoing(subject, "broken-2", b"{}", CLOUDEVENT))
    assert await transcripts(http, session) == (numbers(2, 0), None)


async def test_an_earlier_session_of_the_same_id_is_another_one(
    http: aiohttp.ClientSession, session: str, bus: Bus, store: SessionStore
) -> None:
    await fill(bus, session, 5)

    def made_later(before: SessionSpec) -> SessionSpec:
        """As if what is stored was said to a session that ended an hour before this one was made."""
        return replace(before, created_us=before.created_us + HOUR_US)

    await store.change_spec(SessionKey("demo", session), made_later)
    assert await transcripts(http, session) == ([], None)


@pytest.mark.parametrize("query", ["?limit=0", "?limit=501", "?before=-1", "?before=x"])
async def test_bounds_are_told(http: aiohttp.ClientSession, session: str, query: str) -> None:
    async with http.get(f"/v1/sessions/{session}/transcripts{query}") as answer:
        assert answer.status == 422
        assert query[1:].partition("=")[0] in (await answer.json())["detail"]


async def test_another_tenants_transcripts_are_not_there(rival: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    await fill(bus, session, 2)
    async with rival.get(f"/v1/sessions/{session}/transcripts") as answer:
        assert (answer.status, (await answer.json())["type"]) == (404, "urn:vigil:problem:unknown_session")


@pytest.fixture
async def loud(http: aiohttp.ClientSession, workers: None) -> str:
    """The id of a session that speaks."""
    async with http.post("/v1/sessions", json=LOUD) as answer:
        assert answer.status == 201
        return str((await answer.json())["id"])


async def say(http: aiohttp.ClientSession, session: str, text: str) -> int:
    """The status of an announcement."""
    async with http.post(f"/v1/sessions/{session}/say", json={"text": text}) as answer:
        return answer.status


async def take_voice(placement: Placement) -> Claim:
    """Hear what the open session is to say, as a tts worker does."""
    [claim] = await placement.claim(Role.TTS, "tts-1", 1)
    await placement.take_up(Role.TTS, claim)
    return claim


async def test_what_an_operator_says_is_told_to_the_voice_of_the_session(
    http: aiohttp.ClientSession, loud: str, bus: Bus, placement: Placement
) -> None:
    await bus.connected()
    await take_voice(placement)
    async with bus.subscribe(subjects.announcement(SessionKey("demo", loud)), 4) as announcements:
        async with http.post(f"/v1/sessions/{loud}/say", json={"text": "Leave the building."}) as answer:
            body = await answer.json()
            assert (answer.status, body["session"]) == (202, loud)
        async with asyncio.timeout(DEADLINE_S):
            event = decode_event((await anext(announcements)).payload)
    assert (event.type, event.subject, event.id.rpartition(".")[2]) == ("vigil.announcement", body["id"], body["id"])
    assert (event.data["text"], event.data["session"]) == ("Leave the building.", loud)


async def voice_is_looked_for(redis: Redis) -> None:
    """Return when the gateway has asked Redis for the session's lease since `config_resetstat`."""

    async def is_asked() -> bool:
        return "cmdstat_zscore" in await redis.info("commandstats")

    await eventually(is_asked, what="the gateway asks for a voice")


async def test_what_an_operator_says_right_after_the_opening_waits_for_the_voice(
    http: aiohttp.ClientSession, loud: str, bus: Bus, placement: Placement, redis: Redis
) -> None:
    await bus.connected()
    async with bus.subscribe(subjects.announcement(SessionKey("demo", loud)), 4) as announcements, TaskGroup() as tasks:
        await redis.config_resetstat()
        saying = tasks.create_task(say(http, loud, "Hello."))
        await voice_is_looked_for(redis)
        [claim] = await placement.claim(Role.TTS, "tts-1", 1)
        assert not saying.done()
        await placement.take_up(Role.TTS, claim)
        assert await saying == 202
        async with asyncio.timeout(DEADLINE_S):
            assert decode_event((await anext(announcements)).payload).data["text"] == "Hello."


async def test_an_announcement_for_a_session_that_ends_before_a_voice_comes_is_told_so(
    http: aiohttp.ClientSession, loud: str, redis: Redis
) -> None:
    async with TaskGroup() as tasks:
        await redis.config_resetstat()
        saying = tasks.create_task(say(http, loud, "Hello."))
        await voice_is_looked_for(redis)
        async with http.delete(f"/v1/sessions/{loud}") as answer:
            assert answer.status == 204
        assert await saying == 409


async def test_an_announcement_that_nobody_would_speak_is_refused(
    http: aiohttp.ClientSession, loud: str, placement: Placement
) -> None:
    claim = await take_voice(placement)
    await placement.release(Role.TTS, "tts-1", [claim])
    async with http.post(f"/v1/sessions/{loud}/say", json={"text": "Hello."}) as answer:
        body = await answer.json()
    assert (answer.status, body["type"]) == (503, "urn:vigil:problem:no_voice")
    assert loud in body["detail"]


@pytest.mark.parametrize("text", ["", " ", "x" * 5_000])
async def test_an_announcement_has_words_and_not_too_many(http: aiohttp.ClientSession, loud: str, text: str) -> None:
    async with http.post(f"/v1/sessions/{loud}/say", json={"text": text}) as answer:
        assert (answer.status, (await answer.json())["type"]) == (422, "urn:vigil:problem:invalid_request")


async def test_a_session_that_does_not_speak_takes_no_announcement(http: aiohttp.ClientSession, session: str) -> None:
    async with http.post(f"/v1/sessions/{session}/say", json={"text": "Hello."}) as answer:
        body = await answer.json()
    assert (answer.status, body["type"]) == (409, "urn:vigil:problem:not_speaking")
    assert "voice.is_on" in body["next_step"]


async def test_a_session_that_has_ended_says_nothing_more(http: aiohttp.ClientSession, loud: str) -> None:
    async with http.delete(f"/v1/sessions/{loud}") as answer:
        assert answer.status == 204
    async with http.post(f"/v1/sessions/{loud}/say", json={"text": "Hello."}) as answer:
        assert (answer.status, (await answer.json())["type"]) == (409, "urn:vigil:problem:session_ended")
