"""The sentences in which the embedded brain answers: those of which the small interaction model makes use. Pure.

That model has learned to say a result again when it is one of a few short sentences ("It is 156.", "Bell did."), as
the recipe that trained it tells results. What has another form, such as a bare "156", it passes over.
"""

import re

UNKNOWN = "I cannot find that out."

# In the notation of llama.cpp. Numbers have no commas between their digits: the small model knows none.
GRAMMAR = rf"""
root ::= what | who | "{UNKNOWN}"
what ::= "It is " part (" " part){{0,11}} "."
who ::= name (" " name){{0,4}} " did."
part ::= number | word
number ::= [0-9]{{1,12}} ("." [0-9]{{1,6}})?
word ::= [^ .!?<>\n\x5B\x5D0-9] [^ .!?<>\n\x5B\x5D]{{0,23}}
name ::= [A-Z] [^ .!?<>\n\x5B\x5D]{{0,23}}
"""

_SENTENCE = re.compile(rf"It is \S(?:[^\n]*\S)?\.|[^\W\d_]\S*(?: \S+){{0,4}} did\.|{re.escape(UNKNOWN)}")
_NUMBER = re.compile(r"(?:[^=\n]*=)?\s*(-?\d[\d,]*(?:\.\d+)?)\s*\.?")
_NAME = re.compile(r"([^\W\d_][\w'’-]*(?: [\w'’-]+){0,4})\.?")
_PARTICLES = frozenset({"da", "de", "del", "der", "di", "du", "la", "of", "the", "van", "von"})
_WHO = re.compile(r"who\b", re.IGNORECASE)


def sentence(question: str, answer: str) -> str:
    """`answer` as one of the sentences where it is a bare number or name, as from a server that takes no grammar.
    Who did something is told by the last name alone: the small model says no longer one again. Anything else stays as
    it is: nothing is made up."""
    words = answer.strip()
    if is_sentence(words):
        return _by_last_name(words)
    if number := _NUMBER.fullmatch(words):
        return f"It is {number[1].replace(',', '')}."
    if (name := _NAME.fullmatch(words)) and _is_name(name[1]):
        return _by_last_name(f"{name[1]} did.") if _WHO.match(question) else f"It is {name[1]}."
    return words


def is_sentence(text: str) -> bool:
    """Whether the text is one of the sentences."""
    return _SENTENCE.fullmatch(text) is not None


def _by_last_name(words: str) -> str:
    """Whoever is named in full, as in "Alexander Graham Bell did.", by the last name; another sentence as it is."""
    name = words.removesuffix(" did.")
    last = name.rpartition(" ")[2]
    return f"{last} did." if name != words and not words.startswith("It is ") and last[0].isupper() else words


def _is_name(words: str) -> bool:
    """Whether each word begins with a capital, or is a small one that stands inside of names."""
    return all(word[0].isupper() or (place and word in _PARTICLES) for place, word in enumerate(words.split()))
