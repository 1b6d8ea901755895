"""What other services would tell of a session, for tests and measurements of its voice."""

import time
from dataclasses import replace

from vigil.contract.audio import VoiceActivity, VoiceState, encode_activity
from vigil.contract.events.alerts import alert_outgoing
from vigil.contract.events.envelope import Emission
from vigil.contract.events.transcripts import Transcript, transcript_outgoing
from vigil.contract.events.utterances import utterance_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.core.alert import Alert, AlertEvent, AlertState, Moment
from vigil.core.control import Action, Output
from vigil.core.decide import Completion, Decision
from vigil.core.hearing import Became, Hearing, Origin
from vigil.core.instruction import Severity, Watch
from vigil.core.session import SessionSpec
from vigil.core.source import Source, SourceKind
from vigil.core.voice import Voice


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


def speaking_session(voice: str = "") -> SessionSpec:
    """A session that hears and speaks."""
    source = Source("lobby", SourceKind.RTSP, "rtsp://camera/1")
    spec = SessionSpec("demo", "s-1", source, "vigil-small", "m")
    return replace(spec, hearing=Hearing(is_on=True), voice=Voice(is_on=True, name=voice))


def utterance(spec: SessionSpec, turn: int, text: str, *, is_answer: bool = False, age_s: float = 0.0) -> Outgoing:
    """The model says something, `age_s` ago."""
    output = Output(Action.SPEAK, text)
    decision = Decision(turn, 1_000, 1, output, None, Completion("", {}), 0, 1.0, is_answer=is_answer)
    emitted_us = now_us() - round(age_s * 1_000_000)
    outgoing = utterance_outgoing(spec, decision, Emission(emitted_us, emitted_us))
    assert outgoing is not None
    return outgoing


def alert(
    spec: SessionSpec,
    turn: int,
    text: str,
    severity: Severity = Severity.CRITICAL,
    state: AlertState = AlertState.OPENED,
) -> Outgoing:
    """What became of an alert."""
    opened = Alert(f"{spec.session}-fire-{turn}", "fire", Watch("fire", severity), text, 1, 1, 1)
    moment = Moment(spec.session, turn, 1_000, 1)
    is_news = state is AlertState.OPENED
    event = AlertEvent(opened, state, "the model spoke", 0, text, severity, moment, is_news)
    return alert_outgoing(spec, event, None, Emission(now_us(), now_us()))


def activity(spec: SessionSpec, state: VoiceState, stream: str = "mic-1") -> bytes:
    """Somebody begins to speak, or stops."""
    return encode_activity(VoiceActivity(spec.key, state, now_us(), Origin.MICROPHONE, stream))


def transcript(spec: SessionSpec, became: Became, text: str = "Stop, please.") -> Outgoing:
    """What somebody said is known."""
    now = now_us()
    said = Transcript(
        spec.key, spec.source.id, f"t-{now}", text, now, now, 0.9, "en", Origin.MICROPHONE, "scripted", became
    )
    return transcript_outgoing(said, now)
