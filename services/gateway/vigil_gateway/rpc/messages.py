"""Protobuf messages of the gateway's gRPC service to and from the values that every door uses."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decision_to_pb
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import decode_event
from vigil.core.session import SessionSpec
from vigil.v1 import gateway_pb2 as pb
from vigil_gateway.api.models.sessions import SessionIn
from vigil_gateway.api.problems import Problem
from vigil_gateway.live.feed import EventKind, LiveEvent
from vigil_gateway.sessions.notices import Notice


def session_in(request: pb.OpenSessionRequest) -> SessionIn:
    """The same request as `POST /v1/sessions` gets. Raises pydantic's `ValidationError` by the same rules."""
    return SessionIn.model_validate(given(request))


def given(message: Message) -> dict[str, Any]:
    """The fields that the client has set, by name; enums as the words that HTTP has for them."""
    return {field.name: _value(field, value) for field, value in message.ListFields()}


def opened(spec: SessionSpec, notices: Sequence[Notice]) -> pb.OpenSessionResponse:
    """The answer about a session that was just made."""
    return pb.OpenSessionResponse(
        session=spec.session,
        source_id=spec.source.id,
        alerts_subject=subjects.alerts_of(spec.tenant, spec.source.id),
        utterances_subject=subjects.utterance(spec.key),
        notices=[pb.Notice(code=notice.code, message=notice.message) for notice in notices],
    )


def pushed(frame: int, outcome: StoredDecision | Problem) -> pb.PushFramesResponse:
    """What became of the picture of that number."""
    if isinstance(outcome, Problem):
        return pb.PushFramesResponse(frame=frame, problem=problem_message(outcome))
    return pb.PushFramesResponse(frame=frame, decision=decision_to_pb(outcome))


def problem_message(problem: Problem) -> pb.Problem:
    """The problem that a picture met."""
    members = problem.as_json()
    return pb.Problem(
        type=str(members["type"]),
        title=problem.row.title,
        status=problem.row.status,
        detail=problem.detail,
        next_step=problem.row.next_step,
    )


def event_message(event: LiveEvent) -> pb.EventsResponse:
    """One live event. Raises `InvalidMessage` for bytes that are not an event."""
    match event.kind:
        case EventKind.DECISION if event.decision is not None:
            return pb.EventsResponse(decision=decision_to_pb(event.decision))
        case EventKind.STATUS:
            return pb.EventsResponse(status=_roles(msgspec.json.decode(event.data)))
        case EventKind.END:
            return pb.EventsResponse(end=pb.EventsEnd(reason=msgspec.json.decode(event.data)["reason"]))
        case EventKind.UTTERANCE:
            return pb.EventsResponse(utterance=_cloud_event(event))
        case EventKind.ALERT:
            return pb.EventsResponse(alert=_cloud_event(event))
        case EventKind.SESSION:
            return pb.EventsResponse(session=_cloud_event(event))
        case EventKind.DELEGATION:
            return pb.EventsResponse(delegation=_cloud_event(event))
        case EventKind.APPROVAL:
            return pb.EventsResponse(approval=_cloud_event(event))
        case EventKind.MEMORY:
            return pb.EventsResponse(memory=_cloud_event(event))
        case EventKind.TRANSCRIPT:
            return pb.EventsResponse(transcript=_cloud_event(event))
        case EventKind.SPEECH:
            return pb.EventsResponse(speech=_cloud_event(event))
        case _:
            raise InvalidMessage("a decision event without its decision")


def _cloud_event(live_event: LiveEvent) -> pb.CloudEvent:
    event = decode_event(live_event.data)
    return pb.CloudEvent(
        id=event.id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=event.time,
        data=_struct(event.data),
        traceparent=event.traceparent or "",
    )


def _roles(status: Mapping[str, Any]) -> pb.SessionRoles:
    roles = status["roles"]
    return pb.SessionRoles(roles=None if roles is None else _struct(roles), dropped=status["dropped"])


def _struct(value: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(value)
    return struct


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.is_repeated:
        return [_single(field, item) for item in value]
    return _single(field, value)


def _single(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Message):
        return given(value)
    if field.enum_type is not None:
        return word(field.enum_type, value)
    return value


def word(enum: EnumDescriptor, number: int) -> str:
    """`critical` for `SEVERITY_CRITICAL`; a number that is newer than this gateway stays a number, which is refused."""
    found = enum.values_by_number.get(number)
    if found is None:
        return str(number)
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return found.name.removeprefix(prefix).lower()
