"""Which instruction do the model's words belong to? The model writes plain sentences, without naming a watch.

Each sentence goes to the instruction that shares most content words with it. On a tie a watch comes before an
instruction that raises no alert, except while a question is unanswered: then the words may be the answer. A second tie
goes to the newest instruction. With one instruction there is nothing to decide. Matching words can be wrong only about
*which* watch spoke, never about *whether* the model spoke.

A turn's words are attributed once, into a `Said`, which alerts, the duplicate guard and the dialogue read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vigil.core.instruction import Instruction

NOBODY = ""  # stands for an instruction's id where words belong to none

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


@dataclass(frozen=True, slots=True)
class Said:
    """What the words of one turn are.

    `words` maps an instruction's id, or `NOBODY`, to the words that belong to it; empty when the model said nothing.
    `is_answer` says that a question which the user asked is answered by whatever the model says in this turn.
    `is_prompt` says that the model answers in the very turn of the question: then no watch spoke, and none was quiet.
    """

    words: Mapping[str, str]
    is_answer: bool = False
    is_prompt: bool = False


def hear(text: str, instructions: Sequence[Instruction], *, asked: bool, waiting: bool) -> Said:
    """Attribute the words of one turn. `asked` says that the turn put a question, or the result of one, to the model;
    `waiting` that the newest question of an earlier turn is open: the words of a watch do not answer it, all others
    do."""
    words = attribute(text, instructions, answering=waiting and not asked)
    watch_spoke = any(instruction.watch is not None and instruction.id in words for instruction in instructions)
    return Said(
        words or ({NOBODY: text} if text else {}),
        is_answer=asked or (waiting and not watch_spoke),
        is_prompt=asked and bool(text),
    )


def attribute(spoken: str, instructions: Sequence[Instruction], *, answering: bool = False) -> dict[str, str]:
    """Instruction id to the words that belong to it; empty when nothing was said or there is no instruction."""
    said: dict[str, str] = {}
    if not instructions:
        return said
    for sentence in _SENTENCE_END.split(spoken.strip()):
        if sentence:
            owner = _owner(sentence, instructions, answering=answering)
            said[owner] = f"{said[owner]} {sentence}" if owner in said else sentence
    return said


def _owner(sentence: str, instructions: Sequence[Instruction], *, answering: bool) -> str:
    fits = [
        (_shared(sentence, instruction), not answering and instruction.watch is not None)
        for instruction in instructions
    ]
    return instructions[max(range(len(instructions)), key=lambda index: (fits[index], index))].id


def _shared(sentence: str, instruction: Instruction) -> int:
    name = instruction.watch.name if instruction.watch else ""
    return len(_stems(sentence) & _stems(f"{instruction.text} {name}"))


def content_words(text: str) -> list[str]:
    """The words that say what is asked for, in lower case and in order: three letters or more, no words of asking."""
    words = _WORD.findall(text.lower().replace("_", " "))
    return [word for word in words if word[:_STEM_CHARS] not in _NO_CONTENT]


def _stems(text: str) -> set[str]:
    """What words have in common: their first letters, or each two neighbours where a script puts no spaces."""
    pairs = {pair for run in _UNSPACED.findall(text) for pair in map("".join, pairwise(run))}
    return pairs | {word[:_STEM_CHARS] for word in content_words(_UNSPACED.sub(" ", text))}
