"""What the real gateway answers, as JSON, for the scripted gateway and for tests."""

import json
from typing import Any

SESSION = "s-0123456789abcdef"

WATCH = {
    "id": "w-1",
    "text": "Alert me.",
    "pending": True,
    "given_at": None,
    "name": "fire",
    "severity": "warning",
    "hold_s": 5.0,
    "cooldown_s": 30.0,
    "update_interval_s": 10.0,
    "confirm_s": 0.0,
    "brain": "",
}
INSTRUCTION = {"id": "i-1", "text": "Greet.", "pending": False, "given_at": 2, "brain": "big"}
TURN = {
    "sequence": 3,
    "time_s": 3.0,
    "action": "speak",
    "text": "Hello.",
    "question": "",
    "reply": "</response> Hello.",
    "queries": ["Who?"],
    "observed": ["faces (face, 0.92): Anna is at the door"],
}
EXCHANGE = {
    "query": "Who?",
    "asked_s": 2.0,
    "state": "answered",
    "answer": "Hello.",
    "answered_s": 3.0,
    "task": "s-1-2",
    "note": "Let me see.",
    "recalled": ["Memory. At 12 seconds a red van came."],
}
API_KEY = {
    "id": "0a1b2c3d4e5f",
    "name": "pager",
    "tenant": "demo",
    "role": "admin",
    "created": "2026-01-31T12:00:00Z",
    "expires": None,
}
ALERT = {
    "alert_id": "a-2",
    "open": True,
    "watch": "fire",
    "severity": "critical",
    "severities": ["warning", "critical"],
    "session": SESSION,
    "source_id": "lobby",
    "source_name": "Lobby",
    "instruction_id": "w-1",
    "text": "A fire has started.",
    "reason": "the model spoke",
    "p_speak": 0.97,
    "opened_at": "2026-01-02T03:04:05.000Z",
    "updated_at": "2026-01-02T03:04:06.000Z",
    "closed_at": None,
    "updates": 1,
    "snapshot_path": "/v1/alerts/a-2/snapshot",
    "acknowledged_by": None,
    "acknowledged_at": None,
    "acknowledged_note": None,
    "muted_until": None,
}
_ALERT_EVENT = {
    "id": "a-2.0",
    "event": "opened",
    "time": "2026-01-02T03:04:05.250Z",
    "severity": "critical",
    "text": "A fire has started.",
    "reason": "the model spoke",
    "p_speak": 0.97,
    "time_s": 12.0,
    "decision_sequence": 12,
    "by": None,
    "note": None,
    "until": None,
}
ALERT_DETAIL = ALERT | {
    "opened_sequence": 12,
    "events": [
        _ALERT_EVENT,
        _ALERT_EVENT | {"id": "a-2.acknowledged.0", "event": "acknowledged", "by": "Ann", "note": "on my way"},
    ],
    "events_left_out": 3,
}
TASK = {
    "id": f"{SESSION}-4",
    "session": SESSION,
    "question": "Which flower is it?",
    "note": "Let me see.",
    "state": "ready",
    "brain": "big",
    "text": "An iris.",
    "artefacts": [
        {
            "index": 0,
            "name": "../flower.html",
            "media_type": "text/html",
            "size": 12,
            "path": f"/v1/sessions/{SESSION}/tasks/{SESSION}-4/artefacts/0",
        }
    ],
    "sequence": 4,
    "time_s": 4.0,
    "opened_at": "2026-01-02T03:04:05.000Z",
    "started_at": "2026-01-02T03:04:06.000Z",
    "ended_at": "2026-01-02T03:04:09.000Z",
}
WAITING_TASK = TASK | {
    "id": f"{SESSION}-9",
    "state": "queued",
    "brain": "",
    "text": "",
    "artefacts": [],
    "opened_at": None,
    "started_at": None,
    "ended_at": None,
}
ARTEFACT = b"<h1>Iris</h1>"
APPROVAL = {
    "id": "p-1",
    "session": SESSION,
    "task": f"{SESSION}-4",
    "tool": "open_ticket",
    "arguments": '{"queue":"lobby"}',
    "summary": "Opens a ticket.\u001b[2J",
    "state": "requested",
    "requested_at": "2026-01-02T03:04:05.000Z",
    "expires_at": "2026-01-02T03:09:05.000Z",
    "decided_at": None,
    "by": "",
    "pattern": "",
}
PATTERN = {"id": "p-0", "tool": "open_ticket", "arguments": '{"queue":"lobby"*', "expires_at": None}
MEMORY_SETTINGS = {
    "is_on": True,
    "mid_blocks": 5,
    "long_blocks": 15,
    "block_tokens": 256,
    "long_tokens": 3_000,
    "key_frames": 4,
    "time_zone": "",
}
_MEMORY_FRAME = {"id": "m-1", "time_s": 640.0, "path": f"/v1/sessions/{SESSION}/memory/frames/m-1"}
_BLOCK = {"level": 0, "tokens": 12, "text": "A red van came.\u001b[2J"}
MEMORY = {
    "session": SESSION,
    "settings": MEMORY_SETTINGS,
    "time_s": 812.0,
    "began_at": "2026-01-02T03:00:00.000Z",
    "forgotten_s": 0.0,
    "turns_from_s": 700.0,
    "turns": 112,
    "tiers": {
        "mid": {"blocks": 1, "tokens": 12, "limit_blocks": 10, "limit_tokens": 2_560},
        "long": {"blocks": 1, "tokens": 30, "limit_blocks": 15, "limit_tokens": 3_000},
    },
    "blocks": [
        _BLOCK | {"id": "0-500000-1", "level": 1, "from_s": 0.0, "to_s": 500.0, "tokens": 30, "text": "A quiet gate."},
        _BLOCK | {"id": "500000-600000-0", "from_s": 500.0, "to_s": 600.0},
    ],
    "unwritten": [{"from_s": 600.0, "to_s": 700.0, "asked": 2, "frames": [_MEMORY_FRAME]}],
}
ARCHIVE_PAGE = {
    "entries": [
        {
            "id": "610000-q0a1b2c3d",
            "kind": "exchange",
            "from_s": 610.0,
            "to_s": 612.0,
            "question": "Who came?",
            "text": "A courier.",
            "observed": [],
            "frames": [],
        },
        {
            "id": "500000-600000-0",
            "kind": "block",
            "from_s": 500.0,
            "to_s": 600.0,
            "question": "",
            "text": "A red van came.",
            "observed": ["faces (face, 0.92) at 512.0 seconds: Anna is at the door"],
            "frames": [_MEMORY_FRAME],
        },
    ],
    "next": "500000-600000-0",
}
RECALL = {
    "session": SESSION,
    "question": "Which van came?",
    "from_s": None,
    "to_s": None,
    "lines": [
        {
            "kind": "block",
            "from_s": 500.0,
            "to_s": 600.0,
            "from_at": "2026-01-02T03:08:20.000Z",
            "to_at": "2026-01-02T03:10:00.000Z",
            "text": "A red van came.",
            "frames": [_MEMORY_FRAME | {"time_s": None}],
        }
    ],
}
EXPORTED = b'\xef\xbb\xbf"alert_id","open"\r\n"a-2","true"\r\n'
HEALTH = {
    "ready": True,
    "takes_sessions": True,
    "sources": {"rtsp": True, "pushed": True},
    "checks": {"nats": "ok"},
    "capacity": {"codec": {"workers": 1, "capacity": 8, "open_sessions": 2}},
}


