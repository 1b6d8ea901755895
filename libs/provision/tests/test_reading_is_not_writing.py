"""What whoever may read tries in order to write, at the NATS of each deployment: none of it changes anything.

Each attack here once worked. The user is the one that needs no password, or that of a tenant.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import nats
import pytest
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig

from vigil.contract import subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.services import WEBHOOK
from vigil.contract.streams import ALERTS, STREAMS, UTTERANCES
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.bus.consumer import Terms
from vigil.runtime.bus.round_trip import round_trip
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.handled import handled
from vigil_provision.testing.deployments import Deployment, of_accounts_alone
from vigil_provision.testing.servers import ConfiguredNats

ALERT = "vigil.v1.alert.demo.lobby.opened"
FORGED = "vigil.v1.alert.demo.forged.opened"
SAID = "vigil.v1.utterance.demo.s-1"
FRAMES = ("vigil.v1.frame.raw.demo.s-1", "vigil.v1.frame.coded.demo.s-1")
API = "$JS.API"
DURABLE = "webhook-pager"
COUNT = 5
# How long an attack that works takes at most.
SETTLE_S = 0.1

Attack = Callable[[Nats], Awaitable[None]]


@dataclass(slots=True)
class Stage:
    """A server with stored events, the bridge's consumer, and somebody with every right who listens to everything."""

    server: ConfiguredNats
    operator: Nats
    heard: list[str] = field(default_factory=list)

    async def state(self) -> dict[str, Any]:
        """What an attack could change: what is stored, what was heard, and the bridge's consumer."""
        jetstream = self.operator.jetstream()
        streams = {stream.name: (await jetstream.stream_info(stream.name)).state.messages for stream in STREAMS}
        names = {stream.name: sorted(await self._consumers(stream.name)) for stream in STREAMS}
        bridge = await jetstream.consumer_info(ALERTS.name, DURABLE)
        waiting = (bridge.num_pending, bridge.num_ack_pending, bridge.num_redelivered)
        return {"stored": streams, "consumers": names, "bridge": bridge.config, "waiting": waiting, "heard": self.heard}

    async def _consumers(self, stream: str) -> list[str]:
        return [info.name for info in await self.operator.jetstream().consumers_info(stream)]


@pytest.fixture
async def stage(server: ConfiguredNats) -> AsyncIterator[Stage]:
    async with (
        Bus.connect(BusConfig(server.operator_url, "operator")) as bus,
        connected(server.operator_url) as operator,
    ):
        await bus.connected()
        await make_bridge_consumer(server)
        for number in range(COUNT):
            for subject in (ALERT, SAID, "vigil.v1.alert.acme.yard.opened"):
                await bus.publish_stored(Outgoing(subject, f"{subject}-{number}", event(number), CLOUDEVENT))
        built = Stage(server, operator)

        async def hear(message: Msg) -> None:
            built.heard.append(message.subject)

        await operator.subscribe("vigil.v1.>", cb=hear)
        await round_trip(operator, 5.0)
        yield built


async def make_bridge_consumer(server: ConfiguredNats) -> None:
    """The consumer of an endpoint, as the bridge makes it; nobody reads from it in these tests."""
    async with Bus.connect(BusConfig(server.url_of(WEBHOOK.name), WEBHOOK.name)) as bus:
        async with asyncio.timeout(DEADLINE_S):
            await bus.connected()
        async with bus.consume(
            ALERTS, DURABLE, subjects.alerts_of("demo"), Terms(from_now=True, in_order=True)
        ) as made:
            reading = asyncio.ensure_future(anext(made))
            await eventually(lambda: made.exists, what="the consumer of the endpoint")
            reading.cancel()
            await asyncio.wait({reading})


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Nats]:
    async def ignore(_: Exception) -> None:
        """Refusals are what these tests are about."""

    client = await nats.connect(url, error_cb=ignore)
    yield client
    await client.close()


def event(number: int) -> bytes:
    data = {"tenant": "demo", "source_id": "lobby", "state": "opened", "decision_sequence": number}
    return json.dumps({"specversion": "1.0", "id": f"a-{number}.0", "data": data}).encode()


async def consume_into(client: Nats, stream: str, deliver_subject: str, name: str) -> None:
    """Have the server publish what a stream holds where the attacker wants it."""
    config = {"name": name, "deliver_subject": deliver_subject, "deliver_policy": "all", "ack_policy": "explicit"}
    for subject in (f"{API}.CONSUMER.CREATE.{stream}", f"{API}.CONSUMER.CREATE.{stream}.{name}"):
        await client.publish(subject, json.dumps({"stream_name": stream, "config": config}).encode())
    durable = {"stream_name": stream, "config": config | {"durable_name": name}}
    await client.publish(f"{API}.CONSUMER.DURABLE.CREATE.{stream}.{name}", json.dumps(durable).encode())
    await handled(client)


