"""`MemoryService`: shows the memory of a session, writes a block for a caller who waits, recalls."""

import grpc

from vigil.contract.errors import InvalidMessage
from vigil.contract.memory import block_to_pb, memory_from_pb
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey
from vigil.core.memory import Unwritten
from vigil.runtime.errors import StoreError, UnknownSession
from vigil.v1 import memory_pb2 as pb
from vigil.v1.memory_pb2_grpc import MemoryServiceServicer
from vigil_memory.ports import Ports
from vigil_memory.recall.answering import Recaller
from vigil_memory.summarisers.port import SummariserError
from vigil_memory.writing import written

NAME = "vigil.v1.MemoryService"
MAX_CONSOLIDATING = 4  # calls of Consolidate at once; more are refused


class MemoryService(MemoryServiceServicer):
    """INVALID_ARGUMENT says which rule a request broke, RESOURCE_EXHAUSTED that too many blocks are written at once,
    UNAVAILABLE that the summariser or the store gave nothing."""

    def __init__(self, ports: Ports, recaller: Recaller) -> None:
        self._ports = ports
        self._recaller = recaller
        self._consolidating = 0

    async def Context(  # noqa: N802  the contract's name
        self, request: pb.ContextRequest, context: "grpc.aio.ServicerContext[pb.ContextRequest, pb.ContextResponse]"
    ) -> pb.ContextResponse:
        """As the last turn left it."""
        try:
            key = SessionKey(request.tenant, request.session)
            state = await self._ports.sessions.history(key)
            look = await self._ports.sessions.look(key)
        except InvalidToken as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except UnknownSession as error:
            await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
        except StoreError as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        return pb.ContextResponse(
            blocks=map(block_to_pb, state.memory.blocks),
            unwritten=map(_unwritten, state.memory.unwritten),
            forgotten_ms=state.memory.forgotten_ms,
            written=map(block_to_pb, look.waiting.blocks),
        )

    async def Consolidate(  # noqa: N802
        self,
        request: pb.ConsolidateRequest,
        context: "grpc.aio.ServicerContext[pb.ConsolidateRequest, pb.ConsolidateResponse]",
    ) -> pb.ConsolidateResponse:
        """By one try, within the time that the request has; ending the call cancels it."""
        try:
            asked = memory_from_pb(request.request)
        except InvalidMessage as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        if self._consolidating >= MAX_CONSOLIDATING:
            reason = f"{MAX_CONSOLIDATING} blocks are written at once already"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
        self._consolidating += 1
        try:
            block = await written(self._ports, asked)
        except (SummariserError, StoreError) as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        finally:
            self._consolidating -= 1
        return pb.ConsolidateResponse(block=block_to_pb(block))

    async def Recall(  # noqa: N802
        self, request: pb.RecallRequest, context: "grpc.aio.ServicerContext[pb.RecallRequest, pb.RecallResponse]"
    ) -> pb.RecallResponse:
        """From the store, without any model."""
        try:
            return await self._recaller.recall(request)
        except InvalidMessage as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except StoreError as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))


def _unwritten(span: Unwritten) -> pb.UnwrittenSpan:
    frame_ids = [frame.uuid for frame in span.frames]
    return pb.UnwrittenSpan(from_ms=span.from_ms, to_ms=span.to_ms, frame_ids=frame_ids, asked=span.asked)
