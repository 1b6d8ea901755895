"""Alerts, utterances, delegations, approvals and memories as strangers receive them: CloudEvents (see `asyncapi.yaml`),
read into values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vigil_client.errors import BadMessage
from vigil_client.values import moment

Json = Mapping[str, Any]
# Events of a delegated question that the session tells; everything else is told by the brain.
SESSION_TELLS = ("opened", "closed")


@dataclass(frozen=True, slots=True)
class Alert:
    """One event of an alert. `alert_id` stays the same from opened to closed; `event_id` is each event's own.

    `state` is what happened: opened, updated or closed, or what somebody did about it: acknowledged or muted. Then `by`
    is who it was, `note` their words, `until` when a mute ends; all else is as in the alert's newest event before.
    """

    event_id: str
    alert_id: str
    state: str
    watch: str
    severity: str
    tenant: str
    source_id: str
    source_name: str
    session: str
    text: str
    reason: str
    p_speak: float | None
    time_s: float
    capture_time: datetime
    emit_time: datetime
    latency_ms: float
    snapshot_path: str
    by: str = ""
    note: str = ""
    until: datetime | None = None
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the model said in one turn."""

    event_id: str
    tenant: str
    source_id: str
    session: str
    action: str
    text: str
    p_speak: float | None
    time_s: float
    capture_time: datetime
    emit_time: datetime
    latency_ms: float
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Delegation:
    """One event of a delegated question: its `task` opened or closed in the session.

    All `_s` are model time in seconds. `note` is what the model said meanwhile, empty when it said nothing. `outcome`
    is empty until the task closes: answered, failed, expired, displaced or forgotten. `result` is what was found, or
    why nothing was.
    """

    event_id: str
    task: str
    event: str
    tenant: str
    source_id: str
    session: str
    question: str
    note: str
    outcome: str
    result: str
    time_s: float
    opened_s: float
    deadline_s: float
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class TaskNews:
    """What a brain tells of its work on a `task`: started, progress, ready, error or cancelled (`event`).

    `text` is what the brain does at the moment, the digest of its answer, or why there is none. `artefact_paths` are
    the files that it made, on the gateway.
    """

    event_id: str
    task: str
    event: str
    tenant: str
    source_id: str
    session: str
    brain: str
    state: str
    text: str
    artefact_paths: tuple[str, ...]
    emit_time: datetime
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ApprovalEvent:
    """A brain asks to be allowed an action, or that was decided: `event` is requested, granted, refused or expired.
    `arguments` is the JSON text of the tool's arguments; `by` is who decided."""

    event_id: str
    approval: str
    event: str
    tenant: str
    session: str
    task: str
    tool: str
    arguments: str
    summary: str
    by: str
    expires: datetime
    emit_time: datetime
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class MemoryNews:
    """What became of a `block` of a session's memory: `event` is ready or failed, `kind` is summary or merge.

    `from_s` and `to_s` are the block's span in seconds of model time, `level` is 0 for a summary. `chars` is the length
    of the text, which `Client.memory` shows; `reason` says why there is none."""

    event_id: str
    block: str
    event: str
    tenant: str
    source_id: str
    session: str
    kind: str
    level: int
    from_s: float
    to_s: float
    chars: int
    reason: str
    emit_time: datetime
    raw: Json = field(default_factory=dict, repr=False)


