"""Starts processes in order, gates them on health, restarts what dies and stops them all."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from vigil_client.backoff import Backoff
from vigil_local.errors import ProcessFailed
from vigil_local.supervisor import disk, gates
from vigil_local.supervisor.child import Child, Guard
from vigil_local.supervisor.gates import Gate
from vigil_local.supervisor.liveness import until_unhealthy
from vigil_local.supervisor.process_log import ProcessLog

POLL_S = 0.1


class State(StrEnum):
    """Where a process is between not yet started and stopped."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run. It starts once all that it `needs` is ready; a higher `tier` is stopped earlier.

    `liveness` is asked while the process runs; after `unhealthy_s` of bad answers it is started again.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    gate: Gate
    needs: tuple[str, ...] = ()
    tier: int = 0
    gate_timeout_s: float = 60.0
    stop_grace_s: float = 8.0
    start_attempts: int = 3
    liveness: Gate = gates.always_healthy
    unhealthy_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Status:
    """A process as it is now. `detail` says what it waits for or why it ended; `since` is monotonic seconds."""

    name: str
    state: State = State.WAITING
    detail: str = ""
    pid: int = 0
    restarts: int = 0
    since: float = 0.0


Report = Callable[[Status], None]


class Managed:
    """One process and all its runs."""

    def __init__(self, spec: ProcessSpec, log: ProcessLog, guard: Guard, report: Report, backoff: Backoff) -> None:
        self.spec = spec
        self.log = log
        self.ready = asyncio.Event()
        self.status = Status(spec.name, since=time.monotonic())
        self._guard = guard
        self._report = report
        self._backoff = backoff
        self._ever_ready = False

    async def run(self, needs: Sequence["Managed"]) -> None:
        """Run for ever. Raises `ProcessFailed` when it never becomes healthy."""
        for needed in needs:
            await needed.ready.wait()
        failures = 0
        while True:
            started = time.monotonic()
            ended = await self._run_once()
            failures = self._backoff.failures(failures, time.monotonic() - started)
            if not self._ever_ready and failures >= self.spec.start_attempts:
                raise self._failure(ended)
            delay_s = self._backoff.delay_s(failures, random.random())
            self._change(State.RESTARTING, f"{ended}; starting again in {delay_s:.1f} s", self.status.restarts + 1)
            await asyncio.sleep(delay_s)

    async def _run_once(self) -> str:
        """Run the process once; returns how it ended. Cancelling this stops the process in order."""
        try:
            child = await Child.spawn(self.spec.argv, self.spec.env, self.log, self._guard)
        except OSError as error:
            self.log.write(f"cannot run {self.spec.argv[0]}: {error.strerror}")
            return self._with_shortage(f"cannot be run ({error.strerror})")
        self._change(State.STARTING, "", pid=child.pid)
        exited = asyncio.create_task(child.exited())
        gate = asyncio.create_task(self._pass_gate())
        unhealthy = asyncio.create_task(self._until_unhealthy())
        try:
            await asyncio.wait({exited, gate}, return_when=asyncio.FIRST_COMPLETED)
            if not exited.done():
                gate.result()
                self._ever_ready = True
                self.ready.set()
                self._change(State.READY, "")
                await asyncio.wait({exited, unhealthy}, return_when=asyncio.FIRST_COMPLETED)
            return self._with_shortage(_ending(exited.result()) if exited.done() else unhealthy.result())
        finally:
            self.ready.clear()
            for task in (exited, gate, unhealthy):
                task.cancel()
            await child.end(self.spec.stop_grace_s)

    async def _until_unhealthy(self) -> str:
        await self.ready.wait()
        return await until_unhealthy(self.spec.liveness, self.log.path.parent, self.spec.unhealthy_s)

    def _with_shortage(self, ended: str) -> str:
        """How it ended, and that the disk is full if it is: then that is why, more often than not."""
        return "; ".join(filter(None, (ended, disk.shortage(self.log.path.parent))))

    async def _pass_gate(self) -> None:
        """Return when the process is healthy. The time limit holds for the first start only: later, what the process
        waits for may itself be restarting."""
        deadline = time.monotonic() + self.spec.gate_timeout_s
        while why := await self.spec.gate():
            if not self._ever_ready and time.monotonic() > deadline:
                raise self._failure(f"not healthy after {self.spec.gate_timeout_s:.0f} s: {why}")
            if why != self.status.detail:
                self._change(State.STARTING, why)
            await asyncio.sleep(POLL_S)

    def _failure(self, ended: str) -> ProcessFailed:
        said = f"read {self.log.path}" if self.log.tail else "it wrote nothing"
        return ProcessFailed(
            f"{self.spec.name} did not start: {ended}",
            f"{said}; `vigil doctor` checks what it needs",
            lines=tuple(self.log.tail),
        )

    def _change(self, state: State, detail: str, restarts: int | None = None, pid: int | None = None) -> None:
        before = self.status
        self.status = replace(
            before,
            state=state,
            detail=detail,
            since=before.since if state is before.state else time.monotonic(),
            restarts=before.restarts if restarts is None else restarts,
            pid=before.pid if pid is None else pid,
        )
        self._report(self.status)

    def stopped(self) -> None:
        """Say that it has ended for good."""
        self._change(State.STOPPED, "", pid=0)
        self.log.close()


