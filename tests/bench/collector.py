"""Listens on the bus as any subscriber could, and notes when each message came (microseconds since the epoch)."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig, DeliverPolicy

from bench.load_plan import TENANT
from bench.nats_client import connected
from bench.progress import wait_until
from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decode_decision
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.core.ids import SessionKey
from vigil.testing.handled import handled
from vigil.v1.frame_pb2 import CodedFrameGroup

_FETCH = 500
_ASK_S = 1.0


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision and when it came."""

    arrival_us: int
    decision: StoredDecision

    @property
    def tick_ms(self) -> float:
        """From the camera's publishing of the frame to the decision's arrival: codec, engine and all."""
        return (self.arrival_us - self.decision.capture_time_us) / 1000


@dataclass(frozen=True, slots=True)
class Alerted:
    """An opened alert and when it came."""

    arrival_us: int
    session: str
    time_ms: int


class Collector:
    """What came since it was opened, or since it was last cleared."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.decided: dict[str, list[Decided]] = defaultdict(list)
        self.alerted: list[Alerted] = []
        self.coded_us: dict[tuple[str, int], int] = {}

    @property
    def all(self) -> list[Decided]:
        """Every decision that came."""
        return [one for found in self.decided.values() for one in found]

    def clear(self) -> None:
        """Forget what came."""
        self.decided.clear()
        self.alerted.clear()
        self.coded_us.clear()

    async def note_coded_frames(self) -> None:
        """Also note when coded frames come, which is when interaction gets them."""
        await self.client.subscribe(f"vigil.v1.frame.coded.{TENANT}.*", cb=self._coded)

    async def wait(
        self, sessions: Sequence[str], wanted: Callable[[list[Decided]], bool], deadline_s: float, what: str
    ) -> None:
        """Wait until `wanted` holds for every session's decisions."""
        await wait_until(lambda: all(wanted(self.decided[one]) for one in sessions), deadline_s, what)

    async def on_decision(self, message: Msg) -> None:
        """nats-py's callback."""
        arrival_us = _now_us()
        decision = decode_decision(message.data)
        self.decided[decision.key.session].append(Decided(arrival_us, decision))

    async def on_alert(self, message: Msg) -> None:
        """nats-py's callback."""
        arrival_us = _now_us()
        data = decode_event(message.data).data
        self.alerted.append(Alerted(arrival_us, data["session"], round(data["time_s"] * 1000)))

    async def _coded(self, message: Msg) -> None:
        arrival_us = _now_us()
        group = CodedFrameGroup.FromString(message.data)
        self.coded_us[group.session, group.time_ms] = arrival_us


@asynccontextmanager
async def collecting(nats_url: str) -> AsyncIterator[Collector]:
    """Subscribe to decisions and opened alerts."""
    client: Client = await connected(nats_url, "bench collector")
    collector = Collector(client)
    try:
        await client.subscribe(subjects.ALL_DECISIONS, cb=collector.on_decision)
        await client.subscribe(f"vigil.v1.alert.{TENANT}.*.opened", cb=collector.on_alert)
        await handled(client)
        yield collector
    finally:
        await client.close()


async def stored_decisions(client: Client) -> dict[str, list[StoredDecision]]:
    """Every session's decisions as JetStream stored them, in its order."""
    subscription = await client.jetstream().pull_subscribe(
        subjects.ALL_DECISIONS, stream="DECISIONS", config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    )
    found: dict[str, list[StoredDecision]] = defaultdict(list)
    while (await subscription.consumer_info()).num_pending:
        for message in await subscription.fetch(_FETCH, timeout=5):
            decision = decode_decision(message.data)
            found[decision.key.session].append(decision)
            await message.ack()
    return found


async def stored_sequences(client: Client) -> dict[str, list[int]]:
    """The sequences of these decisions."""
    stored = await stored_decisions(client)
    return {session: [one.sequence for one in decisions] for session, decisions in stored.items()}


async def stored_alerts(client: Client) -> list[CloudEvent]:
    """Every alert event as JetStream stored them, in its order."""
    subscription = await client.jetstream().pull_subscribe(
        subjects.alerts_of(TENANT), stream="ALERTS", config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    )
    found: list[CloudEvent] = []
    while (await subscription.consumer_info()).num_pending:
        for message in await subscription.fetch(_FETCH, timeout=5):
            found.append(decode_event(message.data))
            await message.ack()
    return found


async def newest_stored(client: Client, session: str) -> StoredDecision | None:
    """The session's decision that JetStream stored last; None while there is none, or while it cannot be asked."""
    subject = subjects.decision(SessionKey(TENANT, session))
    try:
        found = await client.jetstream(timeout=_ASK_S).get_last_msg("DECISIONS", subject)
    except (NatsError, OSError, TimeoutError):
        return None
    return None if found.data is None else decode_decision(found.data)


def _now_us() -> int:
    return time.time_ns() // 1_000
