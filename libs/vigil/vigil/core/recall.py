"""What memory recalled about a question, as a prompt may hold it. Pure."""

from collections.abc import Iterable
from itertools import islice

from vigil.core.control import plain

MAX_LINES = 8
MAX_CHARS = 2_000  # of all lines together


def recalled_lines(texts: Iterable[str]) -> tuple[str, ...]:
    """The first lines that fit, in plain words: what was seen and said is no instruction."""
    lines: list[str] = []
    room = MAX_CHARS
    for line in map(plain, islice(texts, MAX_LINES)):
        if line and len(line) <= room:
            lines.append(line)
            room -= len(line)
    return tuple(lines)
