"""Which stream stores a subject, also one with wildcards."""

import pytest

from vigil.contract import subjects
from vigil.contract.errors import InvalidSubject
from vigil.contract.streams import (
    ALERTS,
    APPROVALS,
    DECISIONS,
    DELEGATIONS,
    MEMORY_EVENTS,
    MEMORY_REQUESTS,
    SESSIONS,
    SPEECH,
    TASKS,
    TRANSCRIPTS,
    StreamSpec,
    stream_of,
)
from vigil.core.ids import SessionKey

KEY = SessionKey("demo", "s-1")


@pytest.mark.parametrize(
    ("subject", "stream"),
    [
        (subjects.decision(KEY), DECISIONS),
        (subjects.lifecycle_of(KEY), SESSIONS),
        (subjects.alerts_of("demo", "lobby"), ALERTS),
        (subjects.delegations_of(KEY), DELEGATIONS),
        ("vigil.v1.delegation.requested.demo.s-1", TASKS),
        ("vigil.v1.approval.*.demo.s-1", APPROVALS),
        ("vigil.v1.memory.requested.demo.s-1", MEMORY_REQUESTS),
        ("vigil.v1.memory.failed.demo.s-1", MEMORY_EVENTS),
        (subjects.memory_of(KEY), MEMORY_EVENTS),
        (subjects.transcript(KEY), TRANSCRIPTS),
        (subjects.speech_of(KEY), SPEECH),
        ("vigil.v1.alert.>", ALERTS),
    ],
)
def test_a_subject_has_its_stream(subject: str, stream: StreamSpec) -> None:
    assert stream_of(subject) is stream


@pytest.mark.parametrize(
    "subject",
    [
        "vigil.v1.frame.raw.demo.s-1",
        "vigil.v1.memory.recall.demo.s-1",
        "vigil.v1.transcript.partial.demo.s-1",
        "vigil.v1.audio.in.demo.s-1",
        "vigil.v1.delegation",
        "vigil.v2.alert.demo",
        "",
    ],
)
def test_what_no_stream_stores_has_none(subject: str) -> None:
    with pytest.raises(InvalidSubject, match="no stream stores"):
        stream_of(subject)
