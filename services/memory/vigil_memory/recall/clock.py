"""Times of day and days as people name them: "at 2:30 pm", "yesterday morning", "on Monday". Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from vigil_memory.recall.moment import Moment

MINUTES_A_DAY = 1_440
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_PARTS = {"morning": (300, 720), "afternoon": (720, 1_080), "evening": (1_020, 1_440), "night": (1_200, 1_800)}
_NAMED = {"noon": (720,), "midday": (720,), "midnight": (0,)}
TIME = (
    r"(?:noon|midday|midnight"
    r"|(?:half past |quarter past |quarter to )?\d{1,2}(?::\d{2})?(?::\d{2})?(?: ?(?:am|pm|oclock))?)"
)
_TIME = re.compile(r"(half past |quarter past |quarter to )?(\d{1,2})(?::(\d{2}))?(?::\d{2})?(?: ?(am|pm|oclock))?")
_PAST = {"half past ": 30, "quarter past ": 15, "quarter to ": -15}
_DAY = re.compile(
    r"\b(?P<date>\d{4}-\d{1,2}-\d{1,2})\b"
    r"|\b(?:the )?(?P<before>day before yesterday)\b"
    r"|\b(?P<yesterday>yesterday|last(?= night\b))"
    r"|\b(?P<today>today|this(?= (?:morning|afternoon|evening)\b)|tonight)"
    rf"|\b(?:on |last )?(?P<weekday>{'|'.join(_WEEKDAYS)})\b"
    r"|\b(?P<ago>\d{1,4}) days? ago\b"
)
_PART = re.compile(r"\b(?:in the |at )?(morning|afternoon|evening|night)\b")


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day that was named: what it may be, in minutes after midnight. The first is the likelier one where
    `is_open` does not say that all are as likely."""

    minutes: tuple[int, ...]
    is_open: bool = False

    def likelihoods(self) -> Iterator[tuple[int, int]]:
        """Each reading, with 0 where it is as likely as any and 1 where another is likelier."""
        for place, minutes in enumerate(self.minutes):
            yield minutes, int(place > 0 and not self.is_open)


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was named, from and to so many minutes after its midnight."""

    day: date
    from_minutes: int = 0
    to_minutes: int = MINUTES_A_DAY

    @property
    def is_whole(self) -> bool:
        """Whether no part of it was named."""
        return self.to_minutes - self.from_minutes == MINUTES_A_DAY


def is_told(text: str) -> bool:
    """Whether these words tell a time of day for certain: a number alone may count anything."""
    return not text.strip().isdigit()


def read_time(text: str) -> Time | None:
    """The time of day that `text`, which matches `TIME`, names; None when there is no such time."""
    if text in _NAMED:
        return Time(_NAMED[text])
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    past, hour, minute, suffix = found.groups()
    minutes = int(hour) * 60 + int(minute or 0) + _PAST.get(past or "", 0)
    if int(hour) > 24 or int(minute or 0) > 59:
        return None
    if suffix in ("am", "pm"):
        return Time(((minutes % 720) + 720 * (suffix == "pm"),)) if 1 <= int(hour) <= 12 else None
    if not 0 <= minutes < 780 or hour.startswith("0"):
        return Time((minutes % MINUTES_A_DAY,))
    return Time((minutes, (minutes + 720) % MINUTES_A_DAY), is_open=minute is None or suffix is not None)


def read_day(text: str, moment: Moment) -> tuple[Day | None, str]:
    """The day that the text names, with a part of it where one is named, and the text without that. A part alone is
    that of today, or of yesterday where today's is still to come."""
    found = _DAY.search(text)
    named = _date(found, moment) if found else None
    if found and named:
        text = f"{text[: found.start()]} {text[found.end() :]}"
    part = "night" if found and found["today"] == "tonight" else ""
    if not part and (told := _PART.search(text)):
        part, text = told[1], f"{text[: told.start()]} {text[told.end() :]}"
    if not part:
        return (Day(named) if named else None), text
    begin, end = _PARTS[part]
    if named is None:
        today = moment.today
        named = today if moment.at(today, begin) <= moment.now_ms else today - timedelta(days=1)
    return Day(named, begin, end), text


def _date(found: re.Match[str], moment: Moment) -> date | None:
    today = moment.today
    try:
        if found["date"]:
            year, month, day = map(int, found["date"].split("-"))
            return date(year, month, day) if 2_000 <= year < 2_100 else None
        if found["weekday"]:
            since = (today.weekday() - _WEEKDAYS.index(found["weekday"])) % 7
            return today - timedelta(days=since or 7 * found[0].startswith("last"))
        return today - timedelta(days=2 if found["before"] else 1 if found["yesterday"] else int(found["ago"] or 0))
    except (ValueError, OverflowError):
        return None
