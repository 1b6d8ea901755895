"""Asks ingestion whether a source can be watched, before a session is made of it."""

import asyncio

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from vigil.runtime.process.grpc_trace import asking
from vigil.runtime.process.health import OK
from vigil.runtime.process.redaction import scrubbed
from vigil.v1.ingestion_pb2 import ProbeSourceRequest, ProbeSourceResponse, SourceFault
from vigil.v1.ingestion_pb2_grpc import IngestionServiceStub
from vigil_gateway.api.errors import ProbeUnavailable, SourceRefused

_PREFIX = "SOURCE_FAULT_"
_PROBE = "vigil.v1.IngestionService/ProbeSource"
_HEALTH_S = 1.0
_FOUND_AGAIN_S = 4.0
# Ingestion may come back under another address: gRPC by itself would try again after up to two minutes.
_RECONNECT = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 2_000),  # so long it tries one address, of a container that may be gone
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
)


def channel_to(target: str) -> grpc.aio.Channel:
    """A channel to ingestion that finds it again within seconds after it was away."""
    return grpc.aio.insecure_channel(target, options=_RECONNECT)


class SourceProbe:
    """A client of `IngestionService.ProbeSource`; the channel is its caller's."""

    def __init__(self, channel: grpc.aio.Channel, deadline_s: float) -> None:
        self._channel = channel
        self._stub = IngestionServiceStub(channel)
        self._health = HealthStub(channel)
        self._deadline_s = deadline_s

    async def check(self, url: str, tenant: str) -> None:
        """Return when the source shows a picture. Raises `SourceRefused` or `ProbeUnavailable`."""
        answer = await self._ask(url, tenant)
        if answer.fault != SourceFault.SOURCE_FAULT_UNSPECIFIED:
            raise SourceRefused(fault_name(answer.fault), scrubbed(answer.message, url) or "the source cannot be read")

    async def state(self) -> str:
        """`ok` when ingestion's gRPC port says that it serves, else what is wrong with it. Never raises."""
        try:
            answer = await self._health.Check(HealthCheckRequest(), timeout=_HEALTH_S)
        except grpc.aio.AioRpcError as error:
            return f"ingestion cannot be asked ({error.code().name}): no camera or file can be watched"
        serving = answer.status == HealthCheckResponse.SERVING
        return OK if serving else "ingestion is shutting down: no camera or file can be watched"

    async def _ask(self, url: str, tenant: str) -> ProbeSourceResponse:
        request = ProbeSourceRequest(url=url, tenant=tenant)
        try:
            try:
                return await self._sent(request)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE or not await self._is_found_again():
                    raise
                return await self._sent(request)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise ProbeUnavailable(f"ingestion did not finish within {self._deadline_s:g} s") from None
            raise ProbeUnavailable(f"ingestion could not be asked ({error.code().name})") from None

    async def _sent(self, request: ProbeSourceRequest) -> ProbeSourceResponse:
        with asking(_PROBE) as metadata:
            return await self._stub.ProbeSource(request, timeout=self._deadline_s, metadata=metadata)

    async def _is_found_again(self) -> bool:
        """Whether ingestion can be reached after all: the known address may have been of a former container."""
        try:
            await asyncio.wait_for(self._channel.channel_ready(), _FOUND_AGAIN_S)
        except TimeoutError:
            return False
        return True


def fault_name(fault: int) -> str:
    """`wrong_credentials` for `SOURCE_FAULT_WRONG_CREDENTIALS`; a newer fault than this gateway knows is `other`."""
    try:
        return SourceFault.Name(fault).removeprefix(_PREFIX).lower()  # type: ignore[arg-type]
    except ValueError:
        return "other"
