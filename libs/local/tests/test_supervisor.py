"""The supervisor, with real processes that are really killed."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from vigil.testing.eventually import DEADLINE_S, eventually
from vigil_local.errors import ProcessFailed
from vigil_local.supervisor import gates
from vigil_local.supervisor.supervisor import ProcessSpec, State, Status, Supervisor
from vigil_local.testing.processes import environment, program, runs


def serving(name: str, port: int, kind: str = "serve", **options: object) -> ProcessSpec:
    return ProcessSpec(
        name,
        program(kind, port),
        environment(),
        gates.http(f"http://127.0.0.1:{port}/"),
        **options,  # type: ignore[arg-type]
    )


async def test_starts_in_the_order_of_needs_and_stops_everything(tmp_path: Path, two_ports: list[int]) -> None:
    changes: list[Status] = []
    specs = [serving("late", two_ports[0], needs=("early",), tier=1), serving("early", two_ports[1])]
    async with Supervisor(specs, tmp_path, changes.append) as supervisor:
        await supervisor.ready()
        pids = [status.pid for status in supervisor.statuses]
        assert all(runs(pid) for pid in pids)
    assert not any(runs(pid) for pid in pids)
    order = [(change.name, change.state) for change in changes]
    assert order.index(("early", State.READY)) < order.index(("late", State.STARTING))
    assert order.index(("late", State.STOPPED)) < order.index(("early", State.STOPPED))


async def test_a_killed_process_is_restarted_and_said_so(tmp_path: Path, two_ports: list[int]) -> None:
    changes: list[Status] = []
    async with Supervisor([serving("web", two_ports[0])], tmp_path, changes.append) as supervisor:
        await supervisor.ready()
        killed = supervisor.statuses[0].pid
        os.kill(killed, signal.SIGKILL)
        await eventually(
            lambda: supervisor.statuses[0].state is State.READY and supervisor.statuses[0].pid != killed,
            what="a new process",
        )
        assert supervisor.statuses[0].restarts == 1
    restarting = [change for change in changes if change.state is State.RESTARTING]
    assert "killed by signal 9" in restarting[0].detail


async def test_a_dead_process_leaves_no_children_behind(tmp_path: Path, two_ports: list[int]) -> None:
    port, pid_file = two_ports[0], tmp_path / "grandchild"
    argv = program("family", port, pid_file)
    spec = ProcessSpec("family", argv, environment(), gates.http(f"http://127.0.0.1:{port}/"))
    async with Supervisor([spec], tmp_path, lambda _: None) as supervisor:
        await supervisor.ready()
        first = int(pid_file.read_text())
        assert runs(first)
        os.kill(supervisor.statuses[0].pid, signal.SIGKILL)
        await eventually(lambda: not runs(first), what="the end of the orphan")


async def test_shared_memory_of_a_killed_process_is_given_back(tmp_path: Path, two_ports: list[int]) -> None:
    port, name_file = two_ports[0], tmp_path / "name"
    argv = program("share", port, name_file)
    spec = ProcessSpec("share", argv, environment(), gates.http(f"http://127.0.0.1:{port}/"))
    async with Supervisor([spec], tmp_path, lambda _: None) as supervisor:
        await supervisor.ready()
        first = Path("/dev/shm") / name_file.read_text()
        assert first.exists()
        os.kill(supervisor.statuses[0].pid, signal.SIGKILL)
        await eventually(lambda: not first.exists(), what="the memory being given back")
        await supervisor.ready()
        second = Path("/dev/shm") / name_file.read_text()
    assert not second.exists()


async def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path, two_ports: list[int]) -> None:
    async with Supervisor([serving("deaf", two_ports[0], "deaf", stop_grace_s=0.2)], tmp_path, lambda _: None) as deaf:
        await deaf.ready()
        pid = deaf.statuses[0].pid
    assert not runs(pid)


async def test_a_process_that_only_crashes_fails_with_its_last_lines(tmp_path: Path) -> None:
    spec = ProcessSpec("web", program("crash", 100), environment(), gates.http("http://127.0.0.1:1/"), start_attempts=2)
    async with Supervisor([spec], tmp_path, lambda _: None) as supervisor:
        with pytest.raises(ProcessFailed) as failure:
            await supervisor.ready()
    assert failure.value.message == "web did not start: exited with status 1"
    assert failure.value.lines[-2:] == ("line 99", "the disk is on fire")
    assert len(failure.value.lines) == 12
    assert str(tmp_path / "web.log") in failure.value.next_step


async def test_a_gate_that_stays_shut_says_why(tmp_path: Path, two_ports: list[int]) -> None:
    async def shut() -> str:
        return "the engine has no model 'vigil-small' (it has: none)"

    spec = ProcessSpec("engine", program("serve", two_ports[0]), environment(), shut, gate_timeout_s=0.2)
    async with Supervisor([spec], tmp_path, lambda _: None) as supervisor:
        with pytest.raises(ProcessFailed) as failure:
            await supervisor.ready()
    assert failure.value.message == f"engine did not start: not healthy after 0 s: {await shut()}"
    assert failure.value.next_step == "it wrote nothing; `vigil doctor` checks what it needs"


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    gate = gates.http("http://127.0.0.1:1/")
    spec = ProcessSpec("web", ("/nowhere/at-all",), {}, gate, start_attempts=1)
    async with Supervisor([spec], tmp_path, lambda _: None) as supervisor:
        with pytest.raises(ProcessFailed, match="cannot be run"):
            await supervisor.ready()


async def supervised(directory: Path, ports: list[int]) -> tuple[asyncio.subprocess.Process, list[int]]:
    """A supervisor in a process of its own, with the process ids of all it has running."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "vigil_local.testing.supervised",
        str(directory),
        *map(str, ports),
        stdin=asyncio.subprocess.DEVNULL,
    )
    await eventually((directory / "ready.json").exists, what="a healthy supervisor")
    pids = json.loads((directory / "ready.json").read_text())
    return process, [*pids.values(), int((directory / "grandchild").read_text())]


async def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, two_ports: list[int]) -> None:
    marker = tmp_path / "remove-me"
    marker.mkdir()
    process, pids = await supervised(tmp_path, two_ports)
    assert len(pids) == 3
    assert all(runs(pid) for pid in pids)
    process.kill()
    await process.wait()
    await eventually(lambda: not any(runs(pid) for pid in pids) and not marker.exists(), what="nothing being left")


async def test_sigterm_stops_the_supervisor_and_all_it_started(tmp_path: Path, two_ports: list[int]) -> None:
    process, pids = await supervised(tmp_path, two_ports)
    process.terminate()
    assert await asyncio.wait_for(process.wait(), DEADLINE_S) == 0
    assert not any(runs(pid) for pid in pids)
