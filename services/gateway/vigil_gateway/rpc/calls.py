"""Every gRPC call: who asks, how its errors are told, and how it is counted and logged."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import structlog
from grpc import StatusCode, aio

from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.http.auth import KeyRing, bearer_key
from vigil_gateway.http.problems import Problem, problem_of
from vigil_gateway.rpc.status import code_of, message_of, trailer_of

log = get_log()

DOOR = "grpc"

Context = aio.ServicerContext[Any, Any]


@asynccontextmanager
async def answered(keys: KeyRing, context: Context, method: str) -> AsyncIterator[str]:
    """One call of the tenant that the block is given. What the block raises ends the call as the table says.

    A call whose client has left, or whose deadline has passed, is cancelled.
    """
    began_s = time.perf_counter()
    code = StatusCode.OK
    structlog.contextvars.clear_contextvars()
    try:
        tenant = keys.tenant(_key(context))
        structlog.contextvars.bind_contextvars(tenant=tenant)
        yield tenant
    except asyncio.CancelledError:
        code = StatusCode.CANCELLED
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, it ends the call as a problem
        problem = problem_of(error)
        code = code_of(problem)
        _log_failure(method, problem, error)
        await context.abort(code, message_of(problem), trailer_of(problem))
    finally:
        metrics.CALLS.labels(DOOR, method, code.name).inc()
        took_ms = round((time.perf_counter() - began_s) * 1_000, 1)
        log.info("call answered", method=method, status=code.name, took_ms=took_ms)


def _key(context: Context) -> str:
    """The API key of the call's metadata; empty when there is none."""
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str) and (key := bearer_key(value)):
            return key
    return ""


def _log_failure(method: str, problem: Problem, error: Exception) -> None:
    if problem.row.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("call crashed", method=method, exc_info=error)
    elif problem.row.status > HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("call failed", method=method, problem=problem.row.kind, detail=problem.detail)
