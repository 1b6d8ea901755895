"""Every gRPC call: who asks, how its errors are told, and how it is counted and logged."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import structlog
from grpc import StatusCode

from vigil.contract.api_keys import ApiKey, KeyRole
from vigil.runtime.process.grpc_requests import Admit, Context, Refuse, RequestUnreadable
from vigil.runtime.process.grpc_trace import called
from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.api.auth import KeyRing, bearer_key
from vigil_gateway.api.errors import GatewayError
from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import problem_of
from vigil_gateway.api.request_rate import RequestRate
from vigil_gateway.rpc.status import code_of, message_of, trailer_of

log = get_log()

DOOR = "grpc"
SERVICE = "vigil.v1.GatewayService"
_ONE_ANSWER = frozenset({"OpenSession", "Ask", "EndSession"})
# The roles that methods take; one that is not here changes something, and takes an operator.
_NEEDED = {"Events": KeyRole.VIEWER}


@asynccontextmanager
async def answered(keys: KeyRing, context: Context, method: str) -> AsyncIterator[ApiKey]:
    """One call by the holder of the key that the block is given. What the block raises ends the call as the table says.

    A call whose client has left, or whose deadline has passed, is cancelled. A call with one answer has a span; of a
    stream each picture has its own.
    """
    traced = called(context, f"{SERVICE}/{method}") if method in _ONE_ANSWER else nullcontext()
    with traced:
        async with _answered(keys, context, method) as holder:
            yield holder


@asynccontextmanager
async def _answered(keys: KeyRing, context: Context, method: str) -> AsyncIterator[ApiKey]:
    began_s = time.perf_counter()
    code = StatusCode.OK
    structlog.contextvars.clear_contextvars()
    try:
        holder = keys.admit(_key(context), _NEEDED.get(method, KeyRole.OPERATOR))
        structlog.contextvars.bind_contextvars(tenant=holder.tenant)
        yield holder
    except asyncio.CancelledError:
        code = StatusCode.CANCELLED
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, it ends the call as a problem
        problem = problem_of(error)
        code = code_of(problem)
        log_failure(problem, error, method=method)
        await context.abort(code, message_of(problem), trailer_of(problem))
    finally:
        metrics.CALLS.labels(DOOR, method, code.name).inc()
        took_ms = round((time.perf_counter() - began_s) * 1_000, 1)
        log.info("call answered", method=method, status=code.name, took_ms=took_ms)


def admitting(keys: KeyRing, rates: RequestRate, service: str) -> Admit:
    """Ends a call of `service` without a valid key, or of a key that calls too often, before its message is read.
    Health and reflection need none."""

    async def admit(context: Context, method: str) -> None:
        name = method.rpartition("/")[2]
        if method != f"/{service}/{name}":
            return
        try:
            rates.count(keys.admit(_key(context), _NEEDED.get(name, KeyRole.OPERATOR)), DOOR)
        except GatewayError as error:
            async with answered(keys, context, name):
                raise error

    return admit


def refusing(keys: KeyRing) -> Refuse:
    """Ends a call whose request cannot be read as any other call is refused: first the caller is asked for the key."""

    async def refuse(context: Context, method: str, error: RequestUnreadable) -> None:
        async with answered(keys, context, method):
            raise error

    return refuse


def _key(context: Context) -> str:
    """The API key of the call's metadata; empty when there is none."""
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str) and (key := bearer_key(value)):
            return key
    return ""
