"""What every worker of a work queue does with its messages besides the work: it takes one after the other, tells
JetStream which it has in hand, gives back what another is to do, and puts aside what is no work."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from vigil.contract.dead_letters import DeadLetter, dead_letter_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.contract.streams import StreamSpec
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.consumer import Delivery
from vigil.runtime.errors import BusError, PortError
from vigil.runtime.process.logs import get_log

log = get_log()

AGAIN_S = 1.0
_HOLDS_A_LEASE = 4  # how often a message in hand is kept before its lease would run out


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """The messages of one stream at one worker. `origin` names the worker's service in dead letters. A message of a
    worker that died is delivered again after `lease_s`."""

    bus: Bus
    stream: StreamSpec
    origin: str
    lease_s: float
    now_us: Callable[[], int]

    async def take_all(self, deliveries: AsyncIterator[Delivery], take: Callable[[Delivery], Awaitable[None]]) -> None:
        """Take each message, one after the other. One that cannot be taken now comes again."""
        async for delivery in deliveries:
            try:
                await take(delivery)
            except PortError as error:
                log.warning("message not taken", stream=self.stream.name, reason=str(error))
                await give_back(delivery, AGAIN_S)

    async def hold_all(self, in_hand: Callable[[], Iterable[Delivery]]) -> NoReturn:
        """Tell JetStream again and again what is in hand here: else it would deliver it to another worker."""
        while True:
            await asyncio.sleep(self.lease_s / _HOLDS_A_LEASE)
            for delivery in tuple(in_hand()):
                with contextlib.suppress(BusError):
                    await delivery.keep()

    async def put_aside(self, delivery: Delivery, why: str) -> None:
        """Make a dead letter of a message that is no work. It is not acknowledged yet. Raises `BusError`."""
        await self.bus.publish_stored(self.letter(delivery, why, delivery.payload))
        log.error("message dead-lettered", reason=why, sequence=delivery.sequence)

    def letter(self, delivery: Delivery, why: str, payload: bytes) -> Outgoing:
        """The dead letter of a message, with this payload in the place of its own."""
        letter = DeadLetter(
            origin=self.origin,
            recipient=self.origin,
            reason=why,
            attempts=delivery.delivered,
            stream=self.stream.name,
            sequence=delivery.sequence,
            subject=delivery.subject,
            payload=payload,
        )
        return dead_letter_outgoing(letter, emit_time_us=self.now_us())


async def give_back(delivery: Delivery, delay_s: float) -> None:
    """Have a message delivered again, to whichever worker. Where NATS is away that happens once its lease is over."""
    with contextlib.suppress(BusError):
        await delivery.retry(delay_s)
