"""Spans that are named by the clock: "between 2 and 3 pm", "at 14:30 yesterday", "since noon", "on Monday". Pure.

Of several readings (a 2 without am or pm; today or yesterday) that counts which lies in the session, then the likelier
one, then the shorter span, then the later one.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

from vigil_memory.recall.clock import MINUTES_A_DAY, TIME, Day, Time, is_told, read_day, read_time
from vigil_memory.recall.moment import Moment, Span

AT_MINUTES, AROUND_MINUTES = 3, 10  # on either side of a time of day
_AROUND = r"(?:at )?(?:around|about|approximately|roughly)"
_POINT = rf"(?<![\d:.])({TIME})(?![\d:.]\d)"

_Reading = tuple[int, int, int]  # how unlikely it is, and its span
Rule = tuple[re.Pattern[str], Callable[[re.Match[str], Moment, Day | None], Span | None]]


def read_span(text: str, moment: Moment) -> tuple[Span, str] | None:
    """The span that the clock or the calendar names in a text in the form of `time_expressions`, and the text without
    it; None when it names none, or it is not known what time it is."""
    if not moment.has_clock:
        return None
    day, left = read_day(text, moment)
    for pattern, resolved in _RULES:
        for found in pattern.finditer(left):
            if (span := resolved(found, moment, day)) is not None:
                return span, f"{left[: found.start()]} {left[found.end() :]}"
    return (_whole(day, moment), left) if day else None


def _range(found: re.Match[str], moment: Moment, day: Day | None) -> Span | None:
    """One of the two times may be a number alone: the other says that it is a time."""
    if not (is_told(found[1]) or is_told(found[2])):
        return None
    begin, end = read_time(found[1]), read_time(found[2])
    if begin is None or end is None:
        return None
    return _best(_ranges(begin, end, moment, day), moment)


def _ranges(begin: Time, end: Time, moment: Moment, day: Day | None) -> Iterator[_Reading]:
    for unlikely, on, minutes in _readings(begin, moment, day):
        for last, less in end.likelihoods():
            length = (last - minutes) % MINUTES_A_DAY or MINUTES_A_DAY
            yield max(unlikely, less), moment.at(on, minutes), moment.at(on, minutes + length)


def _at(found: re.Match[str], moment: Moment, day: Day | None) -> Span | None:
    return _point(found[1], AT_MINUTES, moment, day)


def _alone(found: re.Match[str], moment: Moment, day: Day | None) -> Span | None:
    """Without a word before it only what can be nothing else is a time."""
    return _point(found[1], AT_MINUTES, moment, day) if is_told(found[1]) else None


def _around(found: re.Match[str], moment: Moment, day: Day | None) -> Span | None:
    return _point(found[1], AROUND_MINUTES, moment, day)


def _since(found: re.Match[str], moment: Moment, day: Day | None) -> Span | None:
    point = _point(found[1], 0, moment, day)
    return point and moment.clipped(point.from_ms, moment.now_ms)


def _until(found: re.Match[str], moment: Moment, day: Day | None) -> Span | None:
    point = _point(found[1], 0, moment, day)
    return point and moment.clipped(moment.at(day.day, day.from_minutes) if day else 0, point.to_ms)


def _point(text: str, slack: int, moment: Moment, day: Day | None) -> Span | None:
    """A number alone is a time only beside a day."""
    told = read_time(text)
    if told is None or not (is_told(text) or day):
        return None
    readings = (
        (unlikely, moment.at(on, minutes) - slack * 60_000, moment.at(on, minutes) + slack * 60_000)
        for unlikely, on, minutes in _readings(told, moment, day)
    )
    return _best(readings, moment)


def _readings(told: Time, moment: Moment, day: Day | None) -> Iterator[tuple[int, date, int]]:
    """How unlikely a reading is, its day, and its minutes after that day's midnight."""
    for minutes, unlikely in told.likelihoods():
        if day is None:
            yield unlikely, moment.today, minutes
            yield unlikely, moment.today - timedelta(days=1), minutes
            continue
        for within in (minutes, minutes + MINUTES_A_DAY):
            if day.from_minutes <= within < day.to_minutes:
                yield unlikely, day.day, within


def _best(readings: Iterable[_Reading], moment: Moment) -> Span | None:
    """None when every reading is still to come."""

    def rank(reading: _Reading) -> tuple[bool, int, int, int]:
        unlikely, begin, end = reading
        return end <= 0, unlikely, end - begin, -begin

    past = [reading for reading in readings if reading[1] <= moment.now_ms]
    if not past:
        return None
    _, begin, end = min(past, key=rank)
    return moment.clipped(begin, end)


def _whole(day: Day, moment: Moment) -> Span:
    return moment.clipped(moment.at(day.day, day.from_minutes), moment.at(day.day, day.to_minutes))


_RULES: tuple[Rule, ...] = (
    (re.compile(rf"\b(?:between |from )?{_POINT} ?(?:and|to|until|till|-) ?{_POINT}"), _range),
    (re.compile(rf"\b(?:since|after|from) {_POINT}"), _since),
    (re.compile(rf"\b(?:before|until|till|up to|by) {_POINT}"), _until),
    (re.compile(rf"\b{_AROUND} {_POINT}"), _around),
    (re.compile(rf"{_POINT} or so\b"), _around),
    (re.compile(rf"\bat {_POINT}"), _at),
    (re.compile(_POINT), _alone),
)
