"""What modules without NATS tell a session: it is published where modules with NATS publish it."""

import secrets
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, status

from vigil.contract.events.observations import observation_outgoing
from vigil.core.observation import Box, Observation
from vigil.runtime.errors import SessionEnded
from vigil.runtime.process.trace import current_traceparent
from vigil.runtime.session.lifecycle import now_us
from vigil_gateway.api.errors import NotHeard
from vigil_gateway.api.models.base import Accepted
from vigil_gateway.api.models.observations import ObservationIn
from vigil_gateway.ports import Key, PortsOf

router = APIRouter(prefix="/v1/sessions/{session}", tags=["sessions"])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@router.post("/observations", status_code=status.HTTP_202_ACCEPTED)
async def observe(ports: PortsOf, key: Key, body: ObservationIn) -> Accepted:
    """Tell the session what a module of yours noticed. The model is shown it in the next turn, as data, when it is not
    too old by then. A session whose options leave that module out refuses it (`not_heard`)."""
    look = await ports.store.look(key)
    if look.ended is not None:
        raise SessionEnded.because(key, look.ended.reason)
    if not look.spec.modules.hears(body.module):
        raise NotHeard(key.session, body.module, look.spec.modules)
    seen = observation(body, f"o-{secrets.token_hex(8)}", now_us())
    outgoing = observation_outgoing(key, seen, now_us(), current_traceparent())
    await ports.bus.publish(outgoing.subject, outgoing.payload, {"Content-Type": outgoing.content_type})
    return Accepted(id=seen.id, session=key.session)


def observation(body: ObservationIn, observation_id: str, now: int) -> Observation:
    """The core's value of what was sent at `now` (microseconds since the epoch). Raises `InvalidSpec`."""
    box = None if body.box is None else Box(body.box.left, body.box.top, body.box.width, body.box.height)
    time_us = now if body.capture_time is None else (body.capture_time - _EPOCH) // _MICROSECOND
    return Observation(body.module, body.kind, body.text, time_us, observation_id, body.confidence, body.ttl_ms, box)
