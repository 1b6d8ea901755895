"""Which instruction do the model's words belong to? The model writes plain sentences, without naming a watch.

Each sentence goes to the instruction that shares most content words with it. On a tie a watch comes before an
instruction that raises no alert, except while a question is open: then the words may be the answer. A second tie goes
to the newest instruction. With one instruction and no open question there is nothing to decide. Matching words can be
wrong only about *which* watch spoke, never about *whether* the model spoke.

A question never silences a watch: a sentence that shares content words with a watch belongs to the watch also while a
question is open, and answers the question too if it fits both. A sentence that denies ("There is no fire.") answers
the question, and is no word of the watch unless the watch itself asks for a denial ("… when nobody is at the desk").

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
_CLAUSE_END = re.compile(r"[,;:、，；]|\b(?:and|but|while)\b", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor)\b|n't\b|[没不无未]|ない|ません", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the words of one turn are.

    `words` maps an instruction's id, or `NOBODY`, to the words that belong to it; empty when the model said nothing.
    `is_answer` says that a question which the user asked is answered by whatever the model says in this turn.
    `is_prompt` says that the model answers in the very turn of the question.
    """

    words: Mapping[str, str]
    is_answer: bool = False
    is_prompt: bool = False


def hear(text: str, instructions: Sequence[Instruction], *, asked: bool, waiting: str = "") -> Said:
    """Attribute the words of one turn. `asked` says that the turn put a question, or the result of one, to the model;
    `waiting` is the text of an earlier turn's newest question while it is open. The words of a watch do not answer that
    one, unless they fit it too; all other words do."""
    is_open = asked or bool(waiting)
    words: dict[str, str] = {}
    for sentence in _sentences(text):
        owner = _owner(sentence, instructions, asked=asked, is_open=is_open)
        words[owner] = f"{words[owner]} {sentence}" if owner in words else sentence
    watches = {instruction.id for instruction in instructions if instruction.watch is not None}
    watch_spoke = not watches.isdisjoint(words)
    fits = not words.keys() <= watches or bool(_stems(text) & _stems(waiting))
    return Said(
        words,
        is_answer=asked or (bool(waiting) and (fits or not watch_spoke)),
        is_prompt=asked and bool(words),
    )


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(text.strip()) if sentence]


def _owner(sentence: str, instructions: Sequence[Instruction], *, asked: bool, is_open: bool) -> str:
    """The instruction that the sentence belongs to. In the turn of a question a sentence that fits no watch is the
    answer, and belongs to no watch."""
    fits: dict[int, tuple[int, bool, int]] = {}
    for place, instruction in enumerate(instructions):
        shared = _shared(sentence, instruction)
        is_watch = instruction.watch is not None
        if is_watch and is_open and (_denies(sentence, instruction) if shared else asked):
            continue
        fits[place] = (shared, is_watch and not is_open, place)
    return instructions[max(fits, key=lambda place: fits[place])].id if fits else NOBODY


def _shared(sentence: str, instruction: Instruction) -> int:
    return len(_stems(sentence) & _stems(_asked_for(instruction)))


def _denies(sentence: str, instruction: Instruction) -> bool:
    """Whether the sentence says no of all that it shares with an instruction, which does not ask for a denial."""
    wanted = _asked_for(instruction)
    if _DENIAL.search(wanted):
        return False
    clauses = [clause for clause in _CLAUSE_END.split(sentence) if _stems(clause) & _stems(wanted)]
    return all(_DENIAL.search(clause) for clause in clauses)


def _asked_for(instruction: Instruction) -> str:
    return f"{instruction.text} {instruction.watch.name}" if instruction.watch else instruction.text


def content_words(text: str) -> list[str]:
    """The words that say what is asked for, in lower case and in order: three letters or more, no words of asking."""
    words = _WORD.findall(text.lower().replace("_", " "))
    return [word for word in words if word[:_STEM_CHARS] not in _NO_CONTENT]


def _stems(text: str) -> set[str]:
    """What words have in common: their first letters, or each two neighbours where a script puts no spaces."""
    pairs = {pair for run in _UNSPACED.findall(text) for pair in map("".join, pairwise(run))}
    return pairs | {word[:_STEM_CHARS] for word in content_words(_UNSPACED.sub(" ", text))}
