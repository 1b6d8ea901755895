"""The life of a process: settings, logs, build, serve, drain, exit code.

A service is an async context manager, `build`, that opens what it needs, yields while it serves, and closes it:

    @asynccontextmanager
    async def build(service: Service[GatewaySettings]) -> AsyncIterator[None]:
        async with Bus.connect(...) as bus:
            service.health.register("nats", bus.ping)    # readiness depends on it
            service.spawn("events", pump(bus))           # cancelled first when the process drains
            yield

    def main() -> None:
        run_service("gateway", GatewaySettings, build)

SIGTERM and SIGINT drain: readiness turns false, spawned tasks are cancelled and awaited, then `build` is left. A
`build` that still waits for a dependency is cancelled instead. A spawned task that fails or returns ends the process.
Exit codes: 0 after a drain, 1 when something failed or the drain outlasted `drain_s`, 2 when the process could not be
set up (`ConfigInvalid`, `StartupError`). A library that installs its own signal handlers must be told not to.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Generic, NoReturn, TypeVar

import uvloop

from vigil.runtime.process import metrics, telemetry
from vigil.runtime.process.config import ConfigInvalid, ServiceSettings, load, service_links, shown
from vigil.runtime.process.health import Health, Phase
from vigil.runtime.process.logs import configure_logs, get_log
from vigil.runtime.process.startup import EXIT_FAILED, EXIT_OK, EXIT_SETUP, StartupError

S = TypeVar("S", bound=ServiceSettings)
C = TypeVar("C", bound=ServiceSettings, covariant=True)

_LAST_CHANCE_S = 1.0
# Thresholds of the garbage collector; Python's own are 700, 10, 10. The first is how many new objects start a
# collection of the youngest, the others are how many such collections start one of older objects.
_GARBAGE_THRESHOLDS = (10_000, 20, 20)

log = get_log()


class Service(Generic[C]):
    """What `build` gets: the settings, the health to register pings with, and a home for background tasks."""

    def __init__(self, name: str, settings: C) -> None:
        self.name = name
        self.settings = settings
        self.health = Health()
        self._stop = asyncio.Event()
        self._failed = False
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, name: str, work: Coroutine[object, object, None]) -> None:
        """Run `work` until the process drains. It is not expected to end by itself: if it does, the process ends."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def stop(self) -> None:
        """Begin to drain."""
        self._stop.set()

    async def live(self, build: "Build[C]") -> int:
        """Run `build` until the process is told to stop; returns the exit code. Raises `StartupError`."""
        serving = asyncio.create_task(self._serve(build), name=self.name)
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self.health.phase is Phase.STARTING:
            serving.cancel()
        self.health.phase = Phase.DRAINING
        await asyncio.wait({serving}, timeout=self.settings.drain_s)
        return await self._exit_code(serving)

    async def _serve(self, build: "Build[C]") -> None:
        try:
            async with build(self):
                self.health.phase = Phase.SERVING
                _quieten_garbage_collector()
                log.info("service became ready")
                await self._stop.wait()
                log.info("drain began", drain_s=self.settings.drain_s)
                await self._cancel_tasks()
        finally:
            await self._cancel_tasks()

    async def _cancel_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("background task failed", task=task.get_name(), exc_info=error)
        elif not self._stop.is_set():
            log.error("background task ended", task=task.get_name())
        self._failed = self._failed or error is not None or not self._stop.is_set()
        self._stop.set()

    async def _exit_code(self, serving: "asyncio.Task[None]") -> int:
        if not serving.done():
            log.error("drain timed out", drain_s=self.settings.drain_s)
            serving.cancel()
            await asyncio.wait({serving}, timeout=_LAST_CHANCE_S)
            return EXIT_FAILED
        error = None if serving.cancelled() else serving.exception()
        if isinstance(error, StartupError):
            raise error
        if error is not None:
            log.error("service failed", exc_info=error)
        if error is not None or self._failed:
            return EXIT_FAILED
        log.info("service stopped")
        return EXIT_OK


Build = Callable[[Service[S]], AbstractAsyncContextManager[None]]


def run_service(name: str, kind: type[S], build: Build[S]) -> NoReturn:
    """Live the life of the service `name`, with settings of `kind`, then exit the process."""
    try:
        settings = load(kind)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(_life(name, settings, build))
    except ConfigInvalid as error:
        code = _refuse(name, error.problems)
    except StartupError as error:
        code = _refuse(name, (str(error),))
    sys.exit(code)


async def _life(name: str, settings: S, build: Build[S]) -> int:
    configure_logs(name, settings.log_level)
    metrics.SERVICE.info({"name": name, "instance": settings.worker})
    log.info("service started", settings=shown(settings))
    for field, address in service_links(type(settings)).items():
        log.warning("variable ignored", setting=field, value=address, reason="it is a service's address, not a port")
    service = Service(name, settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    with telemetry.exporting(name, settings.worker, settings.otlp_endpoint, settings.trace_share):
        return await service.live(build)


def _quieten_garbage_collector() -> None:
    """Make collections rare and short. Sessions are many small objects that live long, and a full collection visits
    all of them while every session waits. Objects from the start are never visited again; new objects are visited less
    often, because little garbage is in cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def _refuse(name: str, problems: tuple[str, ...]) -> int:
    for problem in problems:
        sys.stderr.write(f"vigil-{name}: {problem}\n")
    return EXIT_SETUP