def session_json(**changes: Any) -> dict[str, Any]:
    """A session as the gateway describes it."""
    return {
        "id": SESSION,
        "state": "open",
        "ended_reason": None,
        "source": {"id": "lobby", "kind": "rtsp", "name": "Lobby", "url": "rtsp://***@camera/1", "loop": False},
        "profile": "vigil-small",
        "model": "vigil-small",
        "cadence": {"interval_ms": 1000, "frames_per_turn": 1},
        "window": {"chunk_turns": 100, "tail_turns": 9},
        "speech": {"response_mode": "balanced", "duplicate_guard": "exact", "text_temperature": 0.0},
        "memory": MEMORY_SETTINGS,
        "hearing": {"is_on": True, "from_source": False, "turn_taking": "wake", "wake_phrase": "hey", "language": "en"},
        "voice": {"is_on": True, "name": "anna", "speed": 1.25, "language": ""},
        "modules": {"is_on": True, "names": ["faces"]},
        "infer_when_idle": True,
        "brain": "",
        "created_at": "2026-01-02T03:04:05Z",
        "subjects": {
            "alerts": "vigil.v1.alert.demo.lobby.*",
            "utterances": "u",
            "delegations": "d",
            "lifecycle": "l",
            "approvals": "p",
            "transcripts": "t",
            "speech": "s",
        },
        "notices": [{"code": "source_not_rendered", "message": "these weights know only the rendered world"}],
        "progress": {"turns": 7, "time_s": 6.0, "turns_in_chunk": 7, "malformed_total": 0, "alerts_open": 0},
        "status": {"ingestion": {"state": "connected"}},
    } | changes


