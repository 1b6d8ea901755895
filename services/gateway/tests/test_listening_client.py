"""The SDK's `listen` against a real gateway: what it gives, and what it says where there is nothing to hear."""

import asyncio
import json

import aiohttp
import pytest

from vigil.contract import subjects
from vigil.contract.audio import SpokenChunk, SpokenWord, VoiceActivity, VoiceState, encode_activity, encode_spoken
from vigil.contract.events.speech import Spoken, speech_outgoing
from vigil.contract.events.transcripts import Transcript, transcript_outgoing
from vigil.contract.subject_tokens import SpeechEvent
from vigil.core.hearing import Became, Origin
from vigil.core.ids import SessionKey
from vigil.core.voice import SpeechKind
from vigil.runtime.bus.client import Bus
from vigil.runtime.session.lifecycle import now_us
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil_client.api import Client
from vigil_client.errors import Invalid, NotFound, Unauthorised
from vigil_client.events import Connection, Lifecycle
from vigil_client.sound import Activity, SoundEvent, SpokenSound
from vigil_client.sound import SpokenWord as HeardWord
from vigil_client.speech import SpeechNews
from vigil_client.speech import Transcript as Said
from vigil_gateway.testing.gateways import KEYS

SPEECH = {"hearing": {"is_on": True}, "voice": {"is_on": True}}


async def opened(http: aiohttp.ClientSession, **options: object) -> SessionKey:
    """A session whose pictures are pushed."""
    async with http.post("/v1/sessions", json={"source": {"kind": "pushed"}} | options) as answer:
        created = await answer.json()
        assert answer.status == 201, created
        return SessionKey("demo", str(created["id"]))


async def test_all_that_a_session_hears_and_speaks_is_given(
    front: str, http: aiohttp.ClientSession, workers: None, bus: Bus
) -> None:
    key = await opened(http, **SPEECH)
    said = Transcript(key, "cam", "t-1", "Is", now_us(), now_us(), None, "en", Origin.MICROPHONE, "test")
    final = Transcript(
        key, "cam", "t-1", "Is it?", now_us(), now_us(), 0.9, "en", Origin.MICROPHONE, "test", Became.QUERY, "q-1"
    )
    partial, stored = transcript_outgoing(said, now_us()), transcript_outgoing(final, now_us())
    spoken = SpokenChunk(key, "u-1", 0, "It is.", 0, 24_000, b"\5\0" * 240, (SpokenWord(0, 2, 0, 9),), is_last=True)
    ended = speech_outgoing(SpeechEvent.ENDED, Spoken(key, "cam", "u-1", SpeechKind.ANSWER, "It is.", "It is."), 1)
    activity = VoiceActivity(key, VoiceState.STOPPED, now_us(), Origin.MICROPHONE, "m-1")
    await bus.connected()
    found: dict[type[SoundEvent], SoundEvent] = {}

    async def all_live_is_heard() -> bool:
        """Tells it again until it is: what is not stored is lost on who has not subscribed yet."""
        await bus.publish(partial.subject, partial.payload)
        await bus.publish(subjects.voice_activity(key), encode_activity(activity))
        await bus.publish(subjects.audio_out(key), encode_spoken(spoken))
        return found.keys() >= {Connection, Said, Activity, SpokenSound}

    async def listen() -> None:
        async with Client(front, KEYS["demo"]) as client:
            async for event in client.listen(key.session):
                found.setdefault(type(event), event)
                if isinstance(event, Lifecycle) and event.ended:
                    return

    listening = asyncio.create_task(listen())
    await eventually(all_live_is_heard, what="what is live is heard")
    await bus.publish_stored(stored)
    await bus.publish_stored(ended)
    await eventually(lambda: SpeechNews in found, what="what is stored is heard")
    async with http.delete(f"/v1/sessions/{key.session}") as answer:
        assert answer.status == 204
    await asyncio.wait_for(listening, DEADLINE_S)
    assert found.keys() == {Connection, Said, Activity, SpokenSound, SpeechNews, Lifecycle}
    heard = found[SpokenSound]
    assert isinstance(heard, SpokenSound)
    assert (heard.pcm, heard.words, heard.is_last) == (b"\5\0" * 240, (HeardWord(0, 2, 0, 9),), True)
    first = found[Said]
    assert isinstance(first, Said)
    assert (first.text, first.raw) == ("Is", json.loads(partial.payload))


async def test_where_there_is_nothing_to_hear_the_gateway_says_why(
    front: str, http: aiohttp.ClientSession, workers: None
) -> None:
    silent, over = await opened(http), await opened(http, **SPEECH)
    await http.delete(f"/v1/sessions/{over.session}")
    async with asyncio.timeout(DEADLINE_S), Client(front, KEYS["demo"]) as client:
        with pytest.raises(Invalid, match="neither hears nor speaks"):
            await _heard(client, silent.session)
        with pytest.raises(Invalid, match="ended"):
            await _heard(client, over.session)
        with pytest.raises(NotFound):
            await _heard(client, "s-nowhere")
    async with Client(front, "a-wrong-key") as stranger:
        with pytest.raises(Unauthorised):
            await _heard(stranger, silent.session)


async def _heard(client: Client, session: str) -> SoundEvent:
    """The first event of `listen`."""
    async for event in client.listen(session):
        return event
    raise AssertionError("listening ended by itself")
