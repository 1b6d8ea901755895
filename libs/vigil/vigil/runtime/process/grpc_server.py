"""The gRPC server of a service: health and reflection beside the service's own methods."""

import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from vigil.runtime.process.grpc_requests import Admit, Refuse, RequestReader, admit_all, refuse_as_invalid
from vigil.runtime.process.startup import PortInUse

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
# A connection that answers no ping for so long is closed, and its calls are cancelled.
KEEPALIVE_S, KEEPALIVE_TIMEOUT_S = 20.0, 10.0
_GRACE_S = 1.0
HANDSHAKE_S = 10.0


class GrpcServer:
    """A bound server that does not serve yet. Register servicers on `server`, then `start` with their full names."""

    def __init__(self, server: aio.Server, port: int) -> None:
        self.server = server
        self.port = port
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]  # the stubs lack `aio`
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)

    async def start(self, service_names: tuple[str, ...]) -> None:
        """Begin to serve: health says SERVING for the process and for each of `service_names`."""
        own = (health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection((*service_names, *own), self.server)
        for name in (health.OVERALL_HEALTH, *service_names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        await self.server.start()

    async def drain(self) -> None:
        """Say NOT_SERVING from now on; calls in progress go on."""
        await self._health.enter_graceful_shutdown()


@asynccontextmanager
async def bound_grpc(
    host: str,
    port: int,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    max_calls: int | None = None,
    refuse: Refuse = refuse_as_invalid,
    admit: Admit = admit_all,
    credentials: grpc.ServerCredentials | None = None,
) -> AsyncIterator[GrpcServer]:
    """Hold `port` (a free one when 0) and stop the server on leaving. Raises `PortInUse`.

    Of more than `max_calls` at once, open streams among them, the server itself refuses the newest. `refuse` ends a
    call whose request cannot be read, `admit` one of which no message is to be read. With `credentials` the port speaks
    TLS, without them it does not.
    """
    _check_free(host, port)
    server = aio.server(
        options=_options(max_message_bytes),
        maximum_concurrent_rpcs=max_calls,
        interceptors=(RequestReader(refuse, admit),),
    )
    try:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            taken = (
                server.add_insecure_port(address)
                if credentials is None
                else server.add_secure_port(address, credentials)
            )
        except RuntimeError as error:
            raise PortInUse("gRPC", host, port, str(error)) from error
        yield GrpcServer(server, taken)
    finally:
        await server.stop(_GRACE_S)


def _options(max_message_bytes: int) -> tuple[tuple[str, int], ...]:
    return (
        ("grpc.so_reuseport", 0),  # two processes on one port must be an error
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.server_handshake_timeout_ms", round(HANDSHAKE_S * 1_000)),
        ("grpc.keepalive_time_ms", round(KEEPALIVE_S * 1_000)),
        ("grpc.keepalive_timeout_ms", round(KEEPALIVE_TIMEOUT_S * 1_000)),
    )


def _check_free(host: str, port: int) -> None:
    """Find a port in use before gRPC does: gRPC would print several lines on standard error."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        raise PortInUse("gRPC", host, port, errno.errorcode.get(error.errno or 0, str(error))) from error
