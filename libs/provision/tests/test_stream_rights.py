"""A service that is taken over, and the declarations of the streams: it may make what is missing and change nothing."""

import asyncio
import json

import pytest
from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError

from vigil.contract.permissions import inbox_prefix, of_service
from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import CODEC, INTERACTION, SERVICES
from vigil.contract.streams import ALERTS
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.handled import handled
from vigil_provision.commands.streams import make_streams
from vigil_provision.testing.servers import ConfiguredNats


async def connected(server: ConfiguredNats, user: str) -> Nats:
    async def ignore(_: Exception) -> None:
        """Refusals are what these tests are about."""

    client = Nats()
    await client.connect(server.url_of(user), error_cb=ignore, inbox_prefix=inbox_prefix(user))
    return client


async def declared(server: ConfiguredNats) -> None:
    async with Bus.connect(BusConfig(server.operator_url, "operator")) as bus:
        await bus.connected()


async def test_the_codec_cannot_have_its_messages_stored_as_alerts(server: ConfiguredNats) -> None:
    """It may publish that a turn was dropped. Whoever may change a stream can have that stored as an alert."""
    await declared(server)
    operator, taken_over = await connected(server, "operator"), await connected(server, CODEC.name)
    config = (await operator.jetstream().stream_info(ALERTS.name)).config.as_dict()
    config["subjects"] = [*ALERTS.subjects, "vigil.v1.turn.dropped.>"]
    config["subject_transform"] = {"src": "vigil.v1.turn.dropped.demo.x", "dest": "vigil.v1.alert.demo.lobby.opened"}
    with pytest.raises(NatsError):
        await taken_over.request(f"$JS.API.STREAM.UPDATE.{ALERTS.name}", json.dumps(config).encode(), timeout=0.5)
    answer = await taken_over.request(f"$JS.API.STREAM.CREATE.{ALERTS.name}", json.dumps(config).encode(), timeout=5)
    assert json.loads(answer.data)["error"]["err_code"] == 10058, "a stream that is there is not made again"
    await taken_over.publish("vigil.v1.turn.dropped.demo.x", b"forged", headers={"Nats-Msg-Id": "demo.a-1.0"})
    await handled(taken_over)
    assert (await operator.jetstream().stream_info(ALERTS.name)).state.messages == 0
    for client in (taken_over, operator):
        await client.close()


@pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)
def test_no_service_may_change_a_stream(row: ServiceSpec) -> None:
    assert [subject for subject in of_service(row).publish if ".STREAM.UPDATE." in subject] == []


async def test_a_service_goes_on_with_a_stream_that_an_older_release_declared(server: ConfiguredNats) -> None:
    """It is ready at once, and `vigil-provision streams` brings the stream up to date."""
    await declared(server)
    operator = await connected(server, "operator")
    older = (await operator.jetstream().stream_info(ALERTS.name)).config
    older.description, older.metadata = "of an older release", {}
    await operator.jetstream().update_stream(older)
    url = server.url_of(INTERACTION.name)
    async with Bus.connect(BusConfig(url, INTERACTION.name, updates_streams=False)) as bus, asyncio.timeout(DEADLINE_S):
        await bus.connected()
    assert (await operator.jetstream().stream_info(ALERTS.name)).config.description == "of an older release"
    await make_streams(server.operator_url)
    assert (await operator.jetstream().stream_info(ALERTS.name)).config.description == ALERTS.description
    await operator.close()
