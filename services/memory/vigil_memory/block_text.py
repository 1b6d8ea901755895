"""What came back from a summariser, as the words of a block; or why it is of no use. Pure.

A summariser reads what strangers write on signs, so its text is data too. A word of the control form that it writes
itself makes the text useless: such a model answers a turn and does not summarise. One that stands in a quotation is a
sign that was read: the words around it stay, and nothing is left that a prompt could take for ours.
"""

import re

from vigil.core.control import CONTROL_TOKENS, visible
from vigil.core.memory import MAX_BLOCK_CHARS, clipped, plain_lines
from vigil.core.profile import Spelling

_MARKS = (('"', '"'), ("“", "”"), ("‘", "’"), ("«", "»"), ("「", "」"), ("『", "』"))
_QUOTED = re.compile("|".join(rf"{begin}[^{end}\n]{{0,500}}{end}" for begin, end in _MARKS))
_FORMS = (*CONTROL_TOKENS, *(token.replace("/", "") for token in CONTROL_TOKENS), "<|background_call|>")


class Useless(Exception):
    """The text cannot become a block; the message says why, `kind` is for the metric."""

    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.kind = kind


def block_text(raw: str, spelling: Spelling, most_tokens: int) -> str:
    """Plain words, at most `most_tokens` tokens of them and `MAX_BLOCK_CHARS` characters. Raises `Useless`.

    Weights that were trained to begin each reply with the response word may begin this one with it: it is taken off.
    """
    text = visible(raw).strip()
    for word in {spelling.response, Spelling().response}:
        text = text.removeprefix(word).lstrip()
    own = _QUOTED.sub(" ", text).lower()
    if any(form in own for form in _FORMS) or text.startswith((spelling.silence, spelling.delegation)):
        raise Useless("the summariser answered in the control form and not with a memory", "control")
    words = plain_lines(text)
    if not any(map(str.isalnum, words)):
        raise Useless("the summariser wrote no words", "empty")
    return clipped(words, most_tokens)[:MAX_BLOCK_CHARS].rstrip()
