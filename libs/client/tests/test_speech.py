"""What is said to a session and what it speaks, as the SDK and the commands give it."""

import asyncio
import json
import struct
from typing import Any

import nats
import pytest

from vigil.testing.eventually import DEADLINE_S
from vigil.testing.servers import NatsServer
from vigil_client import speech
from vigil_client.alerts import speech_subject, transcript_subject
from vigil_client.api import Client
from vigil_client.backoff import Backoff
from vigil_client.commands.subscribe import Topic
from vigil_client.errors import BadMessage, Invalid, Unauthorised
from vigil_client.events import Connection, Lifecycle, read_event
from vigil_client.sound import Activity, SoundEvent, SpokenSound, SpokenWord, read_binary, read_text
from vigil_client.speech import SpeechNews, Transcript
from vigil_client.sse import ServerEvent
from vigil_client.testing.command import invoked, start
from vigil_client.testing.scripted_answers import SESSION, speech_json, transcript_json
from vigil_client.testing.scripted_gateway import KEY, ScriptedGateway, playing, playing_aside, problem
from vigil_client.view import speech_line, transcript_line

AT_ONCE = Backoff(0.01, 0.01)


def text(kind: str, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "data": data})


def spoken(header: dict[str, Any] | None = None, pcm: bytes = b"\x01\x00") -> bytes:
    whole = {
        "type": "spoken",
        "utterance": "u-1",
        "sequence": 2,
        "sentence": "Fire.",
        "sentence_begin_char": 3,
        "words": [{"begin_char": 3, "end_char": 8, "begin_ms": 0, "end_ms": 400}],
        "sample_rate_hz": 24_000,
        "is_last": False,
        "dropped": 1,
    }
    encoded = json.dumps(whole if header is None else header).encode()
    return struct.pack(">I", len(encoded)) + encoded + pcm


PARTIAL = text("transcript", transcript_json("How", None))
FINAL = text("transcript", transcript_json("How many?"))
STARTED = text("activity", {"state": "started", "time": "2026-01-02T03:04:03.000Z", "origin": "microphone"})
INTERRUPTED = text("speech", speech_json("interrupted", heard="A fire", cause="user_spoke"))
ENDED = text("session", {"type": "vigil.session.ended", "data": {"reason": "end of file", "session": SESSION}})
WHOLE = (STARTED, PARTIAL, FINAL, spoken(), INTERRUPTED, text("status", {"roles": {}}), ENDED)


async def listened(gateway: ScriptedGateway, count: int) -> list[SoundEvent]:
    """So many events, the connection's own among them."""
    found: list[SoundEvent] = []
    async with asyncio.timeout(DEADLINE_S), Client(gateway.url, KEY) as client:
        async for event in client.listen(SESSION, AT_ONCE):
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_all_that_is_said_and_spoken_is_heard() -> None:
    async with playing(ScriptedGateway(sounds=[WHOLE])) as gateway:
        found = await listened(gateway, 7)
    connection, activity, partial, final, sound, news, ended = found
    assert connection == Connection(connected=True)
    assert isinstance(activity, Activity)
    assert (activity.state, activity.origin) == ("started", "microphone")
    assert isinstance(partial, Transcript)
    assert (partial.text, partial.is_final) == ("How", False)
    assert isinstance(final, Transcript)
    assert (final.text, final.became, final.command, final.confidence) == ("How many?", "query", "q-1", 0.91)
    assert isinstance(sound, SpokenSound)
    assert (sound.pcm, sound.words, sound.dropped) == (b"\x01\x00", (SpokenWord(3, 8, 0, 400),), 1)
    assert isinstance(news, SpeechNews)
    assert (news.event, news.heard, news.cause) == ("interrupted", "A fire", "user_spoke")
    assert isinstance(ended, Lifecycle)
    assert ended.ended


async def test_a_connection_that_breaks_is_made_again() -> None:
    async with playing(ScriptedGateway(sounds=[[PARTIAL], [FINAL]])) as gateway:
        found = await listened(gateway, 5)
    assert [event.connected for event in found if isinstance(event, Connection)] == [True, False, True]
    assert [event.text for event in found if isinstance(event, Transcript)] == ["How", "How many?"]


async def test_what_the_gateway_refuses_is_said_in_its_words() -> None:
    refusal = problem(409, "no_speech", "the session neither hears nor speaks", "open one that does")
    path = f"/v1/sessions/{SESSION}/audio"
    async with playing(ScriptedGateway(refusals={path: refusal})) as gateway:
        with pytest.raises(Invalid, match="neither hears nor speaks"):
            await listened(gateway, 1)
        async with Client(gateway.url, "wrong-key") as client:
            with pytest.raises(Unauthorised):
                await anext(client.listen(SESSION))


async def test_a_gateway_that_is_away_is_tried_again() -> None:
    async with Client("http://127.0.0.1:1", KEY) as client:
        events = client.listen(SESSION, AT_ONCE)
        found = [await anext(events), await anext(events)]
        await events.aclose()
    assert [isinstance(event, Connection) and event.connected for event in found] == [False, False]


@pytest.mark.parametrize(
    "message", ["{", "[]", "{}", '{"type": "activity"}', '{"type": "activity", "data": {"state": "started"}}']
)
def test_a_message_that_cannot_be_read_is_refused(message: str) -> None:
    with pytest.raises(BadMessage):
        read_text(message)


@pytest.mark.parametrize("message", [b"", b"\0\0\0\x09{}", spoken({"type": "spoken"}), spoken({"words": 3})])
def test_sound_that_cannot_be_read_is_refused(message: bytes) -> None:
    with pytest.raises(BadMessage):
        read_binary(message)


