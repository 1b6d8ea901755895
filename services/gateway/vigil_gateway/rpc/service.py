"""`GatewayService`: sessions, pushed pictures, questions and live events over gRPC."""

from collections.abc import AsyncIterator

from grpc import aio

from vigil.core.ids import SessionKey
from vigil.runtime.process.cancellation import first_to_end
from vigil.v1 import gateway_pb2 as pb
from vigil.v1.gateway_pb2_grpc import GatewayServiceServicer
from vigil_gateway.api.errors import BodyTooLarge, SessionChanged, ShuttingDown
from vigil_gateway.api.models.live import PictureIn
from vigil_gateway.api.models.standing import QueryIn
from vigil_gateway.api.problems import problem_of
from vigil_gateway.api.sizes import MAX_BODY_BYTES
from vigil_gateway.live.events import listening
from vigil_gateway.live.feed import LiveEvent
from vigil_gateway.live.outflow import withdrawn
from vigil_gateway.ports import Ports, session_key
from vigil_gateway.pushed.turns import ONE_PICTURE, check_pushed, show
from vigil_gateway.rpc.calls import answered, begin
from vigil_gateway.rpc.messages import event_message, given, opened, pushed, session_in
from vigil_gateway.sessions import commands
from vigil_gateway.sessions.lifecycle import end_for_client
from vigil_gateway.sessions.notices import notices_of
from vigil_gateway.sessions.opening import open_while_wanted

NAME = "vigil.v1.GatewayService"

PushContext = aio.ServicerContext[pb.PushFramesRequest, pb.PushFramesResponse]


class GatewayService(GatewayServiceServicer):
    """Each method is one use case of the gateway, the same as over HTTP."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def OpenSession(  # noqa: N802  the contract's names
        self,
        request: pb.OpenSessionRequest,
        context: "aio.ServicerContext[pb.OpenSessionRequest, pb.OpenSessionResponse]",
    ) -> pb.OpenSessionResponse:
        async with answered(self._ports, context, "OpenSession") as holder:
            if request.ByteSize() > MAX_BODY_BYTES:
                raise BodyTooLarge(MAX_BODY_BYTES)
            spec = await open_while_wanted(self._ports, holder.tenant, session_in(request))
            return opened(spec, notices_of(spec, self._ports.settings.rendered_sources))

    async def PushFrames(  # type: ignore[override]  # noqa: N802  the stubs know generators only
        self, requests: AsyncIterator[pb.PushFramesRequest], context: PushContext
    ) -> None:
        async with answered(self._ports, context, "PushFrames") as holder:
            with self._ports.streams.slot(holder.tenant):
                await begin(context)
                await first_to_end(
                    self._push(holder.tenant, requests, context), self._drained(), self._ports.keys.withdrawn(holder)
                )

    async def Ask(  # noqa: N802
        self, request: pb.AskRequest, context: "aio.ServicerContext[pb.AskRequest, pb.AskResponse]"
    ) -> pb.AskResponse:
        async with answered(self._ports, context, "Ask") as holder:
            question = QueryIn(text=request.text, brain=request.brain)
            key = await session_key(self._ports, holder.tenant, request.session)
            return pb.AskResponse(id=await commands.ask(self._ports, key, question.text, question.brain))

    async def Events(  # type: ignore[override]  # noqa: N802
        self, request: pb.EventsRequest, context: "aio.ServicerContext[pb.EventsRequest, pb.EventsResponse]"
    ) -> None:
        async def send(event: LiveEvent | None) -> None:
            if event is not None:  # HTTP/2 has its own sign of life
                await context.write(event_message(event))

        async with answered(self._ports, context, "Events") as holder:
            spec = await self._ports.store.spec(await session_key(self._ports, holder.tenant, request.session))
            async with listening(self._ports, spec) as events:
                await begin(context)
                await events.run(send, withdrawn(self._ports, holder))

    async def EndSession(  # noqa: N802
        self,
        request: pb.EndSessionRequest,
        context: "aio.ServicerContext[pb.EndSessionRequest, pb.EndSessionResponse]",
    ) -> pb.EndSessionResponse:
        async with answered(self._ports, context, "EndSession") as holder:
            await end_for_client(self._ports, await session_key(self._ports, holder.tenant, request.session))
            return pb.EndSessionResponse()

    async def _push(self, tenant: str, requests: AsyncIterator[pb.PushFramesRequest], context: PushContext) -> None:
        """Answer each picture before the next one is read: what the client sends meanwhile waits in HTTP/2's window."""
        key: SessionKey | None = None
        name = ""
        frame = 0
        async for request in requests:
            if key is None:
                key, name = await session_key(self._ports, tenant, request.session), request.session
                await check_pushed(self._ports, key)
            elif request.session not in ("", name):
                raise SessionChanged(key.session)
            await context.write(await self._outcome(key, frame, request))
            frame += 1

    async def _outcome(self, key: SessionKey, frame: int, request: pb.PushFramesRequest) -> pb.PushFramesResponse:
        try:
            options = {name: value for name, value in given(request).items() if name in PictureIn.model_fields}
            return pushed(frame, await show(self._ports, key, request.picture, PictureIn.model_validate(options)))
        except ONE_PICTURE as error:
            return pushed(frame, problem_of(error))

    async def _drained(self) -> None:
        await self._ports.draining.wait()
        raise ShuttingDown
