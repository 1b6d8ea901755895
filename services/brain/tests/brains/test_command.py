"""The kind `command`: real programs in a real sandbox, also such as try to get out of it.

Where no sandbox can be made the tests are skipped, with the reason.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vigil.testing.eventually import eventually
from vigil_brain.brains.command import check_sandbox, find_sandbox
from vigil_brain.brains.kinds import open_brain
from vigil_brain.brains.port import Answer, BrainError, BrainTask
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.testing.told import RecordedTold

PYTHON = "/usr/bin/python3"

# What every program begins with.
HEAD = """
import base64, json, os, socket, sys, time
task = json.loads(sys.stdin.readline())
def say(**message): print(json.dumps(message), flush=True)
def answer(text): say(type="answer", text=str(text))
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that other users can read, as that of a program is. Skips where there is no sandbox."""
    try:
        asyncio.run(check_sandbox(find_sandbox()))
    except BrainError as error:
        pytest.skip(error.reason)
    if not Path(PYTHON).exists():
        pytest.skip(f"the programs of these tests need {PYTHON}")
    path = Path(tempfile.mkdtemp(prefix="vigil-command-", dir="/var/tmp"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


async def run(folder: Path, program: str, task: BrainTask, told: RecordedTold, **settings: Any) -> Answer:
    return await start(folder, program, task, told, **settings)


def start(
    folder: Path, program: str, task: BrainTask, told: RecordedTold, timeout_s: float = 60.0, **settings: Any
) -> "asyncio.Task[Answer]":
    path = folder / "program.py"
    path.write_text(HEAD + program)
    path.chmod(0o644)
    settings = {"command": [PYTHON, str(path)], "folders": [str(folder)], **settings}

    async def solve() -> Answer:
        async with open_brain(BrainSpec("local", "command", settings, timeout_s=timeout_s)) as brain:
            return await brain.solve(task, told)

    return asyncio.create_task(solve())


async def test_a_program_gets_the_task_and_answers(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    program = """
say(type="progress", text="is counting")
picture = base64.b64decode(task["pictures"][1]["jpeg_base64"])
answer(task["question"] + " " + picture[2:].decode())
say(type="artefact", name="page.html", media_type="text/html", base64=base64.b64encode(b"<p>408</p>").decode())
"""
    found = await run(folder, program, task, told)
    assert found.text == "What is 12 times 34? second"
    assert told.said == ["is counting"]
    assert [(made.name, made.media_type, made.content) for made in found.artefacts] == [
        ("page.html", "text/html", b"<p>408</p>")
    ]


@pytest.mark.parametrize("is_granted", [True, False])
async def test_a_program_hears_what_an_operator_decided(folder: Path, task: BrainTask, is_granted: bool) -> None:
    program = """
say(type="approve", id="1", tool="ticket", arguments={"title": "leak"}, summary="Opens a ticket")
answer(json.loads(sys.stdin.readline())["granted"])
"""
    told = RecordedTold(grants=is_granted)
    assert (await run(folder, program, task, told)).text == str(is_granted)
    assert [(action.tool, action.arguments, action.summary) for action in told.asked] == [
        ("ticket", {"title": "leak"}, "Opens a ticket")
    ]


async def test_it_cannot_read_a_secret_file(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    """A file of the service's own user, in a folder beside the program's: with its rights, and without its place."""
    with tempfile.TemporaryDirectory(prefix="vigil-secret-", dir="/var/tmp") as beside:
        os.chmod(beside, 0o755)
        secret = Path(beside) / "key"
        secret.write_text("sk-very-secret")
        secret.chmod(0o644)
        program = f"""
seen = []
for path in ({str(secret)!r}, "/etc/passwd", "/etc/shadow", "/root", "/home", "/run", "/proc/1/environ"):
    try:
        seen.append(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read().decode("utf-8", "replace"))
    except OSError as error:
        seen.append(type(error).__name__)
answer(json.dumps(seen + [sorted(os.environ)]))
"""
        text = (await run(folder, program, task, told)).text
    *seen, variables = json.loads(text)
    assert seen[:6] == ["FileNotFoundError"] * 6
    assert "SECRET" not in seen[6]
    assert set(variables) <= {"HOME", "LANG", "PATH", "PWD", "PYTHONUNBUFFERED", "TMPDIR", "LC_CTYPE"}


async def test_it_cannot_reach_the_network(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    """Neither this host, on which a server listens, nor any other."""
    listener = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    program = f"""
def reach(*address):
    try:
        socket.create_connection(address, timeout=2)
        return "reached"
    except OSError as error:
        return "refused"
