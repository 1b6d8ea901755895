"""An engine of this process that says what it is told to say."""

import asyncio
from collections import deque
from collections.abc import Sequence

from vigil_asr.recognizers.port import Recognized, RecognizerError, Told
from vigil_asr.sound import RemarkSound

Answer = str | Recognized | RecognizerError


class ScriptedRecognizer:
    """Gives one answer after the other, each when its remark is over and `may_answer` is set; an error at once, as
    engines do. The words of an answer are told one by one before, while it is spoken."""

    name = "scripted"

    def __init__(self, answers: Sequence[Answer] = (), *, tells: bool = True) -> None:
        self.answers = deque(answers)
        self.heard: list[int] = []  # bytes of each remark
        self.languages: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._tells = tells

    async def recognize(self, sound: RemarkSound, language: str, told: Told) -> Recognized:
        answer = self.answers.popleft()
        self.languages.append(language)
        if isinstance(answer, RecognizerError):
            raise answer
        found = Recognized(answer, 0.9, "en") if isinstance(answer, str) else answer
        if self._tells and (words := found.text.split()):
            told(words[0])
            await sound.changed()
            told(" ".join(words[:2]))
        await sound.over()
        self.heard.append(sound.length)
        await self.may_answer.wait()
        return found