def decision_json(sequence: int, action: str = "silent", text: str = "", **changes: Any) -> dict[str, Any]:
    """A decision as the gateway streams it."""
    p_speak = 0.97 if action == "speak" else 0.02
    return {
        "session": SESSION,
        "sequence": sequence,
        "time_s": float(sequence),
        "capture_time": "2026-01-02T03:04:05.000Z",
        "emit_time": "2026-01-02T03:04:05.180Z",
        "latency_ms": 180.0,
        "action": action,
        "spoke": bool(text),
        "text": text,
        "question": "",
        "p": {"silent": 1 - p_speak, "speak": p_speak, "delegate": 0.0},
        "malformed": "",
        "frames_skipped": 0,
        "engine_ms": 150.0,
        "prompt_tokens": 900,
        "cached_tokens": 800,
        "completion_tokens": 3,
        "request_bytes": 4_000,
        "prefix_share": 1.0,
        "duplicate": False,
        "task": "",
        "observed": ["faces (face, 0.92): Anna is at the door"],
    } | changes


def alert_json(state: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    """An alert's CloudEvent."""
    data = {
        "alert_id": "a-1",
        "watch": "fire",
        "severity": "critical",
        "state": state,
        "reason": "quiet" if state == "closed" else "",
        "tenant": "demo",
        "source_id": "lobby",
        "source_name": "Lobby",
        "session": SESSION,
        "instruction_id": "w-1",
        "text": "A fire has started.",
        "p_speak": 0.97,
        "capture_time": "2026-01-02T03:04:05.000Z",
        "emit_time": "2026-01-02T03:04:05.250Z",
        "latency_ms": 250.0,
        "opened_at": "2026-01-02T03:04:05.000Z",
        "time_s": 12.0,
        "decision_sequence": 12,
        "updates": 0,
        "snapshot": {
            "bucket": "VIGIL_SNAPSHOTS",
            "key": "k",
            "media_type": "image/jpeg",
            "path": "/v1/alerts/a-1/snapshot",
        },
    } | changes
    return {"specversion": "1.0", "id": f"a-1.{number}", "type": f"vigil.alert.{state}", "data": data}


def delegation_json(event: str, outcome: str | None = None, result: str = "", **changes: Any) -> dict[str, Any]:
    """The CloudEvent of a delegated question."""
    data = {
        "tenant": "demo",
        "session": SESSION,
        "source_id": "lobby",
        "task": f"{SESSION}-4",
        "event": event,
        "question": "Which flower is it?",
        "note": "Let me see.",
        "outcome": outcome,
        "result": result,
        "capture_time": "2026-01-02T03:04:05.000Z",
        "emit_time": "2026-01-02T03:04:05.250Z",
        "time_s": 6.0,
        "opened_s": 4.0,
        "deadline_s": 124.0,
        "decision_sequence": 6,
    } | changes
    return {"specversion": "1.0", "id": f"d.{event}", "type": f"vigil.delegation.{event}", "data": data}


def task_news_json(event: str, state: str, text: str = "", **changes: Any) -> dict[str, Any]:
    """The CloudEvent of what a brain tells of a task."""
    data = {
        "tenant": "demo",
        "session": SESSION,
        "source_id": "lobby",
        "task": f"{SESSION}-4",
        "event": event,
        "brain": "big",
        "state": state,
        "text": text,
        "artefacts": [],
        "emit_time": "2026-01-02T03:04:05.250Z",
    } | changes
    return {"specversion": "1.0", "id": f"t.{event}", "type": f"vigil.delegation.{event}", "data": data}


def approval_json(event: str, **changes: Any) -> dict[str, Any]:
    """The CloudEvent of an approval."""
    data = {
        "tenant": "demo",
        "session": SESSION,
        "task": f"{SESSION}-4",
        "approval": "p-1",
        "event": event,
        "tool": "open_ticket",
        "arguments": '{"queue":"lobby"}',
        "summary": "Opens a ticket.",
        "by": "",
        "pattern": "",
        "expires": "2026-01-02T03:09:05.000Z",
        "emit_time": "2026-01-02T03:04:05.250Z",
    } | changes
    return {"specversion": "1.0", "id": f"p.{event}", "type": f"vigil.approval.{event}", "data": data}


def memory_news_json(event: str, **changes: Any) -> dict[str, Any]:
    """The CloudEvent of a block of memory."""
    data = {
        "tenant": "demo",
        "session": SESSION,
        "source_id": "lobby",
        "block": "500000-600000-0",
        "event": event,
        "kind": "summary",
        "level": 0,
        "from_s": 500.0,
        "to_s": 600.0,
        "chars": 15,
        "reason": "",
        "emit_time": "2026-01-02T03:04:05.250Z",
    } | changes
    return {"specversion": "1.0", "id": f"m.{event}", "type": f"vigil.memory.{event}", "data": data}


def transcript_json(text: str, became: str | None = "query", **changes: Any) -> dict[str, Any]:
    """The CloudEvent of what was said; partial where `became` is None."""
    kind = "partial" if became is None else "final"
    data = {
        "tenant": "demo",
        "session": SESSION,
        "source_id": "lobby",
        "transcript": "t-1",
        "text": text,
        "begin_time": "2026-01-02T03:04:03.000Z",
        "end_time": "2026-01-02T03:04:05.000Z",
        "confidence": 0.91,
        "language": "en",
        "origin": "microphone",
        "engine": "embedded",
        "became": became,
        "command": "q-1" if became == "query" else "",
        "emit_time": "2026-01-02T03:04:05.600Z",
    } | changes
    return {"specversion": "1.0", "id": f"t-1.{kind}", "type": f"vigil.transcript.{kind}", "data": data}


def transcript_page(before: str | None) -> dict[str, Any]:
    """The first or the second of two pages of what was said."""
    data = transcript_json("How many?" if before is None else "[Music]", "query" if before is None else "noise")["data"]
    shown = {name: value for name, value in data.items() if name not in ("tenant", "session", "source_id")}
    return {"session": SESSION, "transcripts": [shown], "next": "7" if before is None else None}


def speech_json(event: str, **changes: Any) -> dict[str, Any]:
    """The CloudEvent of what became of words that were to be spoken aloud."""
    data = {
        "tenant": "demo",
        "session": SESSION,
        "source_id": "lobby",
        "utterance": "u-1",
        "event": event,
        "kind": "ordinary",
        "text": "A fire has started.",
        "heard": "",
        "voice": "anna",
        "cause": "",
        "reason": "",
        "emit_time": "2026-01-02T03:04:06.000Z",
    } | changes
    return {"specversion": "1.0", "id": f"u-1.{event}", "type": f"vigil.speech.{event}", "data": data}


def decided(approval: str, body: dict[str, Any]) -> dict[str, Any]:
    """An approval that somebody has granted or refused."""
    state = "granted" if body["grant"] else "refused"
    return APPROVAL | {"id": approval, "state": state, "decided_at": "2026-01-02T03:04:30.000Z", "by": "Ann"}


def sse(kind: str, data: dict[str, Any], event_id: str = "") -> bytes:
    """One server-sent event."""
    named = f"id: {event_id}\n" if event_id else ""
    return f"event: {kind}\n{named}data: {json.dumps(data)}\n\n".encode()


PROMPT = {
    "session": SESSION,
    "sequence": 12,
    "chunk": 0,
    "profile": "vigil-small",
    "model": "vigil-small",
    "messages": [
        {"role": "system", "parts": [{"type": "text", "text": "Watch."}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "text": "<12.0 seconds>\n"},
                {
                    "type": "image",
                    "uuid": "u-12",
                    "width": 160,
                    "height": 96,
                    "path": "/v1/sessions/s/turns/12/frames/0",
                },
            ],
        },
    ],
    "reply": "</response> Fire!",
}


