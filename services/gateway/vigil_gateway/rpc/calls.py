"""Every gRPC call: who asks, how its errors are told, and how it is counted and logged."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from http import HTTPStatus
from urllib.parse import unquote

import structlog
from grpc import StatusCode

from vigil.contract.api_keys import ApiKey, KeyRole
from vigil.runtime.process.grpc_requests import Admit, Context, Refuse, RequestUnreadable
from vigil.runtime.process.grpc_trace import called
from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.api.auth import bearer_key, require
from vigil_gateway.api.errors import GatewayError
from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import problem_of
from vigil_gateway.audit.noted import noting
from vigil_gateway.ports import Ports
from vigil_gateway.rpc.status import code_of, message_of, trailer_of

log = get_log()

DOOR = "grpc"
SERVICE = "vigil.v1.GatewayService"
_ONE_ANSWER = frozenset({"OpenSession", "Ask", "EndSession"})
# The roles that methods take; one that is not here changes something, and takes an operator.
_CLIENT_LEFT = 499  # what records have as the status of a call that its client has cancelled
_NEEDED = {"Events": KeyRole.VIEWER}


@asynccontextmanager
async def answered(ports: Ports, context: Context, method: str) -> AsyncIterator[ApiKey]:
    """One call by the holder of the key that the block is given. What the block raises ends the call as the table says.

    A call whose client has left, or whose deadline has passed, is cancelled. A call with one answer has a span; of a
    stream each picture has its own. One that changes something is recorded in the audit.
    """
    traced = called(context, f"{SERVICE}/{method}") if method in _ONE_ANSWER else nullcontext()
    with traced:
        async with _answered(ports, context, method) as holder:
            yield holder


@asynccontextmanager
async def _answered(ports: Ports, context: Context, method: str) -> AsyncIterator[ApiKey]:
    began_s = time.perf_counter()
    code, status = StatusCode.OK, HTTPStatus.OK.value
    holder: ApiKey | None = None
    structlog.contextvars.clear_contextvars()
    with noting() as notes:
        try:
            holder = ports.keys.find(_key(context))
            require(holder, _needed(method))
            structlog.contextvars.bind_contextvars(tenant=holder.tenant)
            yield holder
        except asyncio.CancelledError:
            code, status = StatusCode.CANCELLED, _CLIENT_LEFT
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it ends the call as a problem
            problem = problem_of(error)
            code, status = code_of(problem), problem.row.status
            log_failure(problem, error, method=method)
            await context.abort(code, message_of(problem), trailer_of(problem))
        finally:
            if holder is not None and _needed(method) is not KeyRole.VIEWER:
                address = address_of(context.peer())
                ports.audit.record(
                    holder, method=DOOR, route=method, status=status, address=address, session=notes.session
                )
            metrics.CALLS.labels(DOOR, method, code.name).inc()
            took_ms = round((time.perf_counter() - began_s) * 1_000, 1)
            log.info("call answered", method=method, status=code.name, took_ms=took_ms)


async def begin(context: Context) -> None:
    """Begin a stream of answers, before anything may end it. Left alone, grpcio begins it with the first answer; where
    that is cut off on its way, nothing can be sent any more, and the client is not told that the stream ends."""
    await context.send_initial_metadata(())


def address_of(peer: str) -> str:
    """The address of a client as gRPC names it: `ipv4:192.0.2.1:5000`, `ipv6:%5B::1%5D:5000`."""
    kind, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]") if kind in ("ipv4", "ipv6") else ""


def _needed(method: str) -> KeyRole:
    return _NEEDED.get(method, KeyRole.OPERATOR)


def admitting(ports: Ports, service: str) -> Admit:
    """Ends a call of `service` without a valid key, or of a key that calls too often, before its message is read.
    Health and reflection need none."""

    async def admit(context: Context, method: str) -> None:
        name = method.rpartition("/")[2]
        if method != f"/{service}/{name}":
            return
        try:
            ports.rates.count(ports.keys.admit(_key(context), _needed(name)), DOOR)
        except GatewayError as error:
            async with answered(ports, context, name):
                raise error

    return admit


def refusing(ports: Ports) -> Refuse:
    """Ends a call whose request cannot be read as any other call is refused: first the caller is asked for the key."""

    async def refuse(context: Context, method: str, error: RequestUnreadable) -> None:
        async with answered(ports, context, method):
            raise error

    return refuse


def _key(context: Context) -> str:
    """The API key of the call's metadata; empty when there is none."""
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str) and (key := bearer_key(value)):
            return key
    return ""
