"""What every stream of live events does, whatever it tells: it is opened, looks again after NATS was away, and ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from vigil.contract import subjects
from vigil.contract.api_keys import ApiKey
from vigil.runtime.bus.client import Bus
from vigil_gateway.api.errors import KeyExpired, KeyWrong, LoginEnded
from vigil_gateway.live.feed import Topic
from vigil_gateway.live.places import Places
from vigil_gateway.live.topic_reader import LOOK_AGAIN, TopicReader, known_place
from vigil_gateway.login.holder import LoggedIn
from vigil_gateway.ports import Ports

# A client that takes nothing for this long is gone; its connection may not have noticed.
SEND_TIMEOUT_S = 30.0

# The reason of a stream whose client has left: nobody is there to be told it.
CLIENT_GONE = ""

Feed = Sequence[TopicReader]


@asynccontextmanager
async def opened(bus: Bus, topics: Sequence[Topic], after: Places) -> AsyncIterator[Feed]:
    """Readers of these topics, each from where the client says that it was, else from now on. Raises `BusError`."""
    async with AsyncExitStack() as stack:
        begin = await asyncio.gather(*(known_place(bus, topic, after.get(topic.kind)) for topic in topics))
        feed = []
        for topic, place in zip(topics, begin, strict=True):
            channel = await stack.enter_async_context(bus.subscribe(subjects.numbered(topic.subject), topic.capacity))
            feed.append(TopicReader(bus, topic, channel, place))
        yield feed


async def look_again(ports: Ports, feed: Feed, arrivals: int) -> str:
    """Have the streams looked at each time that NATS was away: live events were missed. `arrivals` is the bus's count
    from before the feed was opened."""
    while True:
        await asyncio.sleep(ports.settings.status_interval_s)
        if ports.bus.is_connected and ports.bus.arrivals != arrivals:
            arrivals = ports.bus.arrivals
            for reader in feed:
                reader.channel.offer(LOOK_AGAIN)


async def drained(ports: Ports) -> str:
    """Wait until this gateway stops; returns why the stream ends."""
    await ports.draining.wait()
    return "the gateway is shutting down: connect again"


async def withdrawn(ports: Ports, holder: ApiKey) -> str:
    """Wait until the client's key was removed, changed or has expired, or its login has ended; returns why the stream
    ends."""
    try:
        if isinstance(holder, LoggedIn):
            await ports.logins.withdrawn(holder)
        await ports.keys.withdrawn(holder)
    except (KeyWrong, KeyExpired, LoginEnded) as error:
        return str(error)
    raise AssertionError("a key is watched until it holds no longer")


async def taken(sending: Awaitable[None]) -> bool:
    """Whether the client took it in time."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await sending
    except TimeoutError:
        return False
    return True
