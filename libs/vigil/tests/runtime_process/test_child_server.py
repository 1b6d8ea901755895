"""A server in an environment of its own, with programs of a few lines for it."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from vigil.runtime.process.child_server import ChildServerFailed, start_child_server
from vigil.testing.eventually import eventually

READY = json.dumps({"url": "http://127.0.0.1:1/v1", "key": "secret"})


def program(folder: Path, *lines: str) -> tuple[str, ...]:
    """A command that writes its process id to a file and then does as the lines say."""
    file = folder / "server.py"
    file.write_text(
        "\n".join(["import os, sys", f"open({str(folder / 'pid')!r}, 'w').write(str(os.getpid()))", *lines])
    )
    return sys.executable, "-S", str(file)


def runs(folder: Path) -> bool:
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_says_where_it_serves_and_runs_until_it_is_ended(tmp_path: Path) -> None:
    server = await start_child_server(program(tmp_path, f"print({READY!r}, flush=True)", "sys.stdin.read()"), 30)
    assert (server.url, server.key, server.is_running) == ("http://127.0.0.1:1/v1", "secret", True)
    assert "secret" not in repr(server)
    await server.end()
    assert not server.is_running
    assert not runs(tmp_path)
    await server.end()  # a second time changes nothing


async def test_one_that_ends_by_itself_tells_its_status(tmp_path: Path) -> None:
    server = await start_child_server(program(tmp_path, f"print({READY!r}, flush=True)", "sys.exit(3)"), 30)
    assert await server.wait() == 3
    assert not server.is_running


async def test_it_sees_nothing_of_the_environment_of_this_process(tmp_path: Path) -> None:
    names = """print('{"url": "", "key": "%s"}' % ' '.join(os.environ), flush=True)"""
    server = await start_child_server(program(tmp_path, names, "sys.stdin.read()"), 30)
    await server.end()
    assert {"PATH"} <= set(server.key.split()) <= {"PATH", "LC_CTYPE"}, "Python itself sets the second"


@pytest.mark.parametrize("line", ["out of memory", "[]", '{"url": "http://127.0.0.1:1"}'])
async def test_one_that_says_something_else_is_ended(tmp_path: Path, line: str) -> None:
    with pytest.raises(ChildServerFailed, match="did not say where it serves"):
        await start_child_server(program(tmp_path, f"print({line!r}, flush=True)", "sys.stdin.read()"), 30)
    assert not runs(tmp_path)


async def test_one_that_is_not_ready_in_time_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ChildServerFailed, match="TimeoutError"):
        await start_child_server(("/bin/cat",), 0.05)


async def test_one_whose_start_is_cancelled_is_ended(tmp_path: Path) -> None:
    starting = asyncio.create_task(start_child_server(program(tmp_path, "sys.stdin.read()"), 30))
    await eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), what="it runs")
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert not runs(tmp_path)


async def test_one_that_is_ended_has_ended_also_when_nobody_waits_for_that_any_more(tmp_path: Path) -> None:
    server = await start_child_server(program(tmp_path, f"print({READY!r}, flush=True)", "sys.stdin.read()"), 30)
    ending = asyncio.create_task(server.end())
    await asyncio.sleep(0)  # it is told to end
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    assert not server.is_running
    assert not runs(tmp_path)
