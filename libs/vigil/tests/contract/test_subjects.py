"""Subjects: by value, and by property over every token that is allowed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract import subjects
from vigil.contract.errors import InvalidSubject
from vigil.contract.subject_tokens import (
    AlertAction,
    ApprovalEvent,
    DelegationEvent,
    Kind,
    Lifecycle,
    MemoryEvent,
    SpeechEvent,
)
from vigil.contract.subject_values import (
    AlertSubject,
    ApprovalSubject,
    AuditSubject,
    DelegationSubject,
    LifecycleSubject,
    MemorySubject,
    ObservationSubject,
    SessionSubject,
    SpeechSubject,
    Subject,
    is_within,
    parse,
)
from vigil.core.alert import AlertState
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey

tokens = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
keys = st.builds(SessionKey, tokens, tokens)
all_subjects = st.one_of(
    st.builds(SessionSubject, st.sampled_from(Kind), keys),
    st.builds(LifecycleSubject, st.sampled_from(Lifecycle), keys),
    st.builds(DelegationSubject, st.sampled_from(DelegationEvent), keys),
    st.builds(ApprovalSubject, st.sampled_from(ApprovalEvent), keys),
    st.builds(MemorySubject, st.sampled_from(MemoryEvent), keys),
    st.builds(SpeechSubject, st.sampled_from(SpeechEvent), keys),
    st.builds(ObservationSubject, keys, tokens),
    st.builds(AlertSubject, tokens, tokens, st.sampled_from([*AlertState, *AlertAction])),
    st.builds(AuditSubject, tokens),
)
KEY = SessionKey("demo", "s-1")


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (subjects.raw_frames(KEY), "vigil.v1.frame.raw.demo.s-1"),
        (subjects.coded_frames(KEY), "vigil.v1.frame.coded.demo.s-1"),
        (subjects.command(KEY), "vigil.v1.command.demo.s-1"),
        (subjects.decision(KEY), "vigil.v1.decision.demo.s-1"),
        (subjects.utterance(KEY), "vigil.v1.utterance.demo.s-1"),
        (subjects.turn_dropped(KEY), "vigil.v1.turn.dropped.demo.s-1"),
        (subjects.lifecycle(Lifecycle.MOVED, KEY), "vigil.v1.session.moved.demo.s-1"),
        (subjects.lifecycle_of(KEY), "vigil.v1.session.*.demo.s-1"),
        (subjects.delegation(DelegationEvent.OPENED, KEY), "vigil.v1.delegation.opened.demo.s-1"),
        (subjects.delegations_of(KEY), "vigil.v1.delegation.*.demo.s-1"),
        (subjects.delegation(DelegationEvent.READY, KEY), "vigil.v1.delegation.ready.demo.s-1"),
        (subjects.task_requested(KEY), "vigil.v1.delegation.requested.demo.s-1"),
        (subjects.task_cancelling(KEY), "vigil.v1.delegation.cancelling.demo.s-1"),
        (subjects.approval(ApprovalEvent.GRANTED, KEY), "vigil.v1.approval.granted.demo.s-1"),
        (subjects.approvals_of(KEY), "vigil.v1.approval.*.demo.s-1"),
        (subjects.memory(MemoryEvent.READY, KEY), "vigil.v1.memory.ready.demo.s-1"),
        (subjects.memory_of(KEY), "vigil.v1.memory.*.demo.s-1"),
        (subjects.memory_requested(KEY), "vigil.v1.memory.requested.demo.s-1"),
        (subjects.memory_recall(KEY), "vigil.v1.memory.recall.demo.s-1"),
        (subjects.audio_in(KEY), "vigil.v1.audio.in.demo.s-1"),
        (subjects.audio_out(KEY), "vigil.v1.audio.out.demo.s-1"),
        (subjects.voice_activity(KEY), "vigil.v1.audio.activity.demo.s-1"),
        (subjects.transcript_partial(KEY), "vigil.v1.transcript.partial.demo.s-1"),
        (subjects.transcript(KEY), "vigil.v1.transcript.final.demo.s-1"),
        (subjects.speech(SpeechEvent.INTERRUPTED, KEY), "vigil.v1.speech.interrupted.demo.s-1"),
        (subjects.speech_of(KEY), "vigil.v1.speech.*.demo.s-1"),
        (subjects.raw_frames_of("demo"), "vigil.v1.frame.raw.demo.*"),
        (subjects.observation(KEY, "zones"), "vigil.v1.observation.demo.s-1.zones"),
        (subjects.observations_of(KEY), "vigil.v1.observation.demo.s-1.*"),
        (subjects.observations_of_tenant("demo"), "vigil.v1.observation.demo.*.*"),
        (subjects.observations_of_tenant("demo", "zones"), "vigil.v1.observation.demo.*.zones"),
        (subjects.alert("demo", "lobby", AlertState.OPENED), "vigil.v1.alert.demo.lobby.opened"),
        (subjects.alert("demo", "lobby", AlertAction.MUTED), "vigil.v1.alert.demo.lobby.muted"),
        (subjects.alert_events_of("demo", AlertAction.ACKNOWLEDGED), "vigil.v1.alert.demo.*.acknowledged"),
        (subjects.alerts_of("demo"), "vigil.v1.alert.demo.*.*"),
        (subjects.alerts_of("demo", "lobby"), "vigil.v1.alert.demo.lobby.*"),
        (subjects.audit("demo"), "vigil.v1.audit.demo"),
        (subjects.dead_letters("webhook"), "vigil.v1.dlq.webhook"),
    ],
)
def test_a_subject_is_built_by_value(built: str, expected: str) -> None:
    assert built == expected


@given(all_subjects)
def test_what_is_built_parses_back(subject: Subject) -> None:
    assert parse(str(subject)) == subject


@given(all_subjects)
def test_every_subject_has_valid_tokens_and_a_tenant(subject: Subject) -> None:
    assert re.fullmatch(r"vigil\.v1(\.[A-Za-z0-9_-]+){2,4}", str(subject))
    tenant = subject.tenant if isinstance(subject, AlertSubject | AuditSubject) else subject.key.tenant
    assert tenant in str(subject).split(".")[3:]


@given(st.text(max_size=80))
def test_any_other_text_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(InvalidSubject, match="is not a subject of Vigil"):
        parse(text)


@pytest.mark.parametrize(
    "subject",
    [
        "vigil.v1.frame.demo.s-1",
        "vigil.v2.decision.demo.s-1",
        "vigil.v1.alert.demo.lobby.exploded",
        "vigil.v1.session.paused.demo.s-1",
        "vigil.v1.delegation.guessed.demo.s-1",
        "vigil.v1.approval.bought.demo.s-1",
        "vigil.v1.memory.guessed.demo.s-1",
        "vigil.v1.speech.sung.demo.s-1",
        "vigil.v1.audio.demo.s-1",
        "vigil.v1.observation.demo.s-1",
        "vigil.v1.observation.demo.s-1.my zones",
        "vigil.v1.decision.demo.*",
        "vigil.v1.decision.de mo.s-1",
        "vigil.v1.decision..s-1",
    ],
)
def test_a_near_miss_is_refused(subject: str) -> None:
    with pytest.raises(InvalidSubject):
        parse(subject)


@given(st.text(min_size=1).filter(lambda text: not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text)))
def test_a_free_text_name_never_becomes_a_token(name: str) -> None:
    with pytest.raises(InvalidToken):
        subjects.alerts_of("demo", name)
    with pytest.raises(InvalidToken):
        subjects.observation(KEY, name)
    with pytest.raises(InvalidToken):
        subjects.observations_of_tenant("demo", name)


@pytest.mark.parametrize(
    ("subject", "pattern", "within"),
    [
        ("vigil.v1.alert.demo.lobby.opened", "vigil.v1.alert.demo.>", True),
        ("vigil.v1.alert.demo.*.*", "vigil.v1.alert.demo.>", True),
        ("vigil.v1.alert.demo.>", "vigil.v1.alert.demo.>", True),
        ("vigil.v1.session.ended.demo.s-1", "vigil.v1.session.*.demo.>", True),
        ("vigil.v1.session.*.demo.>", "vigil.v1.session.*.demo.>", True),
        ("vigil.v1.alert.demo", "vigil.v1.alert.demo.>", False),
        ("vigil.v1.alert.*.lobby.opened", "vigil.v1.alert.demo.>", False),
        ("vigil.v1.alert.>", "vigil.v1.alert.demo.>", False),
        ("vigil.v1.session.>", "vigil.v1.session.*.demo.>", False),
        ("vigil.v1.session.ended.rival.s-1", "vigil.v1.session.*.demo.>", False),
        (">", "vigil.v1.alert.demo.>", False),
        ("vigil.v1.alert.demo..x", "vigil.v1.alert.demo.>", False),
        ("", "vigil.v1.alert.demo.>", False),
        ("a.b", "a.b", True),
        ("a.b.c", "a.b", False),
        ("a.>.c", "a.*.c", False),
    ],
)
def test_what_is_within_a_pattern(subject: str, pattern: str, within: bool) -> None:
    assert is_within(subject, pattern) is within
