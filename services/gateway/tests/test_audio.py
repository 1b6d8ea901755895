"""The sound of a session over a WebSocket, driven by aiohttp's client: microphones in, spoken words out."""

import asyncio
import itertools
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
import yaml
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.audio import (
    AudioChunk,
    SpokenChunk,
    SpokenWord,
    VoiceActivity,
    VoiceState,
    decode_audio,
    encode_activity,
    encode_spoken,
)
from vigil.contract.events.speech import Spoken, speech_outgoing
from vigil.contract.events.transcripts import Transcript, transcript_outgoing
from vigil.contract.subject_tokens import SpeechEvent
from vigil.core.hearing import Became, Origin
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.core.voice import SpeechKind
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.service import Service
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer
from vigil_gateway.config import GatewaySettings
from vigil_gateway.speech.microphone import MAX_SOUND_BYTES
from vigil_gateway.speech.talk import SPOKEN_WAITING

Json = dict[str, Any]
ASYNCAPI = Path(__file__).parents[3] / "proto" / "asyncapi.yaml"
NEW = {"source": {"kind": "pushed"}, "hearing": {"is_on": True, "turn_taking": "push"}, "voice": {"is_on": True}}
NOW_US = 1_767_225_600_000_000
MICROPHONE = {"type": "microphone", "sample_rate_hz": 16_000}
MS_20 = bytes(640)


