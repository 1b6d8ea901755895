"""Words that come from elsewhere, as a terminal may be given them."""


def printable(words: str) -> str:
    """The words without what a terminal would obey or not show: such characters are written out."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in words)
