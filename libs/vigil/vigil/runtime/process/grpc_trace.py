"""The spans of gRPC calls, on both sides: the trace travels as metadata of the call."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from opentelemetry import trace

from vigil.contract import spans
from vigil.runtime.process.grpc_requests import Context
from vigil.runtime.process.trace import TRACEPARENT, AttributeValue, continued, span, with_trace

_OK = grpc.StatusCode.OK.name
_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


@contextmanager
def asking(method: str) -> Iterator[tuple[tuple[str, str], ...]]:
    """The span of a call of `method`, by its full name, that this process makes; yields the metadata to send."""
    with span(spans.ASK, _about(method)) as current:
        try:
            yield tuple(with_trace({}).items())
        except grpc.aio.AioRpcError as error:
            current.set_attribute(spans.RPC_STATUS, error.code().name)
            raise
        current.set_attribute(spans.RPC_STATUS, _OK)


@contextmanager
def called(context: Context, method: str) -> Iterator[trace.Span]:
    """The span of a call of `method`, by its full name, that this process answers, in the trace of its caller."""
    given = {name: value for name, value in context.invocation_metadata() or () if name == TRACEPARENT}
    with continued({name: str(value) for name, value in given.items()}), span(spans.CALL, _about(method)) as current:
        try:
            yield current
        finally:
            current.set_attribute(spans.RPC_STATUS, _name_of(context.code()))


def _name_of(code: object) -> str:
    """A status, which grpcio keeps as its number; OK while none was set."""
    return code.name if isinstance(code, grpc.StatusCode) else _NAMES.get(code, _OK) if isinstance(code, int) else _OK


def _about(method: str) -> dict[str, AttributeValue]:
    return {spans.RPC_SYSTEM: "grpc", spans.RPC_METHOD: method}