class Supervisor:
    """Runs the processes of `specs` while it is open.

    Every process is a session and group of its own, so the terminal's Ctrl-C reaches only the supervisor, and a
    process takes its own children with it. `report` is called with every change. `remove` lists paths to delete
    should the supervisor itself be killed.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        log_dir: Path,
        report: Report,
        remove: Sequence[Path] = (),
        backoff: Backoff | None = None,
    ) -> None:
        self._specs = specs
        self._log_dir = log_dir
        self._report = report
        self._remove = remove
        self._backoff = backoff or Backoff()
        self._managed: dict[str, Managed] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._guard: Guard | None = None

    async def __aenter__(self) -> "Supervisor":
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._log_dir.chmod(0o700)
        self._guard = guard = await Guard.start(self._remove)
        for spec in self._specs:
            log = ProcessLog(self._log_dir / f"{spec.name}.log")
            self._managed[spec.name] = Managed(spec, log, guard, self._report, self._backoff)
        for name, managed in self._managed.items():
            needs = [self._managed[needed] for needed in managed.spec.needs]
            self._tasks[name] = asyncio.create_task(managed.run(needs), name=f"supervise {name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for tier in sorted({spec.tier for spec in self._specs}, reverse=True):
            await asyncio.gather(*(self._stop(spec.name) for spec in self._specs if spec.tier == tier))
        if self._guard is not None:
            await self._guard.close()

    @property
    def statuses(self) -> tuple[Status, ...]:
        """Every process as it is now, in the order of the specs."""
        return tuple(managed.status for managed in self._managed.values())

    async def ready(self) -> None:
        """Wait until every process is healthy. Raises `ProcessFailed` for the first that will not be."""
        healthy = asyncio.create_task(self._all_ready())
        try:
            await asyncio.wait({healthy, *self._tasks.values()}, return_when=asyncio.FIRST_COMPLETED)
            self._raise_failure()
        finally:
            healthy.cancel()

    async def failed(self) -> None:
        """Wait for ever. Raises what ends the supervision of a process; that a process dies does not end it."""
        await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        self._raise_failure()

    async def _all_ready(self) -> None:
        for managed in self._managed.values():
            await managed.ready.wait()

    def _raise_failure(self) -> None:
        for task in self._tasks.values():
            if task.done():
                task.result()

    async def _stop(self, name: str) -> None:
        task = self._tasks[name]
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # `ready` or `failed` has raised it; without this asyncio warns of an exception never read
        self._managed[name].stopped()


def _ending(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exited with status {status}"