async def forge_by_deliver_subject(client: Nats) -> None:
    await consume_into(client, UTTERANCES.name, FORGED, "forger")


async def replay_through_two_streams(client: Nats) -> None:
    await consume_into(client, ALERTS.name, "vigil.v1.utterance.demo.chain", "first")
    await asyncio.sleep(SETTLE_S)
    await consume_into(client, UTTERANCES.name, ALERT, "second")


async def push_garbage_into_frames(client: Nats) -> None:
    for number, subject in enumerate(FRAMES):
        await consume_into(client, ALERTS.name, subject, f"garbage-{number}")


async def take_the_bridges_alerts(client: Nats) -> None:
    inbox = await client.subscribe(client.new_inbox())
    asked = json.dumps({"batch": COUNT, "no_wait": True}).encode()
    await client.publish(f"{API}.CONSUMER.MSG.NEXT.{ALERTS.name}.{DURABLE}", asked, reply=inbox.subject)
    with contextlib.suppress(NatsError):
        while True:
            message = await inbox.next_msg(timeout=SETTLE_S)
            if message.reply:
                await client.publish(message.reply, b"+TERM")


async def end_what_the_bridge_holds(client: Nats) -> None:
    """Acknowledge by the subject alone, which is easy to guess."""
    for sequence in range(1, COUNT + 1):
        for deed in (b"+TERM", b"+ACK", b"-NAK"):
            await client.publish(f"$JS.ACK.{ALERTS.name}.{DURABLE}.1.{sequence}.{sequence}.1.0", deed)


async def change_the_bridges_filter(client: Nats) -> None:
    jetstream = client.jetstream(timeout=SETTLE_S)
    asked = ConsumerConfig(durable_name=DURABLE, ack_policy=AckPolicy.EXPLICIT, max_ack_pending=1)
    with contextlib.suppress(NatsError):
        asked = (await jetstream.consumer_info(ALERTS.name, DURABLE)).config
    with contextlib.suppress(NatsError):
        await jetstream.add_consumer(ALERTS.name, replace(asked, filter_subject="vigil.v1.alert.nobody.>"))


async def end_or_pause_the_bridges_consumer(client: Nats) -> None:
    paused = b'{"pause_until": "2099-01-01T00:00:00Z"}'
    await client.publish(f"{API}.CONSUMER.PAUSE.{ALERTS.name}.{DURABLE}", paused)
    await client.publish(f"{API}.CONSUMER.RESET.{ALERTS.name}.{DURABLE}", b"")
    await client.publish(f"{API}.CONSUMER.UNPIN.{ALERTS.name}.{DURABLE}", b"{}")
    await client.publish(f"{API}.CONSUMER.DELETE.{ALERTS.name}.{DURABLE}", b"")


async def have_answers_sent_to_alerts(client: Nats) -> None:
    """Whoever is answered chooses where: the reply subject of a request is not checked by NATS."""
    asks = [f"{API}.INFO", f"{API}.STREAM.NAMES", f"{API}.STREAM.INFO.{ALERTS.name}", "vigil.v1.history.ask.demo"]
    asks += [f"{API}.STREAM.MSG.GET.{ALERTS.name}", f"{API}.DIRECT.GET.{ALERTS.name}", "$SYS.REQ.USER.INFO"]
    for asked in asks:
        for wanted in (FORGED, *FRAMES):
            await client.publish(asked, b'{"seq": 1}', reply=wanted)


async def have_the_trace_of_a_message_sent_to_alerts(client: Nats) -> None:
    headers = {"Nats-Trace-Dest": FORGED}
    for subject in ("vigil.v1.history.ask.demo", f"{API}.INFO", "vigil.v1.anything"):
        await client.publish(subject, b"{}", headers=headers)


async def say_it_plainly(client: Nats) -> None:
    for subject in (FORGED, *FRAMES, "vigil.v1.command.demo.s-1", "vigil.v1.history.answer.demo.x", "vigil.v1.dlq.x"):
        await client.publish(subject, event(99))


