"""`CodecService`: encodes a video offline; each call encodes one video."""

from collections.abc import AsyncIterator

import grpc

from vigil.contract.errors import InvalidMessage
from vigil.contract.frames import coded_group_to_pb, group_from_pb
from vigil.core.errors import UnknownProfile
from vigil.core.profile import profile
from vigil.v1.codec_pb2 import EncodeRequest, EncodeResponse
from vigil.v1.codec_pb2_grpc import CodecServiceServicer
from vigil_codec.tokenizer import Refusal, VideoState, encode

NAME = "vigil.v1.CodecService"

_REMEDY = {
    Refusal.DAMAGED: "send whole JPEGs and their size in pixels",
    Refusal.OVERTAKEN: "keep its fence, or raise it",
}


class CodecService(CodecServiceServicer):
    """Answers each group with its coded form, in order. INVALID_ARGUMENT says which rule a request broke."""

    async def Encode(  # noqa: N802  the contract's name
        self,
        requests: AsyncIterator[EncodeRequest],
        context: "grpc.aio.ServicerContext[EncodeRequest, EncodeResponse]",
    ) -> AsyncIterator[EncodeResponse]:
        state: VideoState | None = None
        last_ms = -1
        async for request in requests:
            try:
                group = group_from_pb(request.group)
                state = state or VideoState(profile(request.profile), group.fence)
            except (InvalidMessage, UnknownProfile) as error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            if request.profile != state.profile.name:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "one call encodes one video: keep its profile")
            if group.time_ms <= last_ms:
                told = (
                    f"the group at {group.time_ms} ms is not after {last_ms} ms: send groups in the order of their time"
                )
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, told)
            last_ms = group.time_ms
            state, coded = encode(state, group)
            if isinstance(coded, Refusal):
                await context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    f"the group at {group.time_ms} ms is {coded.value}: {_REMEDY[coded]}",
                )
            yield EncodeResponse(group=coded_group_to_pb(coded))
