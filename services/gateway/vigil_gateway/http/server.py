"""Uvicorn inside the service's life: our signals, our logs, our readiness."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import uvicorn
from fastapi import FastAPI

from vigil.runtime.process.startup import PortInUse
from vigil_gateway.api.sizes import MAX_CHAT_BODY_BYTES
from vigil_gateway.config import GatewaySettings
from vigil_gateway.http.client_limit import ClientConnections
from vigil_gateway.http.http_protocol import BODY_LINGER_S, HEAD_S, HttpProtocol
from vigil_gateway.http.proxied import Arrivals, ProxiedServer
from vigil_gateway.http.proxy_header import NO_PROXIES, Address, Proxies, proxies_of
from vigil_gateway.http.websocket_protocol import WebSocketProtocol

_BACKLOG = 512
# Connections at once, open event streams among them; beyond it the server itself answers 503.
MAX_CONNECTIONS = 1_024

# A client that has not finished its TLS handshake by then is let go.
HANDSHAKE_S = 10.0

# A WebSocket that answers no ping is closed.
PING_S, PONG_S = 20.0, 20.0


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the server listens (a free port when 0), for how long requests under way go on when it stops, and how many
    connections one client address may have. A request's head is to come within `head_s`, its body within `linger_s`.
    With `tls` the server speaks TLS and nothing else, and a handshake is to end within `handshake_s`. `proxies` say
    whose connections they bring."""

    host: str
    port: int
    drain_s: float
    connections_per_client: int = MAX_CONNECTIONS
    head_s: float = HEAD_S
    linger_s: float = BODY_LINGER_S
    tls: ssl.SSLContext | None = None
    handshake_s: float = HANDSHAKE_S
    proxies: Proxies = NO_PROXIES

    @classmethod
    def of(cls, settings: GatewaySettings, tls: ssl.SSLContext | None = None) -> "Listening":
        """As the gateway's settings say."""
        return cls(
            settings.host,
            settings.http_port,
            settings.drain_s,
            settings.connections_per_client,
            tls=tls,
            proxies=proxies_of(settings.trusted_proxies),
        )


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone, says when it listens, and bounds the handshake of TLS."""

    def __init__(self, config: uvicorn.Config, listening_on: Listening) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._on = listening_on

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        for listener in sockets or ():
            self.servers.append(self._behind_proxies(listener) if self._on.proxies else await self._direct(listener))
        self.listening.set()

    async def _direct(self, listener: socket.socket) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            self._connection,
            sock=listener,
            backlog=self.config.backlog,
            ssl=self._on.tls,
            ssl_handshake_timeout=self._on.handshake_s if self._on.tls is not None else None,
        )

    def _behind_proxies(self, listener: socket.socket) -> asyncio.Server:
        listener.listen(self.config.backlog)
        arrivals = Arrivals(self._on.proxies, self._on.head_s, self._on.tls, self._on.handshake_s)
        return ProxiedServer(listener, arrivals, self._connection)  # type: ignore[return-value]  # uvicorn only closes it

    def _connection(self, client: Address | None = None) -> asyncio.Protocol:
        """As uvicorn makes one, for the client that a proxy has named."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state, client=client
        )


@asynccontextmanager
async def serve(app: FastAPI, listening_on: Listening, draining: asyncio.Event) -> AsyncIterator[int]:
    """Serve `app` for as long as the block runs; yields the port.

    On leaving, `draining` is set so that endless answers end by themselves, and requests under way get `drain_s`.
    Raises `PortInUse`.
    """
    listener = _bind(listening_on.host, listening_on.port)
    clients = ClientConnections(listening_on.connections_per_client)
    http = partial(HttpProtocol, clients=clients, head_s=listening_on.head_s, linger_s=listening_on.linger_s)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        backlog=_BACKLOG,
        limit_concurrency=MAX_CONNECTIONS,
        http=http,  # type: ignore[arg-type]  # it calls what it is given
        ws=WebSocketProtocol,
        ws_max_size=MAX_CHAT_BODY_BYTES,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PONG_S,
        ws_per_message_deflate=False,  # pictures do not get smaller
        # The life of the process has `drain_s` in all; what is cut off must still be cut off in order.
        timeout_graceful_shutdown=max(1, int(listening_on.drain_s * 0.75)),
    )
    server = _Server(config, listening_on)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    listening = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        yield int(listener.getsockname()[1])
    finally:
        listening.cancel()
        draining.set()
        server.should_exit = True
        await serving


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortInUse("HTTP", host, port, errno.errorcode.get(error.errno or 0, str(error))) from error
    listener.setblocking(False)
    return listener
