"""Core values to answers. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from vigil.contract import subjects
from vigil.core import control
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec, SessionState
from vigil.core.source import Source
from vigil.core.standing import Standing
from vigil.core.turn import Exchange
from vigil.runtime.process.redaction import redacted
from vigil.runtime.store.sessions import LoggedTurn
from vigil_gateway.api.models.history import ExchangeOut, TurnOut
from vigil_gateway.api.models.options import (
    CadenceGroup,
    HearingGroup,
    MemoryGroup,
    ModulesGroup,
    SourceOut,
    SpeechGroup,
    VoiceGroup,
    WindowGroup,
)
from vigil_gateway.api.models.sessions import NoticeOut, ProgressOut, SessionOut, SubjectsOut
from vigil_gateway.api.models.standing import InstructionOut, WatchOut
from vigil_gateway.sessions.notices import Notice


def session_out(spec: SessionSpec, ended_reason: str | None, notices: Sequence[Notice]) -> SessionOut:
    """The session as asked for; `ended_reason` is None while it is open."""
    return SessionOut(
        id=spec.session,
        state="open" if ended_reason is None else "ended",
        ended_reason=ended_reason,
        source=source_out(spec.source),
        profile=spec.profile,
        model=spec.model,
        cadence=CadenceGroup.model_validate(spec.cadence),
        window=WindowGroup.model_validate(spec.window),
        speech=SpeechGroup.model_validate(spec.speech),
        memory=MemoryGroup.model_validate(spec.memory),
        hearing=HearingGroup.model_validate(spec.hearing),
        voice=VoiceGroup.model_validate(spec.voice),
        modules=ModulesGroup.model_validate(spec.modules),
        infer_when_idle=spec.infer_when_idle,
        brain=spec.brain,
        created_at=datetime.fromtimestamp(spec.created_us / 1e6, UTC),
        subjects=_subjects(spec),
        notices=[NoticeOut(code=notice.code, message=notice.message) for notice in notices],
    )


def progress_out(state: SessionState) -> ProgressOut:
    """How far the session has come."""
    return ProgressOut(
        turns=state.next_sequence,
        time_s=None if state.last_time_ms < 0 else state.last_time_ms / 1_000,
        turns_in_chunk=len(state.chunk.turns),
        malformed_total=state.malformed_total,
        alerts_open=sum(alert.is_open for alert in state.alerts),
    )


def instruction_out(standing: Standing) -> InstructionOut:
    """A standing instruction that is no watch."""
    return InstructionOut(
        id=standing.instruction.id,
        text=standing.instruction.text,
        pending=standing.pending,
        given_at=_given_at(standing),
        brain=standing.instruction.brain,
    )


def watch_out(standing: Standing) -> WatchOut:
    """A standing instruction that is a watch."""
    watch = standing.instruction.watch
    if watch is None:
        raise ValueError(f"instruction {standing.instruction.id!r} is no watch: show it with instruction_out")
    return WatchOut(**dict(instruction_out(standing)), **asdict(watch))


def turn_out(turn: LoggedTurn) -> TurnOut:
    """One turn of the history, its reply read back into an action."""
    output = control.parse(turn.reply)
    return TurnOut(
        sequence=turn.sequence,
        time_s=turn.time_ms / 1_000,
        action=output.action,
        text=output.text,
        question=output.question,
        reply=turn.reply,
        queries=list(turn.queries),
        observed=list(turn.observed),
    )


def recalled_with(state: SessionState, exchange: Exchange) -> Sequence[str]:
    """What the memory told the model in the turn that was asked the question, while that turn is in the prompt."""
    asked = (turn for turn in state.chunk.turns if turn.time_ms == exchange.asked_ms)
    return next((turn.recalled for turn in asked), ())


def exchange_out(exchange: Exchange, recalled: Sequence[str] = ()) -> ExchangeOut:
    """One entry of the dialogue, with what was `recalled` for it."""
    return ExchangeOut(
        query=exchange.query,
        asked_s=exchange.asked_ms / 1_000,
        state=exchange.state,
        answer=exchange.answer,
        answered_s=None if exchange.answered_ms < 0 else exchange.answered_ms / 1_000,
        task=exchange.task.id if exchange.task else "",
        note=exchange.task.note if exchange.task else "",
        recalled=list(recalled),
    )


def source_out(source: Source) -> SourceOut:
    """A source without its credentials."""
    return SourceOut(id=source.id, kind=source.kind, url=redacted(source.url), name=source.name, loop=source.loop)


def _given_at(standing: Standing) -> int | None:
    return None if standing.pending else standing.instruction.given_at


def _subjects(spec: SessionSpec) -> SubjectsOut:
    key = SessionKey(spec.tenant, spec.session)
    return SubjectsOut(
        alerts=subjects.alerts_of(spec.tenant, spec.source.id),
        utterances=subjects.utterance(key),
        delegations=subjects.delegations_of(key),
        approvals=subjects.approvals_of(key),
        lifecycle=subjects.lifecycle_of(key),
        transcripts=subjects.transcript(key),
        speech=subjects.speech_of(key),
    )
