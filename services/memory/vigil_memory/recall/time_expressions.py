"""The span of time that a question about the past names, English or Chinese, in model time. Pure.

"Between 14:00 and 15:00", "ten minutes ago", "just now", "yesterday morning", "at 95 seconds" and their Chinese
counterparts. A question that names no time has no span, and nothing is guessed: a number alone is no time. The
libraries for this (dateparser, Microsoft's recognisers) read points of a calendar, in the future as in the past; they
know no model time, few ranges in both languages, and bring five packages or more.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from vigil_memory.recall import ages, chinese
from vigil_memory.recall.clock_spans import read_span
from vigil_memory.recall.moment import Moment, Span
from vigil_memory.recall.numbers import with_digits

MAX_QUESTION_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Expression:
    """The span that a text names, None without one, and what else the text says, in lower case."""

    span: Span | None
    rest: str


def read(text: str, moment: Moment) -> Expression:
    """What `text` says of a time that has been, and the text without those words. Never raises.

    The span lies within model time 0 and now. It is empty where all of it was before the session began.
    """
    words = normalised(text[:MAX_QUESTION_CHARS])
    if found := _by_rule(ages.PRECISE, words, moment):
        return found
    if clocked := read_span(words, moment):
        return Expression(clocked[0], " ".join(clocked[1].split()))
    return _by_rule(ages.VAGUE, words, moment) or Expression(None, words)


def normalised(text: str) -> str:
    """The text in lower case on one line, its numbers as digits, its times in one English form."""
    words = with_digits(chinese.simplified(text.replace("\N{FULLWIDTH COLON}", ":")))
    if chinese.is_chinese(words):
        words = chinese.as_english(words)
    for pattern, form in _FORMS:
        words = pattern.sub(form, words)
    return " ".join(words.split())


def _by_rule(rules: tuple[ages.Rule, ...], words: str, moment: Moment) -> Expression | None:
    for pattern, span in rules:
        if found := pattern.search(words):
            rest = f"{words[: found.start()]} {words[found.end() :]}"
            return Expression(span(found, moment), " ".join(rest.split()))
    return None


def _in_minutes(found: re.Match[str]) -> str:
    return f"{int(found[1]) * 60 + int(found[2])} minutes ago"


_FORMS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile("[–—]"), "-"),
    (re.compile(r"\b([ap])\.\s?m\b\.?"), r"\1m"),
    (re.compile(r"\bo['’ ] ?clock\b"), "oclock"),
    (re.compile(r"\bhalf an? (?=hour|minute)"), "0.5 "),
    (re.compile(r"\b(?:a )?quarter of an hour"), "15 minutes"),
    (re.compile(r"\b(?:an?|1) (hour|minute) and a half"), r"1.5 \1s"),
    (re.compile(r"\b(\d{1,3}) and a half (?=hours|minutes)"), r"\1.5 "),
    (re.compile(r"\b(?:a |the last )?couple of (?=second|minute|hour|day)"), "2 "),
    (re.compile(r"\b(?:a )?few (?=second|minute|hour|day)"), "3 "),
    (re.compile(r"\bseveral (?=second|minute|hour|day)"), "5 "),
    (re.compile(r"\ban? (?=(?:minute|hour|day)\b)"), "1 "),
    (re.compile(r"\ba (?=quarter (?:past|to) )"), ""),
    (re.compile(r"\b(half|quarter) (past|to) (\d{1,2})\b(?! ?(?:[ap]m|oclock))"), r"\1 \2 \3 oclock"),
    (re.compile(r"\b(\d{1,3}) hours?,? (?:and )?(\d{1,2}) minutes? ago\b"), _in_minutes),
)
