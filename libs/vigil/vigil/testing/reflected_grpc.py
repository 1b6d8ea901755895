"""A gRPC client that knows only an address: it reads the service from the server's reflection, as grpcurl does."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

Json = dict[str, Any]


class ReflectedService:
    """One service of a server. Requests and answers are JSON objects, bytes in them are base64."""

    def __init__(
        self, channel: grpc.aio.Channel, service: ServiceDescriptor, metadata: tuple[tuple[str, str], ...]
    ) -> None:
        self._channel = channel
        self._service = service
        self._metadata = metadata

    async def call(self, method: str, request: Mapping[str, Any], timeout_s: float = 20.0) -> Json:
        """The answer of a method with one request and one answer. Raises `grpc.aio.AioRpcError`."""
        described = self._method(method)
        send = self._channel.unary_unary(self._path(method), _encode, _decoder(described))
        answer: Message = await send(_message(described, request), timeout=timeout_s, metadata=self._metadata)
        return _json(answer)

    async def listen(self, method: str, request: Mapping[str, Any], timeout_s: float = 60.0) -> AsyncIterator[Json]:
        """The answers of a method with one request and a stream of answers."""
        described = self._method(method)
        begin = self._channel.unary_stream(self._path(method), _encode, _decoder(described))
        call = begin(_message(described, request), timeout=timeout_s, metadata=self._metadata)
        try:
            async for answer in call:
                yield _json(answer)
        finally:
            call.cancel()

    @asynccontextmanager
    async def talk(self, method: str, timeout_s: float = 60.0) -> AsyncIterator["Conversation"]:
        """A call of a method with a stream of requests and a stream of answers; cancelled on leaving."""
        described = self._method(method)
        begin = self._channel.stream_stream(self._path(method), _encode, _decoder(described))
        call = begin(None, timeout=timeout_s, metadata=self._metadata)
        try:
            yield Conversation(call, described)
        finally:
            call.cancel()

    def _method(self, name: str) -> MethodDescriptor:
        return self._service.methods_by_name[name]

    def _path(self, method: str) -> str:
        return f"/{self._service.full_name}/{method}"


class Conversation:
    """A call in both directions."""

    def __init__(self, call: Any, described: MethodDescriptor) -> None:
        self._call = call
        self._described = described

    async def begun(self) -> None:
        """Return when the server has begun its answers, though none need have come."""
        await self._call.initial_metadata()

    async def send(self, request: Mapping[str, Any]) -> None:
        """Send one more request; waits while the server takes none."""
        await self._call.write(_message(self._described, request))

    async def end(self) -> None:
        """Say that no more requests come."""
        await self._call.done_writing()

    async def receive(self) -> Json | None:
        """The next answer; None when the server has said all. Raises `grpc.aio.AioRpcError`."""
        answer = await self._call.read()
        return _json(answer) if isinstance(answer, Message) else None


@asynccontextmanager
async def reflected(target: str, service: str, key: str = "") -> AsyncIterator[ReflectedService]:
    """The service of that full name at `target`, called with an API key where one is given."""
    metadata = (("authorization", f"Bearer {key}"),) if key else ()
    described = await asyncio.to_thread(_describe, target, service)
    async with grpc.aio.insecure_channel(target) as channel:
        yield ReflectedService(channel, described, metadata)


def problem_of(error: grpc.aio.AioRpcError) -> Json:
    """The problem in the trailing metadata of a call that was refused."""
    trailers: Any = error.trailing_metadata()
    problem: Json = json.loads(trailers["vigil-problem"])
    return problem


def _describe(target: str, service: str) -> ServiceDescriptor:
    with grpc.insecure_channel(target) as channel:
        described: ServiceDescriptor = DescriptorPool(ProtoReflectionDescriptorDatabase(channel)).FindServiceByName(
            service
        )
        for method in described.methods:  # what they need is fetched while the channel is open
            GetMessageClass(method.input_type)
            GetMessageClass(method.output_type)
        return described


def _encode(message: Message) -> bytes:
    return message.SerializeToString()


def _decoder(method: MethodDescriptor) -> Any:
    return GetMessageClass(method.output_type).FromString


def _message(method: MethodDescriptor, request: Mapping[str, Any]) -> Message:
    return ParseDict(dict(request), GetMessageClass(method.input_type)())


def _json(message: Message) -> Json:
    found: Json = MessageToDict(message, preserving_proto_field_name=True)
    return found