async def change_a_stream(client: Nats) -> None:
    config = {"name": ALERTS.name, "subjects": ["vigil.v1.alert.>"], "max_msgs": 1}
    mirror = {"name": "MINE", "sources": [{"name": ALERTS.name}], "republish": {"src": ">", "dest": FORGED}}
    await client.publish(f"{API}.STREAM.UPDATE.{ALERTS.name}", json.dumps(config).encode())
    await client.publish(f"{API}.STREAM.CREATE.MINE", json.dumps(mirror).encode())
    for deed in ("PURGE", "DELETE", "MSG.DELETE"):
        await client.publish(f"{API}.STREAM.{deed}.{ALERTS.name}", b'{"seq": 1}' if deed == "MSG.DELETE" else b"")


ATTACKS: list[Attack] = [
    forge_by_deliver_subject,
    replay_through_two_streams,
    push_garbage_into_frames,
    take_the_bridges_alerts,
    end_what_the_bridge_holds,
    change_the_bridges_filter,
    end_or_pause_the_bridges_consumer,
    have_answers_sent_to_alerts,
    have_the_trace_of_a_message_sent_to_alerts,
    say_it_plainly,
    change_a_stream,
]


@pytest.mark.parametrize("user", ["nobody", "acme"])
async def test_no_attack_changes_anything(deployment: Deployment, stage: Stage, user: str) -> None:
    if user == "nobody" and not deployment.is_open:
        await is_refused(stage.server.url)
        return
    await suffer_every_attack(stage, stage.server.url if user == "nobody" else stage.server.tenant_url("acme"))


@pytest.mark.parametrize("deployment", [of_accounts_alone()], indirect=True, ids=lambda deployment: deployment.name)
async def test_the_account_alone_keeps_a_reader_from_writing(stage: Stage) -> None:
    """The lists of the readers' users are the second wall; this is the first."""
    await suffer_every_attack(stage, stage.server.tenant_url("acme"))


async def suffer_every_attack(stage: Stage, url: str) -> None:
    before = await stage.state()
    worked = {}
    for attack in ATTACKS:
        async with connected(url) as attacker:
            await attack(attacker)
            await handled(attacker)
            await asyncio.sleep(SETTLE_S)
        after = await stage.state()
        heard = set(after["heard"]) - {"vigil.v1.history.ask.demo", "vigil.v1.history.ask.acme"}
        if heard or after | {"heard": []} != before | {"heard": []}:
            worked[attack.__name__] = sorted(heard)
            before = after
            stage.heard.clear()
    assert worked == {}


@pytest.mark.parametrize(("own", "other"), [("acme", "demo"), ("demo", "acme")])
async def test_a_tenants_user_hears_that_tenant_alone(stage: Stage, own: str, other: str) -> None:
    refused: list[str] = []
    heard: list[str] = []

    async def note(error: Exception) -> None:
        refused.append(str(error).lower())

    async def hear(message: Msg) -> None:
        heard.append(message.subject)

    client = await nats.connect(stage.server.tenant_url(own), error_cb=note)
    wide = (
        "vigil.v1.alert.>",
        "vigil.v1.alert.*.*.*",
        "vigil.v1.>",
        "_INBOX.>",
        "_VIGIL_INBOX.>",
        "$JS.>",
        "$SYS.>",
        ">",
    )
    foreign = (*subjects.stored_of(other), subjects.answers_of(other), "vigil.v1.decision.>", *wide)
    for pattern in foreign:
        await client.subscribe(pattern, cb=hear)
    for pattern in (*subjects.stored_of(own), subjects.answers_of(own)):
        await client.subscribe(pattern, cb=hear)
    await client.publish(subjects.history_asked(other), b"{}")
    await handled(client)
    assert [pattern for pattern in foreign if not any(f'"{pattern.lower()}"' in text for text in refused)] == []
    assert any(f'publish to "{subjects.history_asked(other)}"' in text for text in refused)
    for tenant in (other, own):  # what is the other's would be heard first
        await stage.operator.publish(f"vigil.v1.alert.{tenant}.lobby.opened", event(0))
        await stage.operator.publish(f"vigil.v1.session.ended.{tenant}.s-1", event(0))
    await round_trip(stage.operator, 5.0)
    await eventually(lambda: len(heard) >= 2, what="the tenant's own events are heard")
    assert sorted(heard) == [f"vigil.v1.alert.{own}.lobby.opened", f"vigil.v1.session.ended.{own}.s-1"]
    await client.close()


async def test_a_wrong_password_is_refused(server: ConfiguredNats) -> None:
    await is_refused(f"nats://tenant-acme:guess@127.0.0.1:{server.port}")


async def is_refused(url: str) -> None:
    """The server lets nobody in who connects like this."""
    client = Nats()
    try:
        with pytest.raises(NatsError, match=r"(?i)authorization"):
            await client.connect(url, allow_reconnect=False)
    finally:
        await client.close()
