"""Dead letters: what an operator reads about what could not be processed."""

import base64

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract.dead_letters import DeadLetter, dead_letter_outgoing
from vigil.contract.events.envelope import decode_event


def letter(payload: bytes) -> DeadLetter:
    return DeadLetter(
        "webhook", "pager", "it answered 400", 3, "ALERTS", 7, "vigil.v1.alert.demo.lobby.opened", payload
    )


def test_json_is_kept_as_it_is() -> None:
    outgoing = dead_letter_outgoing(letter(b'{"id": "a-1.0"}'), emit_time_us=1_767_225_600_000_000)
    event = decode_event(outgoing.payload)
    assert outgoing.subject == "vigil.v1.dlq.webhook"
    assert outgoing.message_id == "dlq.webhook.pager.ALERTS.7"
    assert (event.id, event.type, event.source) == ("pager.ALERTS.7", "vigil.dlq.webhook", "/services/webhook")
    assert event.time == "2026-01-01T00:00:00.000Z"
    assert event.data == {
        "recipient": "pager",
        "reason": "it answered 400",
        "attempts": 3,
        "stream": "ALERTS",
        "sequence": 7,
        "subject": "vigil.v1.alert.demo.lobby.opened",
        "event": {"id": "a-1.0"},
        "payload_base64": None,
    }


@given(st.binary())
def test_no_payload_is_lost(payload: bytes) -> None:
    data = decode_event(dead_letter_outgoing(letter(payload), emit_time_us=0).payload).data
    if data["payload_base64"] is None:
        assert data["event"] == msgspec.json.decode(payload)
    else:
        assert base64.b64decode(data["payload_base64"]) == payload