def test_a_kind_that_is_newer_than_the_client_is_passed_over() -> None:
    assert read_text('{"type": "sung", "data": {}}') is None


def test_live_events_tell_of_speech() -> None:
    said = read_event(ServerEvent("transcript", json.dumps(transcript_json("Thanks.", "not_addressed"))))
    assert isinstance(said, Transcript)
    assert (said.became, said.command) == ("not_addressed", "")
    news = read_event(ServerEvent("speech", json.dumps(speech_json("dropped", cause="speaking"))))
    assert isinstance(news, SpeechNews)
    assert news.cause == "speaking"


@pytest.mark.parametrize("read", [speech.transcript, speech.speech])
def test_an_event_of_another_kind_is_refused(read: Any) -> None:
    with pytest.raises(BadMessage, match="event of Vigil"):
        read('{"data": {}}')


def test_a_line_says_what_it_became() -> None:
    said = speech.transcript(json.dumps(transcript_json("\x1b[2J How many?", "noise", confidence=None)))
    assert "said  noise          '\\x1b[2J How many?'" in transcript_line(said)
    interrupted = speech.speech(json.dumps(speech_json("interrupted", heard="A fire", reason="the user spoke")))
    assert speech_line(interrupted).endswith("'A fire has started.'  heard 'A fire'  (the user spoke)")


def test_the_command_listens_until_the_session_ends() -> None:
    with playing_aside(ScriptedGateway(sounds=[WHOLE])) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        shown = invoked("listen", SESSION, *to)
    assert shown.status == 0, shown.output
    lines = [line for line in shown.output.splitlines() if "listening" not in line]
    assert [line.split("  ")[1] for line in lines[:3]] == ["said", "said", "speech"]
    assert lines[-1] == "session ended: end of file"


def test_the_command_prints_json() -> None:
    with playing_aside(ScriptedGateway(sounds=[WHOLE])) as gateway:
        shown = invoked("listen", SESSION, "--json", "--gateway", gateway.url, "--api-key", KEY)
    told = [json.loads(line) for line in shown.output.splitlines() if line.startswith("{")]
    assert [line["type"] for line in told] == ["activity", "transcript", "transcript", "speech", "session"]
    assert told[2]["data"]["data"]["text"] == "How many?"


@pytest.mark.parametrize(
    ("topic", "subject", "event", "words"),
    [
        (Topic.TRANSCRIPTS, "vigil.v1.transcript.final.demo.s-1", transcript_json("How many?"), b"How many?"),
        (Topic.SPEECH, "vigil.v1.speech.ended.demo.s-1", speech_json("ended"), b"A fire has started."),
    ],
)
async def test_speech_can_be_subscribed_to(
    nats_server: NatsServer, topic: Topic, subject: str, event: dict[str, Any], words: bytes
) -> None:
    process = await start("subscribe", topic, "--source", "lobby", "--nats", nats_server.url)
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)
    connection = await nats.connect(nats_server.url)
    elsewhere = event | {"data": event["data"] | {"source_id": "elsewhere"}}
    for payload in (elsewhere, event):
        await connection.publish(subject, json.dumps(payload).encode())
    await connection.close()
    line = await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)
    assert line.startswith(b"demo/lobby")
    assert words in line
    process.terminate()
    assert await asyncio.wait_for(process.wait(), DEADLINE_S) == 0


def test_a_subject_is_of_one_session_or_of_all() -> None:
    assert transcript_subject("demo") == "vigil.v1.transcript.final.demo.*"
    assert speech_subject("demo", "s-1") == "vigil.v1.speech.*.demo.s-1"


def test_the_command_lists_the_voices_that_there_are() -> None:
    with playing_aside(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        assert invoked("voices", *to).output.split() == ["ben", "heart"]
        assert json.loads(invoked("voices", "--json", *to).output) == {"voices": ["ben", "heart"]}
        gateway.voices = ()
        none = invoked("voices", *to)
    assert (none.status, "no worker speaks" in none.output) == (0, True)


async def test_the_sdk_lists_the_voices() -> None:
    async with playing(ScriptedGateway(voices=("heart",))) as gateway, Client(gateway.url, KEY) as client:
        assert await client.voices() == ("heart",)


def test_the_command_lists_what_was_said_page_by_page() -> None:
    with playing_aside(ScriptedGateway()) as gateway:
        to = ("--gateway", gateway.url, "--api-key", KEY)
        lines = invoked("transcripts", SESSION, *to).output.splitlines()
        (newest,) = json.loads(invoked("transcripts", SESSION, "--limit", "1", "--json", *to).output)
    assert [line.split()[2:] for line in lines] == [["query", "How", "many?"], ["noise", "[Music]"]]
    assert (newest["text"], newest["command"], newest["confidence"]) == ("How many?", "q-1", 0.91)


def test_the_command_says_something_aloud() -> None:
    with playing_aside(ScriptedGateway()) as gateway:
        told = invoked("say", SESSION, "Leave the building.", "--gateway", gateway.url, "--api-key", KEY)
    assert (told.status, "told (q-1)" in told.output) == (0, True)
    assert gateway.requests == [("POST", f"/v1/sessions/{SESSION}/say", {"text": "Leave the building."})]


async def test_the_sdk_reads_what_was_said_backwards() -> None:
    async with playing(ScriptedGateway()) as gateway, Client(gateway.url, KEY) as client:
        newest = await client.transcripts(SESSION)
        oldest = await client.transcripts(SESSION, limit=5, before=newest.next)
    assert ([said.became for said in newest.transcripts], newest.next) == (["query"], "7")
    assert ([said.text for said in oldest.transcripts], oldest.next) == (["[Music]"], None)
    assert newest.transcripts[0].begin_time < newest.transcripts[0].end_time
