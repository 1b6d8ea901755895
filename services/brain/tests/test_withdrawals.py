"""What is heard on the bus, and which tasks it withdraws. By value; the hearing itself is in test_task_worker."""

import json

import pytest

from vigil.core.delegation import TaskOutcome
from vigil.core.ids import SessionKey
from vigil_brain.withdrawals import read

KEY = SessionKey("demo", "s-1")


def closed(outcome: str | None) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": "1",
            "source": "/x",
            "type": "vigil.delegation.closed",
            "subject": "s-1-7",
            "time": "2026-01-01T00:00:00.000Z",
            "data": {"outcome": outcome},
        }
    ).encode()


@pytest.mark.parametrize("outcome", [TaskOutcome.EXPIRED, TaskOutcome.DISPLACED, TaskOutcome.FORGOTTEN])
def test_a_task_that_closed_without_a_result_is_withdrawn(outcome: TaskOutcome) -> None:
    found = read("vigil.v1.delegation.closed.demo.s-1", closed(outcome))
    assert found is not None
    key, task, why = found
    assert (key, task) == (KEY, "s-1-7")
    assert why


@pytest.mark.parametrize("outcome", [TaskOutcome.ANSWERED, TaskOutcome.FAILED])
def test_a_task_that_closed_with_its_result_is_not(outcome: TaskOutcome) -> None:
    assert read("vigil.v1.delegation.closed.demo.s-1", closed(outcome)) is None


def test_the_end_of_a_session_withdraws_all_of_its_tasks() -> None:
    assert read("vigil.v1.session.ended.demo.s-1", b"") == (KEY, None, "the session has ended")


def test_a_task_is_cancelled_by_its_id() -> None:
    assert read("vigil.v1.delegation.cancelling.demo.s-1", b"s-1-7") == (KEY, "s-1-7", "it was cancelled")


@pytest.mark.parametrize(
    ("subject", "payload"),
    [
        ("vigil.v1.delegation.closed.demo.s-1", b"{"),
        ("vigil.v1.delegation.closed.demo.s-1", closed(None)),
        ("vigil.v1.delegation.closed.demo.s-1", closed("guessed")),
        ("vigil.v1.delegation.cancelling.demo.s-1", b"\xff"),
        ("vigil.v1.session.started.demo.s-1", b""),
        ("nonsense", b""),
    ],
)
def test_anything_else_withdraws_nothing(subject: str, payload: bytes) -> None:
    assert read(subject, payload) is None