def alert(payload: bytes | str) -> Alert:
    """Read an alert event. Raises `BadMessage` that names what is missing."""
    event, data = envelope(payload)
    try:
        return Alert(
            event_id=event["id"],
            alert_id=data["alert_id"],
            state=data["state"],
            watch=data["watch"],
            severity=data["severity"],
            source_name=data["source_name"] or data["source_id"],
            reason=data["reason"] or "",
            snapshot_path=(data["snapshot"] or {}).get("path", ""),
            by=data.get("by") or "",
            note=data.get("note") or "",
            until=moment(data["until"]) if data.get("until") else None,
            raw=event,
            **_common(data),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadMessage(f"not an alert event of Vigil ({error!r})") from None


def utterance(payload: bytes | str) -> Utterance:
    """Read an utterance event. Raises `BadMessage` that names what is missing."""
    event, data = envelope(payload)
    try:
        return Utterance(event_id=event["id"], action=data["action"], raw=event, **_common(data))
    except (KeyError, TypeError, ValueError) as error:
        raise BadMessage(f"not an utterance event of Vigil ({error!r})") from None


def delegation(payload: bytes | str) -> Delegation:
    """Read a delegation event. Raises `BadMessage` that names what is missing."""
    event, data = envelope(payload)
    try:
        return Delegation(
            event_id=event["id"],
            task=data["task"],
            event=data["event"],
            tenant=data["tenant"],
            source_id=data["source_id"],
            session=data["session"],
            question=data["question"],
            note=data["note"],
            outcome=data["outcome"] or "",
            result=data["result"],
            time_s=float(data["time_s"]),
            opened_s=float(data["opened_s"]),
            deadline_s=float(data["deadline_s"]),
            raw=event,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadMessage(f"not a delegation event of Vigil ({error!r})") from None


def task_event(payload: bytes | str) -> Delegation | TaskNews:
    """Read an event of a delegated question, whoever tells it: the session, or a brain. Raises `BadMessage`."""
    event, data = envelope(payload)
    if data.get("event") in SESSION_TELLS:
        return delegation(payload)
    try:
        return TaskNews(
            event_id=event["id"],
            task=data["task"],
            event=data["event"],
            tenant=data["tenant"],
            source_id=data["source_id"],
            session=data["session"],
            brain=data["brain"],
            state=data["state"],
            text=data["text"],
            artefact_paths=tuple(artefact["path"] for artefact in data["artefacts"]),
            emit_time=moment(data["emit_time"]),
            raw=event,
        )
    except (KeyError, TypeError) as error:
        raise BadMessage(f"not a task event of Vigil ({error!r})") from None


def approval(payload: bytes | str) -> ApprovalEvent:
    """Read an approval event. Raises `BadMessage` that names what is missing."""
    event, data = envelope(payload)
    try:
        return ApprovalEvent(
            event_id=event["id"],
            approval=data["approval"],
            event=data["event"],
            tenant=data["tenant"],
            session=data["session"],
            task=data["task"],
            tool=data["tool"],
            arguments=data["arguments"],
            summary=data["summary"],
            by=data["by"],
            expires=moment(data["expires"]),
            emit_time=moment(data["emit_time"]),
            raw=event,
        )
    except (KeyError, TypeError) as error:
        raise BadMessage(f"not an approval event of Vigil ({error!r})") from None


def memory(payload: bytes | str) -> MemoryNews:
    """Read an event of a session's memory. Raises `BadMessage` that names what is missing."""
    event, data = envelope(payload)
    try:
        return MemoryNews(
            event_id=event["id"],
            block=data["block"],
            event=data["event"],
            tenant=data["tenant"],
            source_id=data["source_id"],
            session=data["session"],
            kind=data["kind"],
            level=int(data["level"]),
            from_s=float(data["from_s"]),
            to_s=float(data["to_s"]),
            chars=int(data["chars"]),
            reason=data["reason"],
            emit_time=moment(data["emit_time"]),
            raw=event,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadMessage(f"not a memory event of Vigil ({error!r})") from None


def _common(data: Json) -> dict[str, Any]:
    """What alerts and utterances both say."""
    return {
        "tenant": data["tenant"],
        "source_id": data["source_id"],
        "session": data["session"],
        "text": data["text"],
        "p_speak": None if data["p_speak"] is None else float(data["p_speak"]),
        "time_s": float(data["time_s"]),
        "capture_time": moment(data["capture_time"]),
        "emit_time": moment(data["emit_time"]),
        "latency_ms": float(data["latency_ms"]),
    }


def envelope(payload: bytes | str) -> tuple[Json, Json]:
    """A CloudEvent and its data. Raises `BadMessage`."""
    try:
        event = json.loads(payload)
    except ValueError:
        raise BadMessage("the message is not JSON") from None
    if not isinstance(event, Mapping) or not isinstance(event.get("data"), Mapping):
        raise BadMessage("the message is not a CloudEvent with data")
    return event, event["data"]
