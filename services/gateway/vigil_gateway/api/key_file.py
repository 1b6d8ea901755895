"""The file of API keys: read at the start, and again whenever it was written or replaced."""

import asyncio
from pathlib import Path

from vigil.contract.api_keys import ApiKey, decode_keys
from vigil.contract.errors import InvalidKeyFile
from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.api.auth import KeyRing

log = get_log()

# How often the file is looked at: after so long at most a key that was removed opens nothing more.
LOOK_S = 1.0


class KeyFileInvalid(ValueError):
    """The key file cannot be used; the message says where and how to mend it."""


class KeyFile:
    """The key file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = (0, 0, 0)  # inode, size and time of change of the file that was read last
        self._fault = ""

    def load(self) -> KeyRing:
        """Read it for the first time. Raises `KeyFileInvalid`."""
        keys = self._read()
        metrics.KEYS.set(len(keys))
        return KeyRing(keys)

    async def follow(self, ring: KeyRing) -> None:
        """Bring the ring up to date with the file, for ever. A file that cannot be used changes nothing, and is logged
        and shown by a metric until it is mended."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                keys = await asyncio.to_thread(self._changed)
            except KeyFileInvalid as error:
                self._report(str(error))
                continue
            if keys is not None:
                ring.replace(keys)
                metrics.KEYS.set(len(keys))
                log.info("API keys read", keys=len(keys))
            self._report("")

    def _changed(self) -> tuple[ApiKey, ...] | None:
        """The keys of a file that is another one than before; None when it is as it was."""
        return None if self._looks() == self._seen and not self._fault else self._read()

    def _read(self) -> tuple[ApiKey, ...]:
        looks = self._looks()  # before it is read: what is written meanwhile is found at the next look
        try:
            keys = decode_keys(self._path.read_bytes())
        except OSError as error:
            raise self._unreadable(error) from error
        except InvalidKeyFile as error:
            raise KeyFileInvalid(f"the key file {self._path} cannot be used: {error}") from error
        if not keys:
            raise KeyFileInvalid(f"the key file {self._path} has no keys, so nobody could use the gateway")
        self._seen = looks
        return keys

    def _looks(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError as error:
            raise self._unreadable(error) from error
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _unreadable(self, error: OSError) -> KeyFileInvalid:
        return KeyFileInvalid(
            f"the key file {self._path} cannot be read ({error.strerror}): make one with `vigil keys add`"
        )

    def _report(self, fault: str) -> None:
        """Log a fault once, however often it is found."""
        metrics.KEY_FILE_FAULT.set(bool(fault))
        if fault and fault != self._fault:
            log.error("API keys not read", reason=fault)
        self._fault = fault
