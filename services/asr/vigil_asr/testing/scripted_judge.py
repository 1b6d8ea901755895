"""A judge of turns that says what it is told to say."""

import asyncio
from collections import deque
from collections.abc import Sequence

from vigil_asr.end_of_turn.port import JudgeFailed


class ScriptedJudge:
    """Gives one answer after the other, each when `may_answer` is set; None fails."""

    def __init__(self, answers: Sequence[float | None]) -> None:
        self.answers = deque(answers)
        self.heard: list[bytes] = []
        self.given_up = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def complete(self, pcm: bytes) -> float:
        answer = self.answers.popleft()
        self.heard.append(pcm)
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if answer is None:
            raise JudgeFailed("it was told to fail")
        return answer
