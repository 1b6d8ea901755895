"""A task on the bus and what brains tell of it: read back as written, by value, by the published schema."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from vigil.contract.artefacts import artefact_object, artefact_path
from vigil.contract.delegation import decode_task, encode_task, task_outgoing
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.approvals import approval_outgoing
from vigil.contract.events.tasks import TaskNews, news_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.contract.streams import APPROVALS, DELEGATIONS, TASKS, stream_of
from vigil.contract.subject_tokens import SESSION_DELEGATIONS, DelegationEvent
from vigil.core.approval import Approval, ApprovalState
from vigil.core.ids import SessionKey
from vigil.core.task import Artefact, KeyFrame, TaskRequest, TaskState

ASYNCAPI = Path(__file__).parents[4] / "proto" / "asyncapi.yaml"
AT_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
TASK = TaskRequest(
    tenant="demo",
    session="s-1",
    source_id="lobby",
    task="s-1-7",
    question="Which flower is it?",
    note="Let me see.",
    language="en",
    brain="small",
    sequence=7,
    time_ms=7_000,
    deadline_ms=127_000,
    opened_at_us=AT_US,
    ttl_s=120.0,
    priority=5,
    frames=(KeyFrame("s-1-6-0", 6_000), KeyFrame("s-1-7-0", 7_000)),
    memory="Before: a table.",
    instructions=("Alert me when a fire starts.",),
)
PAGE = Artefact("page.html", "text/html", 1_024, "demo.s-1-7.0")
ASKED = Approval(
    "a1", "demo", "s-1", "s-1-7", "write_ticket", '{"title": "Fire"}', "Write a ticket.", expires_ms=AT_US // 1_000
)


def check(schema: str, outgoing: Outgoing) -> Any:
    """The event, which keeps to the published schema."""
    components = yaml.safe_load(ASYNCAPI.read_text("utf-8"))["components"]
    document = {"$ref": f"#/components/schemas/{schema}", "components": components}
    event = msgspec.json.decode(outgoing.payload)
    jsonschema.Draft202012Validator(document).validate(event)
    return event


def test_a_task_reads_back_as_it_was_written() -> None:
    assert decode_task(encode_task(TASK)) == TASK
    assert TASK.expires_us == AT_US + 120_000_000


def test_a_task_is_stored_in_its_queue_under_an_id_that_stays() -> None:
    outgoing = task_outgoing(TASK, "00-a-b-01")
    assert outgoing.subject == "vigil.v1.delegation.requested.demo.s-1"
    assert outgoing.message_id == f"demo.s-1-7.requested.{AT_US}"
    assert stream_of(outgoing.subject) is TASKS
    assert outgoing.traceparent == "00-a-b-01"


@pytest.mark.parametrize(
    "broken",
    [
        replace(TASK, tenant="de mo"),
        replace(TASK, session=""),
        replace(TASK, task=""),
        replace(TASK, question="  "),
        replace(TASK, question="x" * 4_001),
        replace(TASK, brain="a brain"),
    ],
)
def test_a_task_that_no_session_could_have_published_is_refused(broken: TaskRequest) -> None:
    with pytest.raises(InvalidMessage):
        decode_task(encode_task(broken))


def test_other_bytes_are_no_task() -> None:
    with pytest.raises(InvalidMessage, match="not a TaskRequest"):
        decode_task(b"\xff\xff\xff")


def test_an_urgency_has_a_bound() -> None:
    assert decode_task(encode_task(replace(TASK, priority=4_000_000))).priority == 9


@pytest.mark.parametrize("event", [event for event in DelegationEvent if event not in SESSION_DELEGATIONS])
def test_every_event_of_a_brain_keeps_to_the_schema(event: DelegationEvent) -> None:
    outgoing = news_outgoing(TASK, TaskNews(event, TaskState.RUNNING, AT_US, "small", "It looks it up."))
    assert check("TaskEvent", outgoing)["data"]["text"] == "It looks it up."
    assert outgoing.subject == f"vigil.v1.delegation.{event}.demo.s-1"
    assert stream_of(outgoing.subject) is DELEGATIONS


def test_an_answer_by_value() -> None:
    news = TaskNews(DelegationEvent.READY, TaskState.READY, AT_US, "small", "A rose.", (PAGE,))
    event = check("TaskEvent", news_outgoing(TASK, news))
    assert event["id"] == f"s-1-7.delegation.{AT_US}.ready.0"
    assert event["data"] == {
        "tenant": "demo",
        "session": "s-1",
        "source_id": "lobby",
        "task": "s-1-7",
        "event": "ready",
        "brain": "small",
        "state": "ready",
        "text": "A rose.",
        "artefacts": [
            {
                "name": "page.html",
                "media_type": "text/html",
                "size": 1_024,
                "path": "/v1/sessions/s-1/tasks/s-1-7/artefacts/0",
            }
        ],
        "emit_time": "2026-01-01T00:00:00.000Z",
    }


@pytest.mark.parametrize("state", list(ApprovalState))
def test_every_event_of_an_approval_keeps_to_the_schema(state: ApprovalState) -> None:
    outgoing = approval_outgoing(replace(ASKED, state=state, by="ann"), AT_US)
    event = check("ApprovalEvent", outgoing)
    assert (event["type"], event["subject"]) == (f"vigil.approval.{state}", "a1")
    assert outgoing.subject == f"vigil.v1.approval.{state}.demo.s-1"
    assert stream_of(outgoing.subject) is APPROVALS


def test_the_streams_of_tasks_and_of_their_events_share_no_subject() -> None:
    assert DELEGATIONS.family == "vigil.v1.delegation.>"
    assert TASKS.family == "vigil.v1.delegation.requested.>"
    assert not set(DELEGATIONS.subjects) & set(TASKS.subjects)


def test_an_artefact_is_named_by_its_tenant_first() -> None:
    assert artefact_object("demo", "s-1-7", 2) == "demo.s-1-7.2"
    assert artefact_path(SessionKey("demo", "s-1"), "s-1-7", 2) == "/v1/sessions/s-1/tasks/s-1-7/artefacts/2"
