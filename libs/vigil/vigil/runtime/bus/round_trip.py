"""Wait until the server has handled all that a client sent before."""

import contextlib

from nats.aio.client import Client
from nats.errors import Error as NatsError


async def round_trip(client: Client, timeout_s: float) -> None:
    """Send a message to ourselves: it comes back after all that was sent before, and after all that the server had
    sent to us by then. Raises nats-py's errors.

    nats-py's `flush` will not do: its ping may overtake a subscription, and when a ping times out, its late answer
    breaks the reader. Nor will a request that the server answers because nobody listens: somebody may listen.
    """
    inbox = await client.subscribe(client.new_inbox())
    try:
        await client.publish(inbox.subject)
        await inbox.next_msg(timeout=timeout_s)
    finally:
        with contextlib.suppress(NatsError, OSError):
            await inbox.unsubscribe()
