"""Times that need no clock: "ten minutes ago", "in the last hour", "just now", "at 95 seconds". Pure."""

import re
from collections.abc import Callable

from vigil_memory.recall.moment import Moment, Span

JUST_NOW_MS = 60_000
RECENTLY_MS = 600_000
_UNIT_MS = {"second": 1_000, "sec": 1_000, "minute": 60_000, "min": 60_000, "hour": 3_600_000, "hr": 3_600_000}
_UNIT_MS |= {"day": 86_400_000}
_UNIT = r"(second|sec|minute|min|hour|hr|day)s?\b"
_NUMBER = r"(\d{1,6}(?:\.\d{1,3})?)"
_AND = r" ?(?:and|to|until|till|-) ?"
_LEAST_SLACK_MS = 15_000  # on either side of a time that is named by its age

Rule = tuple[re.Pattern[str], Callable[[re.Match[str], Moment], Span]]


def _ms(number: str | None, unit: str) -> float:
    return float(number or 1) * _UNIT_MS[unit]


def _last(found: re.Match[str], moment: Moment) -> Span:
    return moment.clipped(moment.now_ms - _ms(found[1], found[2]), moment.now_ms)


def _first(found: re.Match[str], moment: Moment) -> Span:
    return moment.clipped(0, _ms(found[1], found[2]))


def _ago(found: re.Match[str], moment: Moment) -> Span:
    """A quarter of the age on either side, for nobody means an age to the second."""
    age_ms = _ms(found[1], found[2])
    slack_ms = max(_LEAST_SLACK_MS, age_ms / 4)
    return moment.clipped(moment.now_ms - age_ms - slack_ms, moment.now_ms - age_ms + slack_ms)


def _between_ages(found: re.Match[str], moment: Moment) -> Span:
    first, first_unit, second, unit = found.groups()
    newest, oldest = sorted((_ms(first, first_unit or unit), _ms(second, unit)))
    return moment.clipped(moment.now_ms - oldest, moment.now_ms - newest)


def _since_age(found: re.Match[str], moment: Moment) -> Span:
    return moment.clipped(moment.now_ms - _ms(found[1], found[2]), moment.now_ms)


def _model_range(found: re.Match[str], moment: Moment) -> Span:
    first, first_unit, second, unit = found.groups()
    begin, end = sorted((_ms(first, first_unit or unit), _ms(second, unit)))
    return moment.clipped(begin, end + 1_000)


def _model_point(found: re.Match[str], moment: Moment) -> Span:
    """The seconds of the session, as the time markers of its pictures tell them."""
    number, unit = (found[1], found[2]) if found[1] else (found[4], found[3])
    at_ms = _ms(number, unit)
    slack_ms = max(10_000, min(_UNIT_MS[unit] / 2, 900_000))
    return moment.clipped(at_ms - slack_ms, at_ms + slack_ms)


def _newest(length_ms: int) -> Callable[[re.Match[str], Moment], Span]:
    return lambda _found, moment: moment.clipped(moment.now_ms - length_ms, moment.now_ms)


PRECISE: tuple[Rule, ...] = (
    (re.compile(rf"\b(?:between |from )?{_NUMBER} ?(?:{_UNIT})?{_AND}{_NUMBER} ?{_UNIT} ago\b"), _between_ages),
    (re.compile(rf"\b(?:since|after) {_NUMBER} ?{_UNIT} ago\b"), _since_age),
    (re.compile(rf"\b(?:about |around |some |at )?{_NUMBER} ?(second|sec|minute|min|hour|hr)s? ago\b"), _ago),
    (re.compile(rf"\b(?:in |within |during |over |for )?(?:the |these )?(?:last|past) (?:{_NUMBER} ?)?{_UNIT}"), _last),
    (re.compile(rf"\b(?:in |within |during )?(?:the )?first (?:{_NUMBER} ?)?{_UNIT}"), _first),
    (
        re.compile(rf"\b(?:between|from) (?:second )?{_NUMBER} ?(?:{_UNIT})?{_AND}(?:second )?{_NUMBER} ?{_UNIT}"),
        _model_range,
    ),
    (
        re.compile(
            rf"\b(?:at|around|about)(?: about)? {_NUMBER} ?{_UNIT}|\b(?:at |in )?(second|minute|hour) (\d{{1,6}})\b"
        ),
        _model_point,
    ),
)
"""Rules for texts in the form of `time_expressions`, the first that fits counts."""

VAGUE: tuple[Rule, ...] = (
    (
        re.compile(r"\b(?:just now|(?:a |just a )?(?:moment|second|little while|little) ago|right now)\b"),
        _newest(JUST_NOW_MS),
    ),
    (re.compile(r"\b(?:recently|lately|a while ago)\b"), _newest(RECENTLY_MS)),
)
"""Rules for what is left when nothing more precise was named."""
