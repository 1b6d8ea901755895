"""Topics and their filters, by MQTT 5.0 §4.7: `+` stands for one level, `#` for all that follow. Pure."""

from collections.abc import Sequence
from itertools import zip_longest

MOST_CHARS = 256


def fault_of(pattern: str) -> str:
    """What is wrong with a filter, in words; empty when it can be subscribed to."""
    levels = pattern.split("/")
    if not pattern or len(pattern) > MOST_CHARS or not pattern.isprintable():
        return f"give 1 to {MOST_CHARS} printable characters"
    if "#" in "".join(levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        return "`#` is the whole last level or nowhere"
    if any("+" in level and level != "+" for level in levels):
        return "`+` is a whole level or nowhere"
    return ""


def matched(pattern: str, topic: str) -> Sequence[str] | None:
    """What the wildcards of the filter stand for in this topic; None when the topic does not fit."""
    if topic.startswith("$") and pattern[:1] in ("+", "#"):
        return None
    wanted, levels = pattern.split("/"), topic.split("/")
    stood_for: list[str] = []
    for place, (want, level) in enumerate(zip_longest(wanted, levels)):
        if want == "#":
            return (*stood_for, "/".join(levels[place:]))
        if want == "+" and level is not None:
            stood_for.append(level)
        elif want != level:
            return None
    return tuple(stood_for)
