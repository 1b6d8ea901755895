"""Observations: what a module of the operator's own tells a session. The one kind of event that strangers write.

They are published and not stored. Whoever reads one gives the subject that it came on: the module's name in the event
must be that of the subject, for which NATS vouches. Fields that this release does not know are left out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from vigil.contract import subjects
from vigil.contract.errors import InvalidSubject, ObservationRefused, WhyRefused
from vigil.contract.events.envelope import CloudEvent, event_outgoing, rfc3339
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_values import ObservationSubject, parse
from vigil.contract.unreadable import UNREADABLE
from vigil.core.errors import CoreError
from vigil.core.ids import SessionKey
from vigil.core.observation import DEFAULT_TTL_MS, Box, Observation

TYPE = "vigil.observation"
MAX_BYTES = 16 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ObservationData:
    """The `data` of an observation event. `capture_time` has microseconds, so that it names one picture."""

    module: str
    kind: str
    text: str
    capture_time: str
    confidence: float | None
    ttl_ms: int
    box: Box | None


class _Box(msgspec.Struct, frozen=True):
    left: int
    top: int
    width: int
    height: int


class _Data(msgspec.Struct, frozen=True):
    module: str
    kind: str
    text: str
    capture_time: datetime
    confidence: float | None = None
    ttl_ms: int = DEFAULT_TTL_MS
    box: _Box | None = None


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    data: _Data


_EVENTS = msgspec.json.Decoder(_Event)


def observation_source(tenant: str, module: str) -> str:
    """The `source` of what a module tells."""
    return f"/tenants/{tenant}/modules/{module}"


def observation_outgoing(
    key: SessionKey, observation: Observation, emit_time_us: int, traceparent: str = ""
) -> Outgoing:
    """The message of an observation, which has an id: it is to be published, not stored."""
    data = ObservationData(
        module=observation.module,
        kind=observation.kind,
        text=observation.text,
        capture_time=_exact(observation.capture_time_us),
        confidence=observation.confidence,
        ttl_ms=observation.ttl_ms,
        box=observation.box,
    )
    event = CloudEvent(
        id=observation.id,
        source=observation_source(key.tenant, observation.module),
        type=TYPE,
        subject=key.session,
        time=rfc3339(emit_time_us),
        data=data,
        traceparent=traceparent or None,
    )
    return event_outgoing(key.tenant, subjects.observation(key, observation.module), event)


def read_observation(subject: str, payload: bytes) -> tuple[SessionKey, Observation]:
    """Which session was told what. What is too large is not parsed. Raises `ObservationRefused`."""
    if len(payload) > MAX_BYTES:
        raise ObservationRefused(
            WhyRefused.TOO_LARGE, f"an observation of {len(payload):,} bytes: at most {MAX_BYTES:,} are taken"
        )
    place = _place(subject)
    try:
        event = _EVENTS.decode(payload)
    except UNREADABLE as error:
        raise ObservationRefused(WhyRefused.UNREADABLE, f"these bytes are not an observation: {error}") from None
    if event.type != TYPE:
        raise ObservationRefused(WhyRefused.UNREADABLE, f"an event of the type {event.type[:80]!r}: it must be {TYPE}")
    if event.data.module != place.module:
        raise ObservationRefused(
            WhyRefused.FOREIGN, f"the module {place.module} speaks as {event.data.module[:80]!r}, which is not its name"
        )
    try:
        return place.key, _observation(event)
    except CoreError as error:
        raise ObservationRefused(WhyRefused.OUT_OF_BOUNDS, str(error)) from None


def _place(subject: str) -> ObservationSubject:
    try:
        place = parse(subject)
    except InvalidSubject as error:
        raise ObservationRefused(WhyRefused.FOREIGN, str(error)) from None
    if not isinstance(place, ObservationSubject):
        raise ObservationRefused(WhyRefused.FOREIGN, f"{subject} is not where a module speaks")
    return place


def _observation(event: _Event) -> Observation:
    data = event.data
    box = None if data.box is None else Box(data.box.left, data.box.top, data.box.width, data.box.height)
    time_us = _time_us(data.capture_time)
    return Observation(data.module, data.kind, data.text, time_us, event.id, data.confidence, data.ttl_ms, box)


def _time_us(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ObservationRefused(WhyRefused.UNREADABLE, "capture_time has no time zone: end it with Z")
    return (moment - _EPOCH) // _MICROSECOND


def _exact(time_us: int) -> str:
    """Microseconds since the epoch as `2026-01-31T12:00:00.000000Z`."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
