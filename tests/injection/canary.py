"""A server that counts who comes: where a text names its URL, nobody may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Canary:
    """Listens while `listening`; `visits` counts connections."""

    def __init__(self) -> None:
        self.visits = 0
        self.url = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Canary"]:
        """At `url` on a free port of this host."""

        def visited(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.visits += 1
            writer.close()

        async with await asyncio.start_server(visited, "127.0.0.1", 0) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/stolen"
            yield self
