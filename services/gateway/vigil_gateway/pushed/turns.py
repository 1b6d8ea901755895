"""Turns of sessions that exist and whose pictures a client pushes, over gRPC or a WebSocket: one turn a picture."""

from pydantic import ValidationError

from vigil.contract.decision import StoredDecision
from vigil.core.command import Ask
from vigil.core.ids import SessionKey
from vigil.runtime.store.record import Look
from vigil_gateway.api.errors import NoSuchSession, TooManyPushes
from vigil_gateway.api.models.live import PictureIn
from vigil_gateway.api.turn_errors import (
    PictureRefused,
    TimeNotLater,
    TurnDropped,
    TurnIdle,
    TurnInFlight,
    TurnLate,
    TurnRefused,
    TurnSuperseded,
)
from vigil_gateway.ports import Ports
from vigil_gateway.pushed import push
from vigil_gateway.pushed.data_url import bounded
from vigil_gateway.pushed.deadline import Deadline
from vigil_gateway.pushed.fitting import fitted_in_thread
from vigil_gateway.pushed.repeat import Sent, answered, sent
from vigil_gateway.pushed.turn_lease import in_turn
from vigil_gateway.sessions.commands import new_id

# Refusals of one picture: the next picture of the same client may well be shown. Every other error ends the call.
ONE_PICTURE = (
    PictureRefused,
    TimeNotLater,
    TooManyPushes,
    TurnDropped,
    TurnIdle,
    TurnInFlight,
    TurnLate,
    TurnRefused,
    TurnSuperseded,
    ValidationError,
)


async def check_pushed(ports: Ports, key: SessionKey) -> None:
    """Raise `NoSuchSession`, `SessionEnded` or `NotPushed` when no picture can be pushed into the session."""
    _there(key, await push.found(ports, key))


async def show(
    ports: Ports, key: SessionKey, picture: bytes, options: PictureIn, arrived_us: int | None = None
) -> StoredDecision:
    """Show the model one picture (JPEG, PNG or WebP) and await its decision. One that has waited is of when it arrived.

    Raises one of `ONE_PICTURE` when there is none, and what `check_pushed` raises. What is refused before the model is
    shown it leaves nothing behind. The last picture and question once more, under the same `time_s`, get their
    decision once more.
    """
    data, deadline = bounded(picture), Deadline.of_now(ports.settings.turn_deadline_s)
    pushed = sent([data], options.time_s, question=options.question or "", arrived_us=arrived_us)
    with ports.pushes.slot(key.tenant):
        return await _shown(ports, key, data, options.question, pushed, deadline)


async def _shown(
    ports: Ports, key: SessionKey, data: bytes, asked: str | None, pushed: Sent, deadline: Deadline
) -> StoredDecision:
    async with in_turn(ports.turns, key) as lease:
        look = _there(key, push.checked(key, lease.look))
        if (decision := await answered(ports, lease, pushed)) is not None:
            return decision
        pictures = await fitted_in_thread([data], look.spec.profile, ports.pixels, deadline)
        question = None
        if asked is not None:
            question = await push.ask(ports, key, look.waiting.commands, Ask(new_id("q"), asked))
        return await push.turn(ports, lease, pictures, question, pushed, deadline)


def _there(key: SessionKey, look: Look | None) -> Look:
    if look is None:
        raise NoSuchSession(key.session)
    return look
