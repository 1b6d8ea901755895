"""What becomes of pictures that were shown: the decision on them, or why there is none, as soon as that is known."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decode_decision
from vigil.contract.subject_tokens import Lifecycle
from vigil.contract.turn_dropped import DropReason, TurnDropped, decode_dropped
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusUnavailable
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.store.turn_lease import Shown
from vigil_gateway.api import turn_errors
from vigil_gateway.api.turn_errors import TimeNotLater, TurnError, TurnIdle, TurnRefused, TurnSuperseded

# A worker that takes a session over may be shown once more what its predecessor has just decided on: that decision is
# on its way then.
ON_ITS_WAY_S = 0.4
Again = Callable[[], Awaitable[None]]

_ERRORS: dict[DropReason, type[TurnError]] = {
    DropReason.ENGINE_FAILED: turn_errors.TurnDropped,
    DropReason.ENGINE_REFUSED: TurnRefused,
    DropReason.STORE: turn_errors.TurnDropped,
    DropReason.NOT_NEWER: TimeNotLater,
    DropReason.IDLE: TurnIdle,
    DropReason.DAMAGED: TurnRefused,
    DropReason.OVERTAKEN: turn_errors.TurnDropped,
}


class Outcomes:
    """Hears what becomes of a session's turns."""

    def __init__(self, decisions: KeepLatest[Message], drops: KeepLatest[Message], moves: KeepLatest[Message]) -> None:
        self._decisions = decisions
        self._drops = drops
        self._moves = moves

    async def of(self, shown: Shown, again: Again) -> StoredDecision:
        """The decision on these very pictures. When another worker takes the session over, they are shown `again`: the
        former one may have died with them. Raises a `TurnError` when there will be no decision, `BusUnavailable`."""
        return await first_to_end(self._decision(shown), self._drop(shown), self._show_again(again))

    async def _decision(self, shown: Shown) -> StoredDecision:
        async for message in self._decisions:
            decision = decode_decision(message.payload)
            if is_of(decision, shown):
                return decision
            if decision.time_ms >= shown.time_ms:
                raise TurnSuperseded("another picture was shown to the model before this one")
        raise BusUnavailable("the decision cannot be heard: the subscription ended")

    async def _drop(self, shown: Shown) -> NoReturn:
        async for message in self._drops:
            dropped = decode_dropped(message.payload)
            if (dropped.time_ms, dropped.capture_time_us) == (shown.time_ms, shown.capture_us):
                if dropped.reason is DropReason.NOT_NEWER:
                    await asyncio.sleep(ON_ITS_WAY_S)
                raise error_of(dropped)
        raise BusUnavailable("dropped turns cannot be heard: the subscription ended")

    async def _show_again(self, again: Again) -> NoReturn:
        async for _ in self._moves:
            await again()
        raise BusUnavailable("a takeover cannot be heard: the subscription ended")


@asynccontextmanager
async def outcomes(bus: Bus, key: SessionKey) -> AsyncIterator[Outcomes]:
    """Listen to the session while the block runs. What is shown inside of it is heard of."""
    async with (
        bus.subscribe(subjects.decision(key), capacity=64) as decisions,
        bus.subscribe(subjects.turn_dropped(key), capacity=64) as drops,
        bus.subscribe(subjects.lifecycle(Lifecycle.MOVED, key), capacity=1) as moves,
    ):
        yield Outcomes(decisions, drops, moves)


def is_of(decision: StoredDecision, shown: Shown) -> bool:
    """Whether the decision is on these pictures, and not on others under the same model time."""
    return (decision.time_ms, decision.capture_time_us) == (shown.time_ms, shown.capture_us)


def error_of(dropped: TurnDropped) -> TurnError:
    """How a client is told that its turn was dropped, in the words of whoever dropped it."""
    return _ERRORS[dropped.reason](dropped.detail)
