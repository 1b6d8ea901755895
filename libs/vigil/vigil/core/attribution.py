"""Which instruction do the model's words belong to? The model writes plain sentences, without naming a watch.

Each sentence goes to the instruction that shares most content words with it; on a tie to a watch rather than to an
instruction that nobody is paged for (unless a question waits for its answer: then the words may be that), and to the
newest one. With one instruction there is nothing to decide. A guess by words can be wrong only about *which* watch
spoke, never about *whether* the model spoke.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from vigil.core.instruction import Instruction

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[^\W\d_]{3,}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+")  # kana and Han
_STEM_CHARS = 4  # "started" and "starts", "fallen" and "falls" meet at four letters
# Words of asking and of pointing, which say nothing about what is asked for.
_ASKING = (
    "alert warn tell know notify please when whenever soon moment watch this that have been with there "
    "someone something anyone person the and for are was has had you any its not but out can who let see now"
)
_NO_CONTENT = frozenset(word[:_STEM_CHARS] for word in _ASKING.split())


def attribute(spoken: str, instructions: Sequence[Instruction], *, answering: bool = False) -> dict[str, str]:
    """Instruction id to the words that belong to it; empty when nothing was said or nothing stands."""
    said: dict[str, str] = {}
    if not instructions:
        return said
    for sentence in _SENTENCE_END.split(spoken.strip()):
        if sentence:
            fits = [(_shared(sentence, one), not answering and one.watch is not None) for one in instructions]
            owner = instructions[max(range(len(instructions)), key=lambda index: (fits[index], index))]
            said[owner.id] = f"{said[owner.id]} {sentence}" if owner.id in said else sentence
    return said


def _shared(sentence: str, instruction: Instruction) -> int:
    name = instruction.watch.name if instruction.watch else ""
    return len(_stems(sentence) & _stems(f"{instruction.text} {name}"))


def content_words(text: str) -> list[str]:
    """The words, in lower case and in order, that say what is asked for: three letters or more, none of asking."""
    words = _WORD.findall(text.lower().replace("_", " "))
    return [word for word in words if word[:_STEM_CHARS] not in _NO_CONTENT]


def _stems(text: str) -> set[str]:
    """What words have in common: their first letters, or each two neighbours where a script puts no spaces."""
    pairs = {pair for run in _UNSPACED.findall(text) for pair in map("".join, pairwise(run))}
    return pairs | {word[:_STEM_CHARS] for word in content_words(_UNSPACED.sub(" ", text))}
