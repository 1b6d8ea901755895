"""The embedded engine with a stand-in for its server's process: that it is waited for, started again, and ended.

The weights themselves are large: `test_whisper.py` runs them where `make speech` has installed them.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import aiohttp
import pytest

from vigil.runtime.process.startup import StartupError
from vigil.testing.eventually import eventually
from vigil_asr.kept_server import KeptServer
from vigil_asr.recognizers.embedded import EmbeddedRecognizer, installed
from vigil_asr.sound import RemarkSound
from vigil_asr.testing.scripted_engine import ScriptedEngine


def stand_in(folder: Path, engine: ScriptedEngine, said: str = "") -> KeptServer:
    """A server process that names the scripted engine, and leaves its process id."""
    line = said or json.dumps({"url": f"{engine.url}/v1", "key": "k"})
    program = folder / "server.py"
    program.write_text(
        f"import os, sys\nopen({str(folder / 'pids')!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        f"print({line!r}, flush=True)\nsys.stdin.read()\n"
    )
    return KeptServer("recognizer", (sys.executable, "-S", str(program)))


def pids(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "pids").read_text().split()] if (folder / "pids").exists() else []


def remark() -> RemarkSound:
    sound = RemarkSound()
    sound.add(b"\1\0" * 8_000, is_speech=True)
    sound.end()
    return sound


async def test_remarks_wait_while_it_starts_and_again_when_it_died(
    tmp_path: Path, engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    kept = stand_in(tmp_path, engine)
    recognizer = EmbeddedRecognizer(kept, "whisper-tiny.en", 300, http)
    asking = asyncio.create_task(recognizer.recognize(remark(), "", lambda text: None))
    running = asyncio.create_task(kept.run())
    assert (await asking).text == "is anybody there"
    os.kill(pids(tmp_path)[0], 9)
    await eventually(lambda: len(pids(tmp_path)) == 2, what="it is started again")
    assert (await recognizer.recognize(remark(), "", lambda text: None)).text == "is anybody there"
    assert engine.keys == ["Bearer k"] * 2
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(pids(tmp_path)[1], 0)


async def test_a_server_that_says_nothing_of_use_is_started_again(tmp_path: Path, engine: ScriptedEngine) -> None:
    running = asyncio.create_task(stand_in(tmp_path, engine, said="out of memory").run())
    await eventually(lambda: len(pids(tmp_path)) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_where_it_is_not_installed_the_way_to_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="run make speech"):
        installed(tmp_path, "whisper-tiny.en", 1)
