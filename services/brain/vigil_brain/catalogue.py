"""The brains that are open now, by the operator's file: read at the start, and again whenever it changes.

A brain that left the file, or changed there, is closed once it has finished its tasks. A brain that this machine lacks
something for stays in the catalogue with its fault: whoever asks it is told.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NoReturn

from vigil.core.task import TaskRequest
from vigil.runtime.process.logs import get_log
from vigil_brain import metrics
from vigil_brain.brains.port import Answer, Brain, BrainError, BrainTask, Told
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.brains_file import WITHOUT_FILE, BrainEntry, Brains, BrainsFileInvalid, Mistakes, read
from vigil_brain.router import Chosen, choose

log = get_log()

LOOK_S = 1.0

Open = Callable[[BrainSpec], AbstractAsyncContextManager[Brain]]


class OpenBrain:
    """A brain of the file with its places: at most `concurrency` tasks at once."""

    def __init__(self, entry: BrainEntry, brain: Brain | None, fault: str, closing: AsyncExitStack) -> None:
        self.entry = entry
        self.fault = fault
        self.tasks = 0  # that it works on, or that wait for a place
        self._brain = brain
        self._closing = closing
        self._places = asyncio.Semaphore(entry.concurrency)

    @property
    def name(self) -> str:
        """Its name in the file."""
        return self.entry.spec.name

    @property
    def timeout_s(self) -> float:
        """How long it may take for one task."""
        return self.entry.spec.timeout_s

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        """What the brain answers, once it has a place. Raises `BrainError`."""
        if self._brain is None:
            raise BrainError(self.fault)
        self.tasks += 1
        try:
            async with self._places:
                return await self._brain.solve(task, told)
        finally:
            self.tasks -= 1

    async def close(self) -> None:
        """Close it."""
        await self._closing.aclose()


class Catalogue:
    """The brains. Open it with `Catalogue.opened`; `follow` brings it up to date."""

    def __init__(self, path: Path | None, mistakes: Mistakes, open_brain: Open) -> None:
        self._path = path
        self._mistakes = mistakes
        self._open = open_brain
        self._brains: dict[str, OpenBrain] = {}
        self._leaving: list[OpenBrain] = []
        self._file = Brains()
        self._seen: tuple[int, int, int] | None = None
        self._fault = ""

    @classmethod
    @asynccontextmanager
    async def opened(cls, path: Path | None, mistakes: Mistakes, open_brain: Open) -> AsyncIterator["Catalogue"]:
        """The brains of the file at `path` until the block ends; None: the embedded one. Raises `BrainsFileInvalid`."""
        catalogue = cls(path, mistakes, open_brain)
        try:
            if path is not None:
                catalogue._seen = _looks(path)
                await catalogue._use(read(path, mistakes))
            else:
                await catalogue._use(WITHOUT_FILE)
            yield catalogue
        finally:
            for brain in (*catalogue._brains.values(), *catalogue._leaving):
                await brain.close()

    def choose(self, request: TaskRequest) -> Chosen:
        """The name of the brain for a question, or why there is none."""
        return choose(self._file.routes, request)

    def find(self, name: str) -> OpenBrain | None:
        """The brain of that name."""
        return self._brains.get(name)

    async def follow(self) -> NoReturn:
        """Bring the brains up to date with the file, for ever. A file that cannot be used changes nothing: it is
        logged, and shown by a metric until it is mended."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self._close_idle()
            if self._path is not None:
                await self._look(self._path)

    async def _look(self, path: Path) -> None:
        try:
            looks = await asyncio.to_thread(_looks, path)
            if looks == self._seen:
                return
            found = await asyncio.to_thread(read, path, self._mistakes)
        except BrainsFileInvalid as error:
            self._report(error)
            return
        self._seen = looks
        await self._use(found)
        self._fault = ""
        metrics.FILE_FAULT.set(0)
        log.info("brains read", brains=sorted(self._brains))

    async def _use(self, found: Brains) -> None:
        wanted = {entry.spec.name: entry for entry in found.entries}
        for name, brain in tuple(self._brains.items()):
            if wanted.get(name) != brain.entry:
                self._leaving.append(self._brains.pop(name))
        for name, entry in wanted.items():
            if name not in self._brains:
                self._brains[name] = await self._opened_brain(entry)
        self._file = found
        faulty = sum(bool(brain.fault) for brain in self._brains.values())
        metrics.BRAINS.labels("open").set(len(self._brains) - faulty)
        # Who named no brains misses none: that the embedded one is not installed is no fault.
        metrics.BRAINS.labels("faulty").set(0 if self._path is None else faulty)

    async def _opened_brain(self, entry: BrainEntry) -> OpenBrain:
        closing = AsyncExitStack()
        try:
            brain = await closing.enter_async_context(self._open(entry.spec))
        except BrainError as error:
            log.warning("brain not opened", brain=entry.spec.name, reason=error.reason)
            return OpenBrain(entry, None, error.reason, closing)
        return OpenBrain(entry, brain, "", closing)

    async def _close_idle(self) -> None:
        for brain in tuple(self._leaving):
            if not brain.tasks:
                self._leaving.remove(brain)
                await brain.close()

    def _report(self, error: BrainsFileInvalid) -> None:
        """Log a fault once, however often it is found."""
        metrics.FILE_FAULT.set(1)
        if str(error) != self._fault:
            log.error("brains not read", problems=error.problems)
        self._fault = str(error)


def _looks(path: Path) -> tuple[int, int, int]:
    """By what a changed file is recognised. Raises `BrainsFileInvalid`."""
    try:
        found = path.stat()
    except OSError as error:
        raise BrainsFileInvalid((f"the file {path} cannot be read: {error.strerror}",)) from error
    return found.st_ino, found.st_size, found.st_mtime_ns