class Talk:
    """The client's side: what is told, and what is spoken as its header and its samples."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.told: asyncio.Queue[Json] = asyncio.Queue()
        self.spoken: asyncio.Queue[tuple[Json, bytes]] = asyncio.Queue()

    async def read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                (size,) = struct.unpack_from(">I", message.data)
                self.spoken.put_nowait((json.loads(message.data[4 : 4 + size]), message.data[4 + size :]))
            else:
                self.told.put_nowait(json.loads(message.data))

    async def tells(self, kind: str) -> Json:
        """The next message of that kind; others are passed over."""
        async with asyncio.timeout(DEADLINE_S):
            while (found := await self.told.get())["type"] != kind:
                pass
        return found

    async def opens_microphone(self, **options: Any) -> str:
        """The name of the stream that was accepted."""
        await self.socket.send_json(MICROPHONE | options)
        return str((await self.tells("accepted"))["data"]["id"])

    async def refused(self, message: str | bytes) -> str:
        """The kind of the problem that answers a message."""
        await (self.socket.send_bytes(message) if isinstance(message, bytes) else self.socket.send_str(message))
        return str((await self.tells("problem"))["data"]["type"]).removeprefix("urn:vigil:problem:")


@asynccontextmanager
async def talking(http: aiohttp.ClientSession, session: str, **options: Any) -> AsyncIterator[Talk]:
    async with http.ws_connect(f"/v1/sessions/{session}/audio", **options) as socket:
        talk = Talk(socket)
        reading = asyncio.create_task(talk.read())
        await talk.tells("status")
        yield talk
        reading.cancel()
        await asyncio.wait({reading})


async def opened(http: aiohttp.ClientSession, **options: Any) -> str:
    async with http.post("/v1/sessions", json=NEW | options) as answer:
        created = await answer.json()
        assert answer.status == 201, created
        return str(created["id"])


@pytest.fixture
async def talkative(http: aiohttp.ClientSession, workers: None) -> str:
    """The id of a session that hears and speaks."""
    return await opened(http)


@asynccontextmanager
async def hearing(bus: Bus, session: str) -> AsyncIterator[Any]:
    """The chunks that the session hears, as asr gets them."""
    await bus.connected()
    async with bus.subscribe(subjects.audio_in(SessionKey("demo", session)), capacity=200) as messages:

        async def take(count: int) -> list[AudioChunk]:
            async with asyncio.timeout(DEADLINE_S):
                return [decode_audio((await anext(messages)).payload) for _ in range(count)]

        yield take


def spoken(session: str, sequence: int, pcm: bytes = bytes(4_800), is_last: bool = False) -> bytes:
    words = (SpokenWord(0, 1, 0, 40), SpokenWord(2, 6, 60, 90))
    key = SessionKey("demo", session)
    return encode_spoken(SpokenChunk(key, "u-1", sequence, "A fire!", 0, 24_000, pcm, words, is_last))


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_microphone_is_heard_in_chunks_with_their_time_and_its_button(
    http: aiohttp.ClientSession, talkative: str, bus: Bus
) -> None:
    async with hearing(bus, talkative) as take, talking(http, talkative) as talk:
        stream = await talk.opens_microphone(is_addressed=True)
        for _ in range(5):
            await talk.socket.send_bytes(b"\1\0" * 800)  # 50 ms
        held = await take(6)
        assert await talk.opens_microphone() == stream, "the button was released: the sound goes on"
        await talk.socket.send_bytes(b"\2\0" * 640)
        (released,) = await take(1)
    assert [chunk.sequence for chunk in (*held, released)] == list(range(7))
    assert {(chunk.key, chunk.origin, chunk.stream) for chunk in held} == {
        (SessionKey("demo", talkative), Origin.MICROPHONE, stream)
    }
    assert [chunk.is_addressed for chunk in (*held, released)] == [True] * 6 + [False]
    assert {len(chunk.pcm) for chunk in held} == {1_280}
    assert all(later.capture_time_us > earlier.capture_time_us for earlier, later in itertools.pairwise(held))


async def test_what_the_session_speaks_comes_with_its_words(
    http: aiohttp.ClientSession, talkative: str, bus: Bus
) -> None:
    subject = subjects.audio_out(SessionKey("demo", talkative))
    await bus.connected()
    async with talking(http, talkative) as talk, asyncio.timeout(DEADLINE_S):
        await bus.publish(subject, b"\xff")  # what cannot be read is passed over
        await bus.publish(subject, spoken(talkative, 0, b"\5\0" * 2_400))
        await bus.publish(subject, spoken(talkative, 1, b"", is_last=True))
        header, pcm = await talk.spoken.get()
        last, silence = await talk.spoken.get()
    assert header == {
        "type": "spoken",
        "utterance": "u-1",
        "sequence": 0,
        "sentence": "A fire!",
        "sentence_begin_char": 0,
        "words": [
            {"begin_char": 0, "end_char": 1, "begin_ms": 0, "end_ms": 40},
            {"begin_char": 2, "end_char": 6, "begin_ms": 60, "end_ms": 90},
        ],
        "sample_rate_hz": 24_000,
        "is_last": False,
        "dropped": 0,
    }
    assert (pcm, last["is_last"], silence) == (b"\5\0" * 2_400, True, b"")


async def test_activity_transcripts_and_speech_are_told_as_they_come(
    http: aiohttp.ClientSession, talkative: str, bus: Bus
) -> None:
    key = SessionKey("demo", talkative)
    said = Transcript(key, "cam", "m-1", "Is the", NOW_US, NOW_US, None, "en", Origin.MICROPHONE, "whisper")
    partial = transcript_outgoing(said, NOW_US)
    final = transcript_outgoing(
        Transcript(key, "cam", "m-1", "Is it?", NOW_US, NOW_US, 0.9, "en", Origin.MICROPHONE, "w", Became.QUERY, "q-1"),
        9,
    )
    started = speech_outgoing(SpeechEvent.STARTED, Spoken(key, "cam", "u-1", SpeechKind.ANSWER, "It is."), NOW_US)
    await bus.connected()
    async with talking(http, talkative) as talk:
        activity = VoiceActivity(key, VoiceState.STARTED, NOW_US, Origin.MICROPHONE, "m-1")
        await bus.publish(subjects.voice_activity(key), encode_activity(activity))
        assert (await talk.tells("activity"))["data"] == {
            "state": "started",
            "time": "2026-01-01T00:00:00.000Z",
            "origin": "microphone",
            "stream": "m-1",
        }
        await bus.publish(partial.subject, partial.payload)
        assert (await talk.tells("transcript"))["data"] == json.loads(partial.payload)
        await bus.publish_stored(final)
        assert (await talk.tells("transcript"))["data"] == json.loads(final.payload)
        await bus.publish_stored(started)
        assert (await talk.tells("speech"))["data"] == json.loads(started.payload)


async def test_transcripts_and_speech_are_live_events_too(
    http: aiohttp.ClientSession, talkative: str, bus: Bus
) -> None:
    key = SessionKey("demo", talkative)
    started = speech_outgoing(SpeechEvent.STARTED, Spoken(key, "cam", "u-1", SpeechKind.ANSWER, "It is."), NOW_US)
    await bus.connected()
    async with http.ws_connect(f"/v1/sessions/{talkative}/ws") as socket, asyncio.timeout(DEADLINE_S):
        assert (await socket.receive_json())["type"] == "status"
        await bus.publish_stored(started)
        assert await socket.receive_json() == {"type": "speech", "data": json.loads(started.payload)}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("{", "malformed_json"),
        ('{"type": "dance"}', "invalid_request"),
        ('{"type": "microphone", "sample_rate_hz": 48000}', "invalid_request"),
        ('{"type": "microphone", "is_addressed": "yes"}', "invalid_request"),
        (MS_20, "sound_refused"),
    ],
)
async def test_what_cannot_be_done_is_told_and_the_connection_stays(
    http: aiohttp.ClientSession, talkative: str, message: str | bytes, kind: str
) -> None:
    async with talking(http, talkative) as talk:
        assert await talk.refused(message) == kind
        assert await talk.opens_microphone()


@pytest.mark.parametrize("pcm", [b"", b"\0", bytes(MAX_SOUND_BYTES + 2)], ids=["nothing", "half a sample", "too much"])
async def test_sound_that_is_not_as_it_must_be_is_refused(
    http: aiohttp.ClientSession, talkative: str, pcm: bytes
) -> None:
    before = sample("vigil_gateway_sound_dropped_total", reason="refused")
    async with talking(http, talkative) as talk:
        await talk.opens_microphone()
        assert await talk.refused(pcm) == "sound_refused"
    assert sample("vigil_gateway_sound_dropped_total", reason="refused") == before + 1


async def test_sound_faster_than_it_can_have_been_recorded_is_refused(
    http: aiohttp.ClientSession, talkative: str
) -> None:
    async with talking(http, talkative) as talk:
        await talk.opens_microphone()
        for _ in range(20):
            await talk.socket.send_bytes(bytes(MAX_SOUND_BYTES))
        problem = (await talk.tells("problem"))["data"]
    assert (problem["type"], "faster" in problem["detail"]) == ("urn:vigil:problem:sound_refused", True)


async def test_a_session_without_speech_has_no_sound(http: aiohttp.ClientSession, session: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(f"/v1/sessions/{session}/audio")
    assert refused.value.status == 409


async def test_a_session_that_only_speaks_takes_no_microphone(http: aiohttp.ClientSession, workers: None) -> None:
    session = await opened(http, hearing={})
    async with talking(http, session) as talk:
        assert await talk.refused(json.dumps(MICROPHONE)) == "not_spoken_to"


async def test_another_tenants_session_is_not_found_and_a_key_is_needed(
    rival: aiohttp.ClientSession, nobody: aiohttp.ClientSession, talkative: str
) -> None:
    for client, status in ((rival, 404), (nobody, 401)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"/v1/sessions/{talkative}/audio")
        assert refused.value.status == status


async def test_a_page_offers_its_key_as_a_protocol(nobody: aiohttp.ClientSession, talkative: str) -> None:
    protocols = ("vigil.v1", "vigil.v1.bearer.a-key-of-demo")
    async with talking(nobody, talkative, protocols=protocols) as talk:
        assert talk.socket.protocol == "vigil.v1"
        assert await talk.opens_microphone()


async def test_a_client_that_reads_slowly_gets_the_newest_and_is_told_what_is_missing(
    http: aiohttp.ClientSession, talkative: str, bus: Bus
) -> None:
    subject, many = subjects.audio_out(SessionKey("demo", talkative)), SPOKEN_WAITING * 5
    await bus.connected()
    before = sample("vigil_gateway_events_dropped_total", kind="spoken")
    async with http.ws_connect(f"/v1/sessions/{talkative}/audio", max_msg_size=0) as socket:
        assert (await socket.receive_json())["type"] == "status"
        for number in range(many):
            await bus.publish(subject, spoken(talkative, number, bytes(20_000)))
            if number % 100 == 0:
                await bus.ping()  # NATS has taken them
        headers: list[Json] = []
        async with asyncio.timeout(DEADLINE_S):
            while not headers or headers[-1]["sequence"] < many - 1:
                message = await socket.receive()
                if message.type is aiohttp.WSMsgType.BINARY:
                    (size,) = struct.unpack_from(">I", message.data)
                    headers.append(json.loads(message.data[4 : 4 + size]))
    missing = sum(header["dropped"] for header in headers)
    assert missing > 0
    assert missing + len(headers) == many
    assert sample("vigil_gateway_events_dropped_total", kind="spoken") == before + missing


async def test_sound_that_cannot_be_published_is_lost_and_the_client_is_told_once(
    http: aiohttp.ClientSession, talkative: str, nats_server: NatsServer
) -> None:
    async with talking(http, talkative) as talk:
        await talk.opens_microphone()
        await nats_server.kill()
        before = sample("vigil_gateway_sound_dropped_total", reason="unpublished")

        async def is_lost() -> bool:
            await talk.socket.send_bytes(bytes(1_280))
            return sample("vigil_gateway_sound_dropped_total", reason="unpublished") >= before + 3

        await eventually(is_lost, what="sound is lost")
        problem = (await talk.tells("problem"))["data"]
        kinds = [message["type"] for message in list(talk.told._queue)]  # type: ignore[attr-defined]
    assert problem["type"] == "urn:vigil:problem:bus_unavailable"
    assert "problem" not in kinds


async def test_the_end_of_the_session_and_of_the_gateway_is_told(
    gateway: Service[GatewaySettings], http: aiohttp.ClientSession, talkative: str
) -> None:
    other = await opened(http)
    async with talking(http, talkative) as ended, talking(http, other) as stopped:
        async with http.delete(f"/v1/sessions/{talkative}") as answer:
            assert answer.status == 204
        assert (await ended.tells("end"))["data"] == {"reason": "the session ended"}
        await eventually(lambda: ended.socket.closed, what="the server closes")
        gateway.stop()
        assert "shutting down" in (await stopped.tells("end"))["data"]["reason"]
        await eventually(lambda: stopped.socket.closed, what="the server closes")
        assert (ended.socket.close_code, stopped.socket.close_code) == (1000, 1001)


async def test_the_published_document_has_these_messages(http: aiohttp.ClientSession, talkative: str, bus: Bus) -> None:
    components = yaml.safe_load(ASYNCAPI.read_text("utf-8"))["components"]

    def check(schema: str, message: Json) -> None:
        where = {"$ref": f"#/components/schemas/{schema}", "components": components}
        jsonschema.Draft202012Validator(where).validate(message)

    key = SessionKey("demo", talkative)
    await bus.connected()
    async with talking(http, talkative) as talk:
        check("AudioRequest", MICROPHONE | {"is_addressed": True})
        await talk.socket.send_json(MICROPHONE)
        check("AudioReply", await talk.tells("accepted"))
        await talk.socket.send_str("{")
        check("AudioReply", await talk.tells("problem"))
        activity = VoiceActivity(key, VoiceState.FALSE_START, NOW_US, Origin.SOURCE, "source-1")
        await bus.publish(subjects.voice_activity(key), encode_activity(activity))
        check("AudioEvent", await talk.tells("activity"))
        await bus.publish(subjects.audio_out(key), spoken(talkative, 0))
        async with asyncio.timeout(DEADLINE_S):
            check("SpokenHeader", (await talk.spoken.get())[0])


async def test_a_session_that_is_to_hear_from_now_on_gets_a_worker_and_takes_a_microphone(
    http: aiohttp.ClientSession, workers: None, redis: Redis
) -> None:
    session = await opened(http, hearing={})
    placement, key = Placement(redis), SessionKey("demo", session)
    assert await placement.lacking(key, [Role.ASR]) == []
    async with talking(http, session) as talk:
        assert await talk.refused(json.dumps(MICROPHONE)) == "not_spoken_to"
        change = {"hearing": {"is_on": True}}
        async with http.patch(f"/v1/sessions/{session}", json=change) as answer:
            changed = await answer.json()
            assert (answer.status, changed["hearing"]["is_on"], changed["voice"]["is_on"]) == (200, True, True)
        assert await talk.opens_microphone()
    assert await placement.lacking(key, [Role.ASR]) == [Role.ASR]
    (claim,) = await placement.claim(Role.ASR, "asr-1", 1)
    assert claim.key == key


async def test_a_session_is_not_changed_to_hear_where_nobody_can(
    http: aiohttp.ClientSession, placement: Placement
) -> None:
    for role in set(Role) - {Role.ASR}:
        await placement.heartbeat(role, f"{role}-1", 2)
    session = await opened(http, hearing={})
    async with http.patch(f"/v1/sessions/{session}", json={"hearing": {"is_on": True}}) as answer:
        assert (answer.status, (await answer.json())["type"]) == (503, "urn:vigil:problem:no_worker")
    async with http.get(f"/v1/sessions/{session}") as answer:
        assert not (await answer.json())["hearing"]["is_on"]
