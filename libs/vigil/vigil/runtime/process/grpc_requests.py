"""The requests of gRPC calls, read so that nothing a client sends fails the server.

Left alone, grpcio ends a call whose message is not protobuf with UNKNOWN and logs a traceback, and it never answers a
call that ends without its message.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc import aio

FIRST_MESSAGE_S = 20.0

Context = aio.ServicerContext[Any, Any]


class RequestUnreadable(Exception):
    """No message of the method came: the text says what came instead."""


# Ends a call of this method, whose request could not be read.
Refuse = Callable[[Context, str, RequestUnreadable], Awaitable[None]]


# Asked with the full name of a call's method before any message of the call is read; ends the call by raising.
Admit = Callable[[Context, str], Awaitable[None]]


async def admit_all(context: Context, method: str) -> None:
    """Every call may go on."""


async def refuse_as_invalid(context: Context, method: str, error: RequestUnreadable) -> None:
    """End the call with INVALID_ARGUMENT and the error's text."""
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))


class RequestReader(aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs alone
    """Reads the requests of every call that `admit` lets go on. `refuse` ends those calls that `RequestUnreadable` was
    raised in; methods with a stream of requests may handle it themselves."""

    def __init__(self, refuse: Refuse, admit: Admit = admit_all) -> None:
        self._refuse = refuse
        self._admit = admit

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = await continuation(handler_call_details)
        return None if handler is None else self._reading(handler, handler_call_details.method)

    def _reading(self, handler: Any, full_name: str) -> Any:
        """The same method, as one that takes a stream of requests: of those grpcio lets the method read each itself."""
        behaviour = next(
            found
            for found in (handler.unary_unary, handler.unary_stream, handler.stream_unary, handler.stream_stream)
            if found is not None
        )

        method = full_name.rpartition("/")[2]

        async def call(requests: AsyncIterator[Any], context: Context) -> Any:
            await self._admit(context, full_name)
            try:
                request = requests if handler.request_streaming else await _only(requests)
                return await _answered(behaviour(request, context), context)
            except RequestUnreadable as error:
                return await self._refuse(context, method, error)

        kind = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        return kind(call, _readable(handler.request_deserializer), handler.response_serializer)


async def _only(requests: AsyncIterator[Any]) -> Any:
    """The message of a call that has one."""
    try:
        async with asyncio.timeout(FIRST_MESSAGE_S):
            async for request in requests:
                return request
    except TimeoutError:
        raise RequestUnreadable(f"no message came within {FIRST_MESSAGE_S:g} s") from None
    raise RequestUnreadable("the call ended without a message")


async def _answered(answers: Any, context: Context) -> Any:
    """What the method returns; of a generator, each of its answers is sent."""
    if not hasattr(answers, "__aiter__"):
        return await answers
    async for answer in answers:
        await context.write(answer)
    return None


def _readable(decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(message: bytes) -> Any:
        try:
            return decode(message)
        except DecodeError as error:
            raise RequestUnreadable(f"the message cannot be read as protobuf: {str(error)[:200]}") from None

    return read
