"""A `Told` that writes down what a brain said, and decides approvals by a rule."""

import asyncio

from vigil_brain.brains.port import Action


class RecordedTold:
    """Grants every action when `grants`, else refuses. With `hold`, an action waits for `decide`."""

    def __init__(self, *, grants: bool = False, hold: bool = False) -> None:
        self.grants = grants
        self.said: list[str] = []
        self.asked: list[Action] = []
        self._decided = asyncio.Event()
        if not hold:
            self._decided.set()

    async def progress(self, text: str) -> None:
        self.said.append(text)

    async def approve(self, action: Action) -> bool:
        self.asked.append(action)
        await self._decided.wait()
        return self.grants

    def decide(self, *, grants: bool) -> None:
        """Decide what waits."""
        self.grants = grants
        self._decided.set()
