"""What a stranger receives, with nothing of ours but the published schema."""

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import nats
import pytest
import yaml
from nats.errors import NoRespondersError

from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.subject_tokens import Lifecycle
from vigil.runtime.bus.client import Bus
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.servers import NatsServer

ASYNCAPI = Path(__file__).parents[4] / "proto" / "asyncapi.yaml"
SESSION = SessionData("demo", "s-1", "lobby", role="interaction", worker="host-1", reason="")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def components() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(ASYNCAPI.read_text("utf-8"))
    components: dict[str, Any] = document["components"]
    return components


async def test_a_plain_subscriber_gets_what_the_document_says(
    bus: Bus, nats_server: NatsServer, components: dict[str, Any]
) -> None:
    stranger = await nats.connect(nats_server.url)
    subscription = await stranger.subscribe("vigil.v1.session.*.demo.*")
    with pytest.raises(NoRespondersError):  # the server has seen the subscription; nats-py's flush may overtake it
        await stranger.request("nobody")
    await bus.publish_stored(
        session_outgoing(
            Lifecycle.STARTED, SESSION, created_us=0, number=1, emit_time_us=1_767_225_600_000_000, traceparent=TRACE
        )
    )
    message = await subscription.next_msg(timeout=DEADLINE_S)
    await stranger.close()
    assert message.subject == "vigil.v1.session.started.demo.s-1"
    for schema, value in (("SessionEvent", msgspec.json.decode(message.data)), ("Headers", message.headers)):
        jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": components}).validate(
            value
        )