def turn_page(before: str | None, limit: int) -> dict[str, Any]:
    """Turns 4 to 0, newest first, by pages."""
    newest = 4 if before is None else int(before) - 1
    turns = [decision_json(sequence) for sequence in range(newest, max(-1, newest - limit), -1)]
    return {"session": SESSION, "turns": turns, "next": turns[-1]["sequence"] if turns[-1]["sequence"] else None}


def tile_json(session: str = SESSION, **changes: Any) -> dict[str, Any]:
    """A session on the wall."""
    kept = ("sequence", "time_s", "capture_time", "action", "spoke", "text", "p", "latency_ms", "malformed")
    tile = {
        "session": session,
        "name": "Lobby",
        "source": session_json()["source"],
        "state": "live",
        "detail": "",
        "last": {name: decision_json(4)[name] for name in kept},
        "time_s": 4.0,
        "alerts": [
            {
                "alert_id": "a-1",
                "watch": "fire",
                "severity": "critical",
                "text": "Fire!",
                "opened_at": "2026-01-02T03:04:05Z",
            }
        ],
    }
    return tile | changes


def alert_page(before: str | None) -> dict[str, Any]:
    """The first or the second of two pages of alerts."""
    if before is None:
        return {"alerts": [ALERT], "next": "7"}
    return {"alerts": [ALERT | {"alert_id": "a-1", "open": False, "closed_at": ALERT["updated_at"]}], "next": None}


def acted(alert_id: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
    """An alert that somebody has acknowledged or muted."""
    alert = ALERT | {"alert_id": alert_id}
    if action == "mute":
        return alert | {"muted_until": "2026-01-02T03:35:00.000Z" if body["minutes"] else ALERT["updated_at"]}
    told = {"acknowledged_by": "Ann", "acknowledged_at": ALERT["updated_at"], "acknowledged_note": body["note"]}
    return alert | told


def audit_page(after: str | None) -> dict[str, Any]:
    """The first or the second of two pages of the audit."""
    entry: dict[str, Any] = {"time": "2026-01-02T03:04:05.000Z", "actor": "desk", "role": "operator", "method": "POST"}
    entry |= {"route": "/v1/sessions", "session": SESSION, "status": 201, "address": "192.0.2.7"}
    if after is None:
        return {"entries": [entry], "next": "7"}
    return {"entries": [entry | {"status": 403, "actor": "screen", "role": "viewer"}], "next": None}
