"""What the session itself has spoken a moment ago: it comes back through the microphone. No I/O: times are
arguments, in seconds of one clock that only goes forward."""

from collections import deque
from dataclasses import dataclass, replace

MAX_SENTENCES = 64
LINGERS_S = 2.0  # sound is played later than it is sent, and rooms ring


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    begin_s: float
    end_s: float


class OwnVoice:
    """Sentences and when they are heard. Sound is sent faster than it plays: each sentence follows the one before."""

    def __init__(self) -> None:
        self._sentences: deque[_Sentence] = deque(maxlen=MAX_SENTENCES)

    def spoke(self, text: str, duration_s: float, now_s: float) -> None:
        """A piece of the sentence `text` was sent, which plays so long."""
        last = self._sentences[-1] if self._sentences else None
        begin_s = now_s if last is None else max(now_s, last.end_s)
        if last is not None and last.text == text and last.end_s >= now_s:
            self._sentences[-1] = replace(last, end_s=begin_s + duration_s)
        elif text:
            self._sentences.append(_Sentence(text, begin_s, begin_s + duration_s))

    def between(self, begin_s: float, end_s: float) -> tuple[str, ...]:
        """The sentences that may have been heard in that time."""
        return tuple(
            sentence.text
            for sentence in self._sentences
            if sentence.begin_s <= end_s and begin_s <= sentence.end_s + LINGERS_S
        )
