"""Each service's NATS user at the NATS of each deployment: what its row says, it may do, and nothing else."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

import nats
import pytest
from nats.aio.client import Client as Nats

from vigil.contract import subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.permissions import inbox_prefix
from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import GATEWAY, INGESTION, INTERACTION, SERVICES, WEBHOOK
from vigil.contract.streams import ALERTS, DECISIONS, STREAMS
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.errors import BusUnavailable, NoResponders
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.handled import handled
from vigil_provision.testing.servers import ConfiguredNats

EVERY_SUBJECT = sorted({subject for row in SERVICES for subject in (*row.bus.publishes, *row.bus.hears)})
ALERT = "vigil.v1.alert.demo.lobby.opened"
BY_NAME = pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)


class User:
    """A plain connection of one user, and what the server refused it."""

    def __init__(self) -> None:
        self.denials: list[str] = []
        self.nats = Nats()

    async def note(self, error: Exception) -> None:
        """Called by nats-py with what the server says."""
        self.denials.append(str(error).lower())

    def was_refused(self, deed: str, subject: str) -> bool:
        """Whether the server refused to let it publish or subscribe there."""
        return any(f'violation for {deed} to "{subject.lower()}"' in denial for denial in self.denials)


@contextlib.asynccontextmanager
async def connected(url: str, user: str = "") -> AsyncIterator[User]:
    connection = User()
    await connection.nats.connect(url, error_cb=connection.note, inbox_prefix=inbox_prefix(user))
    yield connection
    await connection.nats.close()


@pytest.fixture
async def operator(server: ConfiguredNats) -> AsyncIterator[Bus]:
    """A bus with every right."""
    async with Bus.connect(BusConfig(server.operator_url, "operator")) as bus:
        await bus.connected()
        yield bus


@contextlib.asynccontextmanager
async def bus_of(server: ConfiguredNats, row: ServiceSpec) -> AsyncIterator[Bus]:
    """The bus as the service has it."""
    async with Bus.connect(BusConfig(server.url_of(row.name), row.name)) as bus:
        async with asyncio.timeout(DEADLINE_S):
            await bus.connected()
        yield bus


def concrete(pattern: str) -> str:
    """A subject that the pattern takes in."""
    return pattern.replace(">", "demo.s-1.x").replace("*", "x")


@BY_NAME
async def test_a_service_declares_the_streams(server: ConfiguredNats, row: ServiceSpec) -> None:
    async with bus_of(server, row), connected(server.operator_url) as operator:
        found = {info.config.name for info in await operator.nats.jetstream().streams_info()}
    assert found == {*(stream.name for stream in STREAMS), "OBJ_VIGIL_SNAPSHOTS", "OBJ_VIGIL_ARTEFACTS"}


@BY_NAME
async def test_a_service_says_what_its_row_says(server: ConfiguredNats, operator: Bus, row: ServiceSpec) -> None:
    async with bus_of(server, row) as bus:
        for pattern in row.bus.publishes:
            async with operator.subscribe(pattern, capacity=8) as heard:
                await bus.publish(concrete(pattern), b"hello")
                async with asyncio.timeout(DEADLINE_S):
                    assert (await anext(heard)).subject == concrete(pattern)


@BY_NAME
async def test_a_service_hears_what_its_row_says(server: ConfiguredNats, operator: Bus, row: ServiceSpec) -> None:
    async with bus_of(server, row) as bus:
        for pattern in row.bus.hears:
            async with bus.subscribe(pattern, capacity=8) as heard:
                await operator.publish(concrete(pattern), b"hello")
                # A stream may publish once more what was said before, so that other messages come first.
                async with asyncio.timeout(DEADLINE_S):
                    while (await anext(heard)).subject != concrete(pattern):
                        pass


@BY_NAME
async def test_a_service_is_refused_what_its_row_does_not_say(server: ConfiguredNats, row: ServiceSpec) -> None:
    said, heard = set(row.bus.publishes), set(row.bus.hears)
    unsaid = [concrete(pattern) for pattern in EVERY_SUBJECT if not covered(pattern, said)]
    unheard = [pattern for pattern in EVERY_SUBJECT if not covered(pattern, heard)]
    async with connected(server.url_of(row.name), row.name) as user:
        for subject in unsaid:
            await user.nats.publish(subject, b"forged")
        for pattern in unheard:
            await user.nats.subscribe(pattern)
        await eventually(
            lambda: (
                all(user.was_refused("publish", subject) for subject in unsaid)
                and all(user.was_refused("subscription", pattern) for pattern in unheard)
            ),
            what="every refusal",
        )


def covered(pattern: str, allowed: set[str]) -> bool:
    """Whether one of the allowed patterns takes in all that `pattern` does."""
    return any(pattern == wide or (wide.endswith(">") and pattern.startswith(wide[:-1])) for wide in allowed)


@BY_NAME
async def test_no_service_destroys_a_stream_or_overhears_another(server: ConfiguredNats, row: ServiceSpec) -> None:
    deeds = [
        f"$JS.API.STREAM.{deed}.{stream.name}"
        for deed, stream in itertools.product(("DELETE", "PURGE", "MSG.DELETE"), STREAMS)
    ]
    elsewhere = [f"{inbox_prefix(other.name)}.>" for other in SERVICES if other is not row]
    inboxes = [*elsewhere, f"{inbox_prefix('')}.>", "_INBOX.>", ">"]
    async with connected(server.url_of(row.name), row.name) as user:
        for deed in deeds:
            await user.nats.publish(deed, b"")
        for inbox in inboxes:
            await user.nats.subscribe(inbox)
        await eventually(
            lambda: (
                all(user.was_refused("publish", deed) for deed in deeds)
                and all(user.was_refused("subscription", inbox) for inbox in inboxes)
            ),
            what="every refusal",
        )


async def test_the_interaction_service_looks_up_what_it_stored(server: ConfiguredNats) -> None:
    async with bus_of(server, INTERACTION) as bus:
        for stream in INTERACTION.bus.looks_up:
            subject = concrete(stream.subjects[0]).replace("session.demo", "session.started.demo")
            subject = subject.replace("alert.demo.s-1.x", "alert.demo.s-1.opened")
            await bus.publish_stored(Outgoing(subject, f"id-{stream.name}", b"{}", CLOUDEVENT))
            assert await bus.last_message_id(subject) == f"id-{stream.name}"


async def test_a_tenants_pager_hears_from_the_gateway_who_sees_to_an_alert(server: ConfiguredNats) -> None:
    """Over its tenant's own user, without asking anybody."""
    acknowledged = ALERT.replace("opened", "acknowledged")
    async with (
        bus_of(server, GATEWAY) as gateway,
        bus_of(server, INTERACTION) as interaction,
        connected(server.tenant_url("demo")) as pager,
    ):
        heard = await pager.nats.subscribe("vigil.v1.alert.demo.>")
        await handled(pager.nats)
        await interaction.publish_stored(Outgoing(ALERT, "demo.a-1.0", b"opened", CLOUDEVENT))
        await gateway.publish_stored(Outgoing(acknowledged, "demo.a-1.acknowledged.0", b"seen", CLOUDEVENT))
        told = [await heard.next_msg(timeout=DEADLINE_S) for _ in range(2)]
        assert [(message.subject, message.data) for message in told] == [(ALERT, b"opened"), (acknowledged, b"seen")]


