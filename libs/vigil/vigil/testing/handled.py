"""A connection of nats-py whose server has handled what was sent."""

from nats.aio.client import Client


async def handled(client: Client) -> None:
    """Wait until the server has handled what was sent, a subscription for example: what is published afterwards, on
    any connection, arrives. The client needs no right to publish.

    nats-py's `flush` alone will not do: its ping may overtake what was sent before. A second one does not.
    """
    for _ in range(2):
        await client.flush()
