"""`IngestionService`: says whether a source can be watched, by decoding a picture of it."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import grpc
from opentelemetry.trace import Span

from vigil.contract import spans
from vigil.core.profile import VIGIL_SMALL
from vigil.core.source import SourceKind
from vigil.runtime.process.grpc_requests import Context
from vigil.runtime.process.grpc_trace import called
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.redaction import redacted
from vigil.v1.ingestion_pb2 import ProbeSourceRequest, ProbeSourceResponse, SourceFault
from vigil.v1.ingestion_pb2_grpc import IngestionServiceServicer
from vigil_ingestion import metrics
from vigil_ingestion.address import Address, resolve
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.continuity import US_PER_S
from vigil_ingestion.conversion import unshown
from vigil_ingestion.faults import Fault, SourceError, as_source_errors
from vigil_ingestion.media import Limits, Media, MediaInfo, opened
from vigil_ingestion.picture import NotConvertible, encode

log = get_log()

NAME = "vigil.v1.IngestionService"
PROBES_AT_ONCE = 4
PROBES_WAITING = 16
MEASURE_S = 2.0  # for reading a file whose length is stated nowhere; a longer one is probed without a length
PICTURE_S = 8.0  # a camera sends a key frame every few seconds, so the first may take this long


def probe(url: str, file_root: Path | None, limits: Limits, *, allow_local: bool = True) -> MediaInfo:
    """Open the source, decode a picture, close it. Blocks; raises `SourceError`."""
    with as_source_errors(redacted(url)):
        return _probed(resolve(url, file_root, allow_local=allow_local), limits)


def _probed(address: Address, limits: Limits) -> MediaInfo:
    info, stated = _seen(address, limits)
    if stated or address.kind is not SourceKind.FILE:
        return info
    with opened(address, limits) as media:
        duration_us, _ = media.measured(time.monotonic() + MEASURE_S)
    return replace(info, duration_s=duration_us / US_PER_S)


def _seen(address: Address, limits: Limits) -> tuple[MediaInfo, bool]:
    """What the source is once it has shown a picture, and whether it states its length itself."""
    with opened(address, limits) as media:
        deadline_s = time.monotonic() + PICTURE_S
        for packet in media.packets():
            for picture in media.frames(packet):
                _shown(picture, media, address.shown)
                return media.info(), media.states_length
            if time.monotonic() > deadline_s:
                raise SourceError(
                    Fault.TIMED_OUT, f"{address.shown} showed no whole picture in {PICTURE_S:g} s: check its encoder"
                )
    raise SourceError(Fault.NOT_A_VIDEO, f"{address.shown} holds no picture that can be decoded: the file is damaged")


def _shown(picture: av.VideoFrame, media: Media, shown: str) -> None:
    """Show the picture once, as it would be for a session. Raises `SourceError`."""
    try:
        encode(picture, 0, VIGIL_SMALL, media.geometry)
    except NotConvertible as error:
        raise SourceError(Fault.NOT_A_VIDEO, f"{shown}: {unshown(str(error))}") from None


class IngestionService(IngestionServiceServicer):
    """Probes run in a few threads of their own. When too many wait, a call is answered with RESOURCE_EXHAUSTED."""

    def __init__(self, threads: ThreadPoolExecutor, settings: IngestionSettings) -> None:
        self._threads = threads
        self._settings = settings
        self._pending = 0

    def _probe(self, request: ProbeSourceRequest) -> MediaInfo:
        settings = self._settings
        allow_local = settings.is_local(request.tenant)
        return probe(request.url, settings.file_root, settings.limits, allow_local=allow_local)

    async def ProbeSource(  # noqa: N802  the contract's name
        self,
        request: ProbeSourceRequest,
        context: "grpc.aio.ServicerContext[ProbeSourceRequest, ProbeSourceResponse]",
    ) -> ProbeSourceResponse:
        with called(context, f"{NAME}/ProbeSource") as current:
            return await self._answer(request, context, current)

    async def _answer(self, request: ProbeSourceRequest, context: Context, current: Span) -> ProbeSourceResponse:
        if self._pending >= PROBES_WAITING:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many sources are being probed: try again")
        self._pending += 1
        try:
            info = await asyncio.get_running_loop().run_in_executor(self._threads, self._probe, request)
        except SourceError as error:
            metrics.PROBES.labels(error.fault.value).inc()
            current.set_attribute(spans.FAULT, error.fault.value)
            log.info("source refused", fault=error.fault.value, reason=error.message)
            return ProbeSourceResponse(fault=_fault(error.fault), message=error.message)
        finally:
            self._pending -= 1
        metrics.PROBES.labels("ok").inc()
        return ProbeSourceResponse(
            width=info.width,
            height=info.height,
            frames_per_second=info.frames_per_second,
            codec=info.codec,
            duration_s=info.duration_s,
        )


@contextmanager
def serving(settings: IngestionSettings) -> Iterator[IngestionService]:
    """The service with its threads; on leaving, probes that have not begun are cancelled."""
    threads = ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="probe")
    try:
        yield IngestionService(threads, settings)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _fault(fault: Fault) -> "SourceFault.ValueType":
    return SourceFault.Value(f"SOURCE_FAULT_{fault.name}")