async def test_ingestion_answers_what_the_gateway_asks(server: ConfiguredNats) -> None:
    subject = subjects.signalling(SessionKey("demo", "s-1"))
    async with bus_of(server, GATEWAY) as asker, bus_of(server, INGESTION) as worker:
        with pytest.raises(NoResponders):
            await asker.request(subject, b"offer", timeout_s=10)
        async with worker.subscribe(subject, capacity=8, queue="ingestion") as requests:
            asked = asyncio.create_task(asker.request(subject, b"offer", timeout_s=10))
            async with asyncio.timeout(DEADLINE_S):
                await worker.answer(await anext(requests), b"answer")
                assert await asked == b"answer"


async def test_a_snapshot_goes_from_the_interaction_service_to_the_gateway(server: ConfiguredNats) -> None:
    async with bus_of(server, INTERACTION) as writer, bus_of(server, GATEWAY) as reader:
        for picture in (b"first" * 100_000, b"second" * 100_000):  # the second replaces the first
            await writer.put_snapshot("demo.a-1", picture)
            assert await reader.get_snapshot("demo.a-1") == picture
        with pytest.raises(BusUnavailable):
            await reader.put_snapshot("demo.a-1", b"forged")


async def test_the_webhook_bridge_reads_alerts_and_no_other_stream(server: ConfiguredNats, operator: Bus) -> None:
    await operator.publish_stored(Outgoing(ALERT, "a-1", b"{}", CLOUDEVENT))
    async with (
        bus_of(server, WEBHOOK) as bus,
        bus.consume(ALERTS, "webhook-pager", subjects.ALL_ALERTS) as alerts,
        asyncio.timeout(DEADLINE_S),
    ):
        delivery = await anext(alerts)
        assert delivery.subject == ALERT
        assert await alerts.differences() == ()
        await alerts.renew()
        assert (await anext(alerts)).sequence == delivery.sequence, "what was not acknowledged comes again"
    async with connected(server.url_of(WEBHOOK.name), WEBHOOK.name) as user:
        with pytest.raises(nats.errors.Error):
            await user.nats.jetstream(timeout=1).get_last_msg(DECISIONS.name, subjects.ALL_DECISIONS)
        assert user.was_refused("publish", "$JS.API.STREAM.MSG.GET.DECISIONS")
