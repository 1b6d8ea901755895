"""smart-turn 3.2 on this machine's CPU: it hears from the tone of a voice whether a turn is complete.

`make speech` installs it, in the folder of the embedded engine. Its server is a child of this process, as Whisper's is.
It is asked about one pause after the other, so that it never works on one that nobody waits for any more while others
wait.
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from vigil.runtime.process.http_bodies import read_bounded
from vigil.runtime.process.startup import StartupError
from vigil_asr.end_of_turn.port import JudgeFailed
from vigil_asr.kept_server import KeptServer
from vigil_asr.recognizers.connection import http_session

MAX_ANSWER_BYTES = 1_024
_SERVER = Path(__file__).parents[1] / "turn_server"


class SmartTurn:
    """Asks the local server. While it starts, every question fails at once."""

    def __init__(self, kept: KeptServer, http: aiohttp.ClientSession) -> None:
        self._kept = kept
        self._http = http
        self._turn = asyncio.Lock()

    async def ready(self) -> None:
        """Wait until the server runs."""
        await self._kept.ready()

    async def complete(self, pcm: bytes) -> float:
        """See `TurnJudge`."""
        async with self._turn:
            if (server := self._kept.server) is None:
                raise JudgeFailed("its process is starting")
            try:
                async with self._http.post(
                    server.url, data=pcm, headers={"Authorization": f"Bearer {server.key}"}, allow_redirects=False
                ) as response:
                    return _probability(response.status, await read_bounded(response, MAX_ANSWER_BYTES))
            except (aiohttp.ClientError, ConnectionError, TimeoutError):
                raise JudgeFailed("its process broke off") from None


@asynccontextmanager
async def open_smart_turn(folder: Path) -> AsyncIterator[SmartTurn]:
    """The judge, as long as the block runs. Raises `StartupError` where it is not installed."""
    kept = KeptServer("turns", installed(folder))
    async with http_session() as http, kept.running():
        yield SmartTurn(kept, http)


def installed(folder: Path) -> tuple[str, ...]:
    """The command that starts the server. Raises `StartupError` where it is not installed."""
    python, model = (folder.absolute() / name for name in ("bin/python", "smart-turn/model.onnx"))
    if not python.exists() or not model.exists():
        raise StartupError(
            f"VIGIL_ASR_END_OF_TURN: semantic needs {model}, which is not there: run make speech, or set it to silence"
        )
    return str(python), str(_SERVER), str(model)


def _probability(status: int, body: bytes) -> float:
    try:
        found = float(json.loads(body)["complete"]) if status == 200 else math.nan
    except (ValueError, KeyError, TypeError, RecursionError):
        found = math.nan
    if not 0 <= found <= 1:
        raise JudgeFailed(f"its process answered {status} without a probability")
    return found