answer([reach("127.0.0.1", {port}), reach("1.1.1.1", 53), os.path.exists("/sys")])
"""
    async with listener:
        assert (await run(folder, program, task, told)).text == "['refused', 'refused', False]"


async def test_it_cannot_fork_beyond_its_limit(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    program = """
children = []
try:
    for _ in range(500):
        pid = os.fork()
        if not pid:
            time.sleep(60)
            os._exit(0)
        children.append(pid)
except BlockingIOError:
    pass
answer(len(children))
"""
    assert 0 < int((await run(folder, program, task, told, processes=16)).text) <= 16


async def test_it_cannot_write_outside_its_folders(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    program = f"""
def write(path):
    try:
        with open(path, "wb") as file:
            for _ in range(64):
                file.write(b"x" * 1_000_000)
        return "written"
    except OSError as error:
        return type(error).__name__
answer([write({str(folder)!r} + "/program.py"), write("/usr/bin/x"), write("/x"), write("/tmp/x"), write("/task/x")])
"""
    text = (await run(folder, program, task, told, files_mib=4)).text
    assert text == "['OSError', 'OSError', 'OSError', 'OSError', 'OSError']"
    assert (folder / "program.py").read_text().startswith(HEAD)


async def test_its_memory_is_bounded(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    program = """
try:
    block = bytearray(400_000_000)
    answer("got it")
except MemoryError:
    answer("no memory")
"""
    assert (await run(folder, program, task, told, memory_mib=128)).text == "no memory"


async def test_its_time_on_a_processor_is_bounded(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    with pytest.raises(BrainError, match=r"killed by signal|exit status"):
        await run(folder, "while True: pass", task, told, cpu_s=1)


async def test_it_does_not_outlive_its_cancel(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    """Nor do those that it started in sessions of their own: the beat of a grandchild stops."""
    mark = f"vigil-{os.getpid()}-beat"
    program = f"""
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execv({PYTHON!r}, [{PYTHON!r}, "-c", "import time; time.sleep(600)", {mark!r}])
    os._exit(0)
say(type="progress", text="sleeps")
time.sleep(600)
"""
    work = start(folder, program, task, told)
    await eventually(lambda: told.said and commands_with(mark), what="the grandchild runs")
    loop = asyncio.get_running_loop()
    began = loop.time()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert loop.time() - began < 1.0
    await eventually(lambda: not commands_with(mark), deadline_s=5.0, what="the grandchild is gone")


async def test_it_ends_at_its_timeout(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    with pytest.raises(BrainError, match="did not answer within 1 s"):
        await run(folder, "time.sleep(600)", task, told, timeout_s=1.0)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("sys.exit(3)", "ended with exit status 3"),
        ("print('garbage', flush=True); time.sleep(600)", "no JSON"),
        ("print('[]', flush=True)", "no object"),
        ("say(type='sing')", "'sing', which there is not"),
        ("pass", "ended without an answer"),
        ("say(type='artefact', name='x', media_type='y', base64='***')", "no base64"),
    ],
)
async def test_what_goes_wrong_is_told_in_plain_words(
    folder: Path, task: BrainTask, told: RecordedTold, program: str, reason: str
) -> None:
    with pytest.raises(BrainError, match=reason):
        await run(folder, program, task, told)


async def test_a_flood_is_cut_and_said(folder: Path, task: BrainTask, told: RecordedTold) -> None:
    program = """
answer("It is 408.")
line = json.dumps({"type": "progress", "text": "x" * 60_000})
for _ in range(200 * 1_000_000 // 60_000):
    print(line)
"""
    found = await run(folder, program, task, told)
    assert found.was_cut
    assert found.text == "It is 408.\n\n[The rest of this answer was too long and was cut.]"


async def test_a_program_that_never_reads_its_task_may_answer(
    folder: Path, task: BrainTask, told: RecordedTold
) -> None:
    path = folder / "deaf.py"
    path.write_text('print(\'{"type": "answer", "text": "Hello."}\')')
    path.chmod(0o644)
    assert (await run(folder, "", task, told, command=[PYTHON, str(path)])).text == "Hello."


async def test_without_a_sandbox_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    spec = BrainSpec("local", "command", {"command": [sys.executable, "-c", "print(1)"]})
    with pytest.raises(BrainError, match="install the package bubblewrap"):
        async with open_brain(spec):
            raise AssertionError("it was opened")


def commands_with(word: str) -> list[str]:
    """The processes of this machine whose command line holds the word."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(process.name)
        except OSError:
            continue
    return found
