"""A service that is taken over, which sends itself a message whose answer belongs where it may not publish."""

import pytest
from nats.aio.client import Client as Nats
from nats.errors import TimeoutError as NoAnswer

from vigil.contract.permissions import inbox_prefix
from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import INGESTION, SERVICES
from vigil.runtime.bus.round_trip import round_trip
from vigil.testing.eventually import DEADLINE_S
from vigil_provision.testing.servers import ConfiguredNats

FORGED = "vigil.v1.alert.demo.lobby.opened"
MAY_HEAR_ITSELF = "vigil.v1.session.ended.demo.s-1"


async def connected(server: ConfiguredNats, user: str) -> Nats:
    async def ignore(_: Exception) -> None:
        """Refusals are what this test is about."""

    client = Nats()
    await client.connect(server.url_of(user), error_cb=ignore, inbox_prefix=inbox_prefix(user))
    return client


async def test_a_service_cannot_answer_itself_where_it_may_not_publish(server: ConfiguredNats) -> None:
    """Ingestion may say and hear that a session ended. Were it allowed to answer whatever it hears, it could name an
    alert as the place of the answer, and so publish one."""
    operator, taken_over = await connected(server, "operator"), await connected(server, INGESTION.name)
    alerts = await operator.subscribe("vigil.v1.alert.>")
    own = await taken_over.subscribe("vigil.v1.session.>")
    await round_trip(operator, 5)
    await round_trip(taken_over, 5)
    await taken_over.publish(MAY_HEAR_ITSELF, b"", reply=FORGED)
    message = await own.next_msg(timeout=DEADLINE_S)
    assert message.reply == FORGED
    await taken_over.publish(message.reply, b"forged", headers={"Nats-Msg-Id": "demo.a-1.0"})
    await round_trip(taken_over, 5)
    with pytest.raises(NoAnswer):
        await alerts.next_msg(timeout=0.3)
    for client in (taken_over, operator):
        await client.close()


@pytest.mark.parametrize("row", [row for row in SERVICES if row.bus.hears], ids=lambda row: row.name)
async def test_a_service_answers_whoever_asks_it_from_an_inbox(server: ConfiguredNats, row: ServiceSpec) -> None:
    subject = row.bus.hears[0].replace(">", "demo.s-1").replace("*", "x")
    asking, answering = await connected(server, "operator"), await connected(server, row.name)
    asked = await answering.subscribe(row.bus.hears[0])
    await round_trip(answering, 5)
    inbox = asking.new_inbox()
    answers = await asking.subscribe(inbox)
    await round_trip(asking, 5)
    await asking.publish(subject, b"?", reply=inbox)
    await (await asked.next_msg(timeout=DEADLINE_S)).respond(b"!")
    while (await answers.next_msg(timeout=DEADLINE_S)).data != b"!":
        pass  # JetStream says that it stored the question
    for client in (asking, answering):
        await client.close()
