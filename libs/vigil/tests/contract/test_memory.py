"""A request for a block of memory on the bus, and what is told of it: read back as written, by value."""

from dataclasses import replace

import msgspec
import pytest

from vigil.contract.errors import InvalidMessage
from vigil.contract.events.memory import failed_outgoing, ready_outgoing
from vigil.contract.memory import decode_memory, encode_memory, memory_outgoing
from vigil.contract.streams import MEMORY_EVENTS, MEMORY_REQUESTS, stream_of
from vigil.core.memory import Block, MemoryRequest, RequestKind
from vigil.core.task import KeyFrame
from vigil.core.turn import Reply

AT_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
SUMMARY = MemoryRequest(
    kind=RequestKind.SUMMARY,
    tenant="demo",
    session="s-1",
    source_id="lobby",
    id="0-90000-0",
    level=0,
    from_ms=0,
    to_ms=90_000,
    profile="joyai",
    model="m",
    language="en",
    frames=(KeyFrame("s-1-6-0", 6_000), KeyFrame("s-1-7-0", 7_000)),
    replies=(Reply(7_000, "The door is open."),),
    asked=("Is the door open?",),
    instructions=("Tell me when the door opens.",),
    before="A table.",
    max_tokens=256,
    due_us=AT_US + 20_000_000,
    requested_at_us=AT_US,
    ttl_s=300.0,
    observed=("faces (face) at 7.0 seconds: Anna is at the door",),
)
MERGE = replace(
    SUMMARY,
    kind=RequestKind.MERGE,
    id="0-90000-1",
    level=1,
    frames=(),
    blocks=(Block("0-40000-0", 0, 0, 40_000, "A table."), Block("40000-90000-0", 0, 40_000, 90_000, "A door.\nOpen.")),
)


@pytest.mark.parametrize("request_", [SUMMARY, MERGE])
def test_a_request_reads_back_as_it_was_written(request_: MemoryRequest) -> None:
    assert decode_memory(encode_memory(request_)) == request_


def test_a_request_is_stored_in_its_queue_and_again_when_it_is_asked_again() -> None:
    outgoing = memory_outgoing(SUMMARY, "00-a-b-01")
    assert outgoing.subject == "vigil.v1.memory.requested.demo.s-1"
    assert outgoing.message_id == f"demo.s-1.memory.0-90000-0.{AT_US}"
    assert stream_of(outgoing.subject) is MEMORY_REQUESTS
    assert outgoing.traceparent == "00-a-b-01"
    assert memory_outgoing(replace(SUMMARY, requested_at_us=AT_US + 1)).message_id != outgoing.message_id


@pytest.mark.parametrize(
    "broken",
    [
        replace(SUMMARY, tenant="de mo"),
        replace(SUMMARY, session=""),
        replace(SUMMARY, id="0-90000-1"),
        replace(SUMMARY, id="90000-0-0", from_ms=90_000, to_ms=0),
        replace(SUMMARY, frames=SUMMARY.frames * 17),
        replace(SUMMARY, max_tokens=0),
        replace(SUMMARY, ttl_s=0.0),
        replace(SUMMARY, ttl_s=float("nan")),
        replace(MERGE, blocks=()),
    ],
)
def test_a_request_that_no_session_could_have_published_is_refused(broken: MemoryRequest) -> None:
    with pytest.raises(InvalidMessage):
        decode_memory(encode_memory(broken))


@pytest.mark.parametrize("payload", [b"\xff\xff\xff", b""])
def test_other_bytes_are_no_request(payload: bytes) -> None:
    with pytest.raises(InvalidMessage):
        decode_memory(payload)


def test_what_is_told_of_a_block_names_its_span_and_holds_none_of_its_words() -> None:
    outgoing = ready_outgoing(SUMMARY, 120, AT_US)
    event = msgspec.json.decode(outgoing.payload)
    assert stream_of(outgoing.subject) is MEMORY_EVENTS
    assert outgoing.subject == "vigil.v1.memory.ready.demo.s-1"
    assert (event["id"], event["type"]) == (f"s-1.memory.0-90000-0.{AT_US}.ready", "vigil.memory.ready")
    assert event["data"] == {
        "tenant": "demo",
        "session": "s-1",
        "source_id": "lobby",
        "block": "0-90000-0",
        "event": "ready",
        "kind": "summary",
        "level": 0,
        "from_s": 0.0,
        "to_s": 90.0,
        "chars": 120,
        "reason": "",
        "emit_time": "2026-01-01T00:00:00.000Z",
    }


def test_a_failure_says_why_in_bounded_words() -> None:
    outgoing = failed_outgoing(SUMMARY, "x" * 1_000, AT_US)
    assert outgoing.subject == "vigil.v1.memory.failed.demo.s-1"
    assert msgspec.json.decode(outgoing.payload)["data"]["reason"] == "x" * 500
