"""The sound of one remark, from the ear that hears it to the engine that recognizes it."""

import asyncio
from collections.abc import AsyncIterator


class RemarkSound:
    """Grows while somebody speaks, and is over when he has stopped. Its ear cuts it when it is `longest_ms` long
    (`vigil_asr.endpoint`), so it is bounded: 28 s are 0.9 MB. For one writer and one reader in one event loop."""

    def __init__(self) -> None:
        self._pcm = bytearray()
        self._voiced = 0
        self._changed = asyncio.Event()
        self._over = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether no more comes."""
        return self._over.is_set()

    @property
    def voiced_bytes(self) -> int:
        """Bytes up to the end of the last speech in it."""
        return self._voiced

    @property
    def length(self) -> int:
        """Bytes so far."""
        return len(self._pcm)

    def read(self, start: int = 0) -> bytes:
        """The bytes from `start` on."""
        return bytes(self._pcm[start:])

    def add(self, pcm: bytes, *, is_speech: bool) -> None:
        """More of it."""
        self._pcm += pcm
        if is_speech:
            self._voiced = len(self._pcm)
        self._changed.set()

    def end(self) -> None:
        """No more comes."""
        self._over.set()
        self._changed.set()

    async def over(self) -> None:
        """Wait until no more comes."""
        await self._over.wait()

    async def changed(self) -> None:
        """Wait until more came, or the end, since this was last waited for."""
        await self._changed.wait()
        self._changed.clear()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The sound from its beginning to its end, as it comes."""
        sent = 0
        while sent < len(self._pcm) or not self.is_over:
            await self.changed()
            if pcm := self.read(sent):
                sent += len(pcm)
                yield pcm
