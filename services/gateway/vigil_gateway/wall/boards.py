"""The boards of the tenants at whose walls somebody looks: one each, however many look."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vigil.runtime.process.logs import get_log
from vigil_gateway.wall.board import Board

log = get_log()


@dataclass(slots=True)
class _Shown:
    """A board, the task that keeps it up to date, and how many look at it."""

    board: Board
    task: asyncio.Task[None]
    viewers: int = 0


class Boards:
    """`made` makes a tenant's board. A board lives as long as it has viewers."""

    def __init__(self, made: Callable[[str], Board]) -> None:
        self._made = made
        self._shown: dict[str, _Shown] = {}

    def __len__(self) -> int:
        return len(self._shown)

    @asynccontextmanager
    async def of(self, tenant: str) -> AsyncIterator[Board]:
        """The tenant's board with a tile for each open session, kept up to date while the block runs. Raises
        `PortError`."""
        shown = self._shown.get(tenant)
        if shown is None:
            board = self._made(tenant)
            shown = self._shown[tenant] = _Shown(board, asyncio.create_task(board.run(), name=f"wall of {tenant}"))
        shown.viewers += 1
        try:
            await shown.board.filled()
            yield shown.board
        finally:
            shown.viewers -= 1
            if not shown.viewers:
                del self._shown[tenant]
                await _stopped(shown.task)


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("wall failed", exc_info=error)
