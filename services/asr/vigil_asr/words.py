"""Words as they are compared: without what recognizers change their mind about. Pure."""

_AROUND = ".,;:!?-…\"'()[]"


def plain(word: str) -> str:
    """A word without case and without punctuation around it."""
    return word.lower().strip(_AROUND)


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text, each plain; what is punctuation alone is left out."""
    return tuple(word for word in map(plain, text.split()) if word)
