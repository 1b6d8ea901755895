"""The benchmark's own connection to NATS: back as soon as the server is, so that it is not what is measured."""

import nats
from nats.aio.client import Client

_RECONNECT_S = 0.05


async def connected(url: str, name: str) -> Client:
    """A client that reconnects at once and for ever."""
    client: Client = await nats.connect(
        url,
        name=name,
        max_reconnect_attempts=-1,
        reconnect_time_wait=_RECONNECT_S,
        error_cb=_unmoved,
    )
    return client


async def _unmoved(_: Exception) -> None:
    """A server that is away is what some parts are about."""
