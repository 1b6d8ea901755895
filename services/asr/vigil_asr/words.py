"""Words as they are compared, without what recognizers change their mind about, and which of them will stay. Pure."""

import re

_AROUND = ".,;:!?-…\"'()[]"


def plain(word: str) -> str:
    """A word without case and without punctuation around it."""
    return word.lower().strip(_AROUND)


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text, each plain; what is punctuation alone is left out."""
    return tuple(word for word in map(plain, text.split()) if word)


def stable_chars(before: str, now: str) -> int:
    """How many characters of `now`, what an engine takes the sound so far for, are not expected to change: those of the
    words on which it agrees with the hypothesis before, from the first on."""
    agreed = 0
    for old, new in zip(before.split(), re.finditer(r"\S+", now), strict=False):
        if plain(old) != plain(new.group()):
            break
        agreed = new.end()
    return agreed
