"""Core values to answers, and requests to core values. Pure."""

from dataclasses import replace
from datetime import UTC, datetime

from vigil.contract import subjects
from vigil.core import control
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Watch
from vigil.core.session import Cadence, SessionSpec, SessionState, Speech
from vigil.core.turn import Exchange
from vigil.runtime.process.redaction import redacted
from vigil_gateway.http import models
from vigil_gateway.sessions.standing import Standing
from vigil_gateway.sessions.watch_name import watch_name


def session_out(spec: SessionSpec, ended_reason: str | None) -> models.SessionOut:
    """The session as asked for; `ended_reason` is None while it is open."""
    return models.SessionOut(
        id=spec.session,
        state="open" if ended_reason is None else "ended",
        ended_reason=ended_reason,
        source=models.SourceOut(
            id=spec.source.id, name=spec.source.name, url=redacted(spec.source.url), loop=spec.source.loop
        ),
        profile=spec.profile,
        model=spec.model,
        cadence=models.CadenceModel(interval_ms=spec.cadence.interval_ms, frames_per_turn=spec.cadence.frames_per_turn),
        response_mode=spec.speech.response_mode,
        duplicate_guard=spec.speech.duplicate_guard,
        text_temperature=spec.speech.text_temperature,
        chunk_turns=spec.window.chunk_turns,
        infer_when_idle=spec.infer_when_idle,
        created_at=datetime.fromtimestamp(spec.created_us / 1e6, UTC),
        subjects=_subjects(spec),
    )


def progress_out(state: SessionState) -> models.ProgressOut:
    """How far the session has come."""
    return models.ProgressOut(
        turns=state.next_sequence,
        time_s=None if state.last_time_ms < 0 else state.last_time_ms / 1_000,
        turns_in_chunk=len(state.chunk.turns),
        malformed_total=state.malformed_total,
        alerts_open=sum(alert.is_open for alert in state.alerts),
    )


def instruction_out(one: Standing) -> models.InstructionOut:
    """A standing instruction that is no watch."""
    return models.InstructionOut(
        id=one.instruction.id, text=one.instruction.text, pending=one.pending, given_at=_given_at(one)
    )


def watch_out(one: Standing) -> models.WatchOut:
    """A standing instruction that is a watch."""
    watch = one.instruction.watch
    if watch is None:
        raise ValueError(f"instruction {one.instruction.id!r} is no watch: show it with instruction_out")
    return models.WatchOut(
        id=one.instruction.id,
        text=one.instruction.text,
        pending=one.pending,
        given_at=_given_at(one),
        name=watch.name,
        severity=watch.severity,
        hold_s=watch.hold_s,
        cooldown_s=watch.cooldown_s,
        update_interval_s=watch.update_interval_s,
        confirm_s=watch.confirm_s,
    )


def turn_out(sequence: int, time_ms: int, reply: str, queries: tuple[str, ...]) -> models.TurnOut:
    """One turn of the history, its reply read back into an action."""
    output = control.parse(reply)
    return models.TurnOut(
        sequence=sequence,
        time_s=time_ms / 1_000,
        action=output.action,
        text=output.text,
        question=output.question,
        reply=reply,
        queries=list(queries),
    )


def exchange_out(one: Exchange) -> models.ExchangeOut:
    """One entry of the dialogue."""
    answered_s = None if one.answered_ms < 0 else one.answered_ms / 1_000
    return models.ExchangeOut(query=one.query, asked_s=one.asked_ms / 1_000, answer=one.answer, answered_s=answered_s)


def cadence_of(given: models.CadenceModel) -> Cadence:
    """The cadence that a request asks for."""
    return Cadence(given.interval_ms, given.frames_per_turn)


def watch_of(watch_id: str, given: models.WatchIn) -> Instruction:
    """The watch that a request asks for, under `watch_id`."""
    name = given.name or watch_name(given.text)
    watch = Watch(name, given.severity, given.hold_s, given.cooldown_s, given.update_interval_s, given.confirm_s)
    return Instruction(watch_id, given.text, watch)


def patched(spec: SessionSpec, change: models.SessionPatch) -> SessionSpec:
    """The spec with what the request changes."""
    cadence = spec.cadence if change.cadence is None else cadence_of(change.cadence)
    idle = spec.infer_when_idle if change.infer_when_idle is None else change.infer_when_idle
    return replace(spec, cadence=cadence, speech=_patched_speech(spec.speech, change), infer_when_idle=idle)


def _patched_speech(speech: Speech, change: models.SessionPatch) -> Speech:
    temperature = speech.text_temperature if change.text_temperature is None else change.text_temperature
    return Speech(
        change.response_mode or speech.response_mode, change.duplicate_guard or speech.duplicate_guard, temperature
    )


def _given_at(one: Standing) -> int | None:
    return None if one.pending else one.instruction.given_at


def _subjects(spec: SessionSpec) -> models.SubjectsOut:
    key = SessionKey(spec.tenant, spec.session)
    return models.SubjectsOut(
        alerts=subjects.alerts_of(spec.tenant, spec.source.id),
        utterances=subjects.utterance(key),
        lifecycle=subjects.lifecycle_of(key),
    )
