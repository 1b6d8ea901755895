"""A brain that refuses every task with one reason: what it needs is not there."""

from vigil_brain.brains.port import Answer, BrainError, BrainTask, Told


class RefusingBrain:
    """Stands for a brain that cannot be opened on this machine: its tasks fail with the reason, the service runs on."""

    def __init__(self, error: BrainError) -> None:
        self._error = error

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        raise BrainError(self._error.reason, is_transient=self._error.is_transient)
