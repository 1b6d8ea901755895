"""The connection to the broker, by aiomqtt. An optional extra (`make modules`)."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiomqtt
from looking import say, text_of

from mqtt.broker import Broker
from mqtt.relay import Message
from mqtt.rule import Rule

AGAIN_S = 2.0
MOST_WAITING = 1_000  # messages; those beyond are dropped by the client


async def messages(broker: Broker, rules: Sequence[Rule]) -> AsyncIterator[Message]:
    """What the rules ask for, as it comes, for ever; a broker that is away is tried again every `AGAIN_S`.

    A retained message is left out: nobody knows how old it is.
    """
    while True:
        try:
            async with _client(broker) as client:
                for topic in sorted({rule.topic for rule in rules}):
                    await client.subscribe(topic, qos=1)
                say(f"hears {broker.host}:{broker.port}")
                async for message in client.messages:
                    if not message.retain and isinstance(message.payload, bytes | bytearray):
                        yield Message(message.topic.value, bytes(message.payload))
        except (aiomqtt.MqttError, OSError) as error:
            say(f"the broker {broker.host}:{broker.port} is away, trying again: {error}")
        await asyncio.sleep(AGAIN_S)


def _client(broker: Broker) -> aiomqtt.Client:
    password = text_of(Path(broker.password_file)).strip() if broker.password_file else None
    trusting = ssl.create_default_context(cafile=broker.ca_file or None) if broker.is_tls else None
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.user or None,
        password=password,
        tls_context=trusting,
        max_queued_incoming_messages=MOST_WAITING,
    )
