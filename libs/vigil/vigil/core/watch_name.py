"""A name for a watch that was given none: the words that say what it is for, which its alerts then carry."""

import unicodedata

from vigil.core.attribution import content_words

MAX_WORDS = 4
MAX_NAME_CHARS = 64
NAMELESS = "watch"


def watch_name(text: str) -> str:
    """`fire-starts` for "Alert me when a fire starts."; a token, and `watch` when no word can be part of one."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join(content_words(plain)[:MAX_WORDS])[:MAX_NAME_CHARS].rstrip("-") or NAMELESS
