"""Accepting connections that proxies pass on: the address of the client comes first, then TLS or HTTP as ever.

The header is read to its last byte and no further, so what follows it is left to whoever speaks next on the socket.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.http.proxy_header import (
    HEAD_BYTES,
    Address,
    HeaderInvalid,
    Proxies,
    body_bytes,
    client_of,
)

log = get_log()

# Connections that have not said yet whose they are, or are in their TLS handshake.
MAX_ARRIVING = 1_024
_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How connections come: those of `proxies` say within `header_s` whose they are. With `tls` the rest is a handshake
    first, of `handshake_s` at most."""

    proxies: Proxies
    header_s: float
    tls: ssl.SSLContext | None
    handshake_s: float


class ProxiedServer:
    """Accepts on a listening socket for as long as it is not closed, like `asyncio.Server`.

    `protocol` makes the protocol of a connection, from the client's address; None where that is the peer's own.
    """

    def __init__(
        self, listener: socket.socket, arrivals: Arrivals, protocol: Callable[[Address | None], asyncio.Protocol]
    ) -> None:
        self._listener = listener
        self._arrivals = arrivals
        self._protocol = protocol
        self._tasks = set[asyncio.Task[None]]()
        self._spawn(self._accept())

    def close(self) -> None:
        """Accept no more, and let those go that have not arrived."""
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Return once nothing of it runs any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(self._listener)
            except OSError as error:  # no file descriptor is left
                log.warning("connection not accepted", error=str(error))
                await asyncio.sleep(_AGAIN_S)
                continue
            if len(self._tasks) > MAX_ARRIVING:
                metrics.CONNECTIONS_REFUSED.labels("too_many").inc()
                connection.close()
            else:
                self._spawn(self._arrive(connection, peer[0]))

    async def _arrive(self, connection: socket.socket, peer: str) -> None:
        """Learn whose connection it is, and hand it over."""
        connection.setblocking(False)
        arrivals, loop = self._arrivals, asyncio.get_running_loop()
        try:
            client = await self._client(connection) if peer in arrivals.proxies else None
            await loop.connect_accepted_socket(
                partial(self._protocol, client),
                connection,
                ssl=arrivals.tls,
                ssl_handshake_timeout=arrivals.handshake_s if arrivals.tls is not None else None,
            )
        except HeaderInvalid as error:
            metrics.CONNECTIONS_REFUSED.labels("proxy_header").inc()
            log.warning("connection of a proxy refused", peer=peer, error=str(error))
            connection.close()
        except TimeoutError:
            metrics.CONNECTIONS_REFUSED.labels("late").inc()
            connection.close()
        except (OSError, EOFError):  # the client went away, or its handshake failed
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise

    async def _client(self, connection: socket.socket) -> Address | None:
        async with asyncio.timeout(self._arrivals.header_s):
            head = await _exactly(connection, HEAD_BYTES)
            return client_of(head, await _exactly(connection, body_bytes(head)))


async def _exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes and not one more. Raises `EOFError` when the connection ends before."""
    loop, data = asyncio.get_running_loop(), b""
    while len(data) < count:
        more = await loop.sock_recv(connection, count - len(data))
        if not more:
            raise EOFError("the connection ended within the PROXY header")
        data += more
    return data
