"""Events of alerts as interaction stores them, by the number of the alert."""

import json
from typing import Any

from vigil.contract import subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.core.alert import AlertState


def alert_event(number: int, state: str, updates: int = 0, **changes: Any) -> Outgoing:
    """An event of the alert `a-<number>`; `changes` are of its data."""
    alert_id = f"a-{number}"
    path = f"/v1/alerts/{alert_id}/snapshot"
    data: dict[str, Any] = {
        "alert_id": alert_id,
        "watch": "fire",
        "severity": "critical",
        "severities": ["warning", "critical"],
        "state": state,
        "reason": "the model spoke",
        "tenant": "demo",
        "source_id": "lobby",
        "source_name": "Lobby",
        "session": "s-1",
        "instruction_id": "w-1",
        "text": f"{state} {number}",
        "p_speak": 0.9,
        "capture_time": "2026-01-31T12:00:00.000Z",
        "emit_time": "2026-01-31T12:00:00.000Z",
        "latency_ms": 1.0,
        "opened_at": "2026-01-31T12:00:00.000Z",
        "time_s": 1.0,
        "decision_sequence": number,
        "updates": updates,
        "news": True,
        "snapshot": {"bucket": "b", "key": "k", "path": path, "media_type": "image/jpeg"}
        if state == "opened"
        else None,
        **changes,
    }
    envelope = {
        "specversion": "1.0",
        "id": f"{alert_id}.{updates}",
        "source": f"/tenants/{data['tenant']}/sources/{data['source_id']}",
        "type": f"vigil.alert.{state}",
        "subject": alert_id,
        "time": "2026-01-31T12:00:07.000Z",
        "datacontenttype": "application/json",
        "data": data,
    }
    subject = subjects.alert(data["tenant"], data["source_id"], AlertState(state))
    payload = json.dumps(envelope, ensure_ascii=False).encode()
    return Outgoing(subject, f"{data['tenant']}.{envelope['id']}", payload, CLOUDEVENT)
