"""FunASR's streaming models behind its classic WebSocket protocol, in the mode `2pass` only, as `funasr_wss_server.py`
of FunASR's repository has spoken it since August 2026. That script is in no package: this stands for it in the tests.

python classic_server.py FOLDER PORT        FOLDER is for its models: `tiny_models.py` makes them
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import torch
import websockets
from funasr import AutoModel
from tiny_models import make

BYTES_PER_MS = 32


class Models:
    """One stands for both recognizers: for the quick one, chunk by chunk, and for the good one, with all at once."""

    def __init__(self, folder: Path) -> None:
        quiet = {"device": "cpu", "disable_update": True, "disable_pbar": True, "disable_log": True}
        self._paraformer = AutoModel(model=str(folder / "paraformer"), **quiet)
        self._vad = AutoModel(model=str(folder / "vad"), **quiet)
        self._lock = asyncio.Lock()

    async def quick(self, pcm: bytes, asked: dict[str, Any]) -> str:
        return (await self._run(self._paraformer, pcm, asked))[0]["text"]

    async def good(self, pcm: bytes) -> str:
        return (await self._run(self._paraformer, pcm, {"cache": {}, "is_final": True}))[0]["text"]

    async def edges(self, pcm: bytes, asked: dict[str, Any]) -> tuple[int, int]:
        """Where a segment begins and ends in this piece, in ms since the beginning; -1 where it does not."""
        found = (await self._run(self._vad, pcm, asked))[0]["value"]
        return tuple(found[0]) if len(found) == 1 else (-1, -1)

    async def _run(self, model: AutoModel, pcm: bytes, asked: dict[str, Any]) -> list[dict[str, Any]]:
        async with self._lock:
            return await asyncio.to_thread(model.generate, input=pcm, **asked)


class Conversation:
    """One connection. What is not in a segment yet is kept, too: it is recognized when the client says that it ends."""

    def __init__(self, models: Models, socket: websockets.ServerConnection) -> None:
        self._models = models
        self._socket = socket
        self._name = ""
        self._interval = 10
        self._online: dict[str, Any] = {"cache": {}, "is_final": False}
        self._vad: dict[str, Any] = {"cache": {}, "is_final": False}
        self._heard_ms = 0
        self._frames: list[bytes] = []  # all
        self._chunk: list[bytes] = []  # for the quick recognizer
        self._segment: list[bytes] | None = None  # for the good one, while somebody speaks
        self._pending: list[bytes] = []  # since the last good segment

    async def run(self) -> None:
        async for message in self._socket:
            if isinstance(message, bytes):
                await self._sound(message)
            else:
                await self._told(json.loads(message))

    async def _told(self, event: dict[str, Any]) -> None:
        self._name = event.get("wav_name", self._name)
        self._interval = event.get("chunk_interval", self._interval)
        if "chunk_size" in event:
            self._online["chunk_size"] = event["chunk_size"]
            self._vad["chunk_size"] = event["chunk_size"][1] * 60 // self._interval
        if event.get("is_speaking", True):
            return
        await self._finish(b"".join(self._segment or []) or b"".join(self._pending))
        if event.get("is_end"):
            await self._say({"mode": "2pass", "is_final": True, "is_end": True})

    async def _sound(self, pcm: bytes) -> None:
        milliseconds = len(pcm) // BYTES_PER_MS
        self._heard_ms += milliseconds
        for kept in (self._frames, self._chunk, self._pending, self._segment):
            if kept is not None:
                kept.append(pcm)
        if len(self._chunk) % self._interval == 0:
            if text := await self._models.quick(b"".join(self._chunk), self._online):
                await self._say({"mode": "2pass-online", "text": text, "is_final": False})
            self._chunk.clear()
        begin, end = await self._models.edges(pcm, self._vad)
        if begin != -1:
            self._segment = self._frames[-max(1, (self._heard_ms - begin) // milliseconds) :]
        if end != -1:
            await self._finish(b"".join(self._segment or self._pending))
            self._frames = self._frames[-20:]

    async def _finish(self, pcm: bytes) -> None:
        """The quick recognizer is told that the segment is over, and its last word is not passed on."""
        await self._models.quick(b"".join(self._chunk), {**self._online, "is_final": True})
        self._online["cache"] = {}
        self._chunk.clear()
        self._segment = None
        self._pending.clear()
        if pcm:
            await self._say({"mode": "2pass-offline", "text": await self._models.good(pcm), "is_final": True})

    async def _say(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps({**message, "wav_name": self._name}, ensure_ascii=False))


async def main(folder: Path, port: int) -> None:
    torch.set_num_threads(1)
    make(folder)
    models = Models(folder)

    async def converse(socket: websockets.ServerConnection) -> None:
        await Conversation(models, socket).run()

    async with websockets.serve(converse, "127.0.0.1", port, subprotocols=["binary"], ping_interval=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
