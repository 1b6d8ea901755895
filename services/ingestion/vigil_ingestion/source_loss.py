"""Tells that a source is lost, and that it is back, once each: also when another worker takes it over meanwhile."""

import asyncio
from types import TracebackType
from typing import NoReturn

from vigil.core.session import SessionSpec
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil.runtime.session.lifecycle import now_us
from vigil.runtime.session.outages import SOURCE_LOSS, open_number, tell_begin, tell_end
from vigil_ingestion import metrics
from vigil_ingestion.faults import SourceError

log = get_log()


class SourceLoss:
    """Whether one session's source is lost. A `with` block around its use ends what it adds to the metric.

    `run` is to run beside the turns: what is told of a picture waits for JetStream, and no picture may wait for that.
    """

    def __init__(self, bus: Bus, spec: SessionSpec, worker: str) -> None:
        self._bus = bus
        self._spec = spec
        self._worker = worker
        self._is_lost = False
        self._number: int | None = None  # of the loss that was told and has not ended
        self._memory_read = False
        self._shown = asyncio.Event()
        self._telling = asyncio.Lock()

    def __enter__(self) -> "SourceLoss":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._count(is_lost=False)

    async def lost(self, error: SourceError) -> None:
        """The source failed. When that cannot be told now, the next failure tells it."""
        self._count(is_lost=True)
        async with self._telling:
            self._shown.clear()
            try:
                await self._tell_begin(error)
            except BusError as unstored:
                log.warning("session event not stored", reason=str(unstored))

    def back(self) -> None:
        """The source shows a picture: `run` tells it, if that is news. When it cannot, the next picture has it told."""
        self._count(is_lost=False)
        if self._number is not None or not self._memory_read:
            self._shown.set()

    async def run(self) -> NoReturn:
        """Tell that the source is back whenever a picture showed it, until cancelled."""
        while True:
            await self._shown.wait()
            async with self._telling:
                if not self._shown.is_set():
                    continue  # it was lost again meanwhile
                self._shown.clear()
                try:
                    await self._tell_end()
                except BusError as unstored:
                    log.warning("session event not stored", reason=str(unstored))

    async def _tell_begin(self, error: SourceError) -> None:
        await self._remember()
        if self._number is None:
            number = now_us()
            await tell_begin(
                self._bus,
                self._spec,
                SOURCE_LOSS,
                number,
                worker=self._worker,
                cause=error.fault.value,
                reason=error.message,
            )
            self._number = number

    async def _tell_end(self) -> None:
        await self._remember()
        if self._number is not None:
            reason = "the source shows pictures again"
            await tell_end(self._bus, self._spec, SOURCE_LOSS, self._number, worker=self._worker, reason=reason)
            self._number = None
            log.info("source came back")

    async def _remember(self) -> None:
        """Ask once what was told before this worker had the session. Raises `BusError`."""
        if not self._memory_read:
            self._number = await open_number(self._bus, self._spec, SOURCE_LOSS)
            self._memory_read = True

    def _count(self, *, is_lost: bool) -> None:
        metrics.LOST.inc(is_lost - self._is_lost)
        self._is_lost = is_lost
