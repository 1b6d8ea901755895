"""What was said to a session and what it spoke, as strangers get it: by value and against the published schema."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from vigil.contract.events.envelope import decode_event
from vigil.contract.events.speech import MAX_SPEECH_REASON_CHARS, Spoken, speech_outgoing
from vigil.contract.events.transcripts import Transcript, transcript_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.contract.streams import SPEECH, TRANSCRIPTS, stream_of
from vigil.contract.subject_tokens import SpeechEvent
from vigil.core.hearing import Became, Origin
from vigil.core.ids import SessionKey
from vigil.core.voice import SpeechCause, SpeechKind

AT_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
KEY = SessionKey("demo", "s-1")
SAID = Transcript(
    key=KEY,
    source_id="lobby",
    id="m-1-3",
    text="Is the door open?",
    begin_us=AT_US,
    end_us=AT_US + 1_500_000,
    confidence=0.93,
    language="en",
    origin=Origin.MICROPHONE,
    engine="whisper-tiny",
    became=Became.QUERY,
    command="q-1",
)
SPOKEN = Spoken(KEY, "lobby", "s-1.utterance.0.7", SpeechKind.ORDINARY, "The door is open.", voice="anna")


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    path = Path(__file__).parents[4] / "proto" / "asyncapi.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return document


def check(asyncapi: dict[str, Any], schema: str, outgoing: Outgoing) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.json.decode(outgoing.payload)
    jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": asyncapi["components"]}
    ).validate(value)
    return value


def test_a_final_transcript_by_value(asyncapi: dict[str, Any]) -> None:
    outgoing = transcript_outgoing(SAID, AT_US + 2_000_000, TRACE)
    assert outgoing.subject == "vigil.v1.transcript.final.demo.s-1"
    assert outgoing.message_id == "demo.s-1.transcript.m-1-3.final"
    assert stream_of(outgoing.subject) is TRANSCRIPTS
    assert check(asyncapi, "TranscriptEvent", outgoing) == {
        "specversion": "1.0",
        "id": "s-1.transcript.m-1-3.final",
        "source": "/tenants/demo/sessions/s-1",
        "type": "vigil.transcript.final",
        "subject": "m-1-3",
        "time": "2026-01-01T00:00:02.000Z",
        "datacontenttype": "application/json",
        "traceparent": TRACE,
        "data": {
            "tenant": "demo",
            "session": "s-1",
            "source_id": "lobby",
            "transcript": "m-1-3",
            "text": "Is the door open?",
            "stable_chars": 17,
            "begin_time": "2026-01-01T00:00:00.000Z",
            "end_time": "2026-01-01T00:00:01.500Z",
            "confidence": 0.93,
            "language": "en",
            "origin": "microphone",
            "engine": "whisper-tiny",
            "became": "query",
            "command": "q-1",
            "emit_time": "2026-01-01T00:00:02.000Z",
        },
    }


@pytest.mark.parametrize("became", list(Became))
def test_whatever_became_of_it_keeps_to_the_schema(asyncapi: dict[str, Any], became: Became) -> None:
    said = replace(SAID, became=became, command="", confidence=None, language="", origin=Origin.SOURCE)
    assert check(asyncapi, "TranscriptEvent", transcript_outgoing(said, AT_US))["data"]["became"] == became


def test_partial_transcripts_have_a_subject_of_their_own_and_ids_of_their_own(asyncapi: dict[str, Any]) -> None:
    first = replace(SAID, became=None, command="", text="Is the", stable_chars=2)
    sent = [transcript_outgoing(replace(first, revision=number), AT_US) for number in range(2)]
    assert {outgoing.subject for outgoing in sent} == {"vigil.v1.transcript.partial.demo.s-1"}
    assert len({outgoing.message_id for outgoing in sent}) == 2
    for outgoing in sent:
        value = check(asyncapi, "TranscriptEvent", outgoing)
        assert (value["type"], value["subject"], value["data"]["became"]) == ("vigil.transcript.partial", "m-1-3", None)
        assert value["data"]["stable_chars"] == 2


def test_words_that_were_interrupted_by_value(asyncapi: dict[str, Any]) -> None:
    cut = replace(SPOKEN, heard="The door", cause=SpeechCause.USER_SPOKE, reason="somebody spoke")
    outgoing = speech_outgoing(SpeechEvent.INTERRUPTED, cut, AT_US, TRACE)
    assert outgoing.subject == "vigil.v1.speech.interrupted.demo.s-1"
    assert outgoing.message_id == "demo.s-1.speech.s-1.utterance.0.7.interrupted"
    assert stream_of(outgoing.subject) is SPEECH
    value = check(asyncapi, "SpeechEvent", outgoing)
    assert (value["type"], value["subject"]) == ("vigil.speech.interrupted", "s-1.utterance.0.7")
    assert value["data"] == {
        "tenant": "demo",
        "session": "s-1",
        "source_id": "lobby",
        "utterance": "s-1.utterance.0.7",
        "event": "interrupted",
        "kind": "ordinary",
        "text": "The door is open.",
        "heard": "The door",
        "voice": "anna",
        "cause": "user_spoke",
        "reason": "somebody spoke",
        "emit_time": "2026-01-01T00:00:00.000Z",
    }


@pytest.mark.parametrize("event", list(SpeechEvent))
@pytest.mark.parametrize("kind", list(SpeechKind))
def test_every_speech_event_keeps_to_the_schema(asyncapi: dict[str, Any], event: SpeechEvent, kind: SpeechKind) -> None:
    outgoing = speech_outgoing(event, replace(SPOKEN, kind=kind), AT_US)
    check(asyncapi, "SpeechEvent", outgoing)
    assert decode_event(outgoing.payload).type == f"vigil.speech.{event}"


@pytest.mark.parametrize("cause", list(SpeechCause))
def test_every_cause_keeps_to_the_schema_and_a_long_reason_is_cut(asyncapi: dict[str, Any], cause: SpeechCause) -> None:
    dropped = replace(SPOKEN, cause=cause, reason="x" * 1_000)
    data = check(asyncapi, "SpeechEvent", speech_outgoing(SpeechEvent.DROPPED, dropped, AT_US))["data"]
    assert (data["cause"], len(data["reason"])) == (cause, MAX_SPEECH_REASON_CHARS)
