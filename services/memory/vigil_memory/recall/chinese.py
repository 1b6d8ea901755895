"""Chinese expressions of time, rewritten as the English ones that `time_expressions` reads. Pure.

Everything else in the text stays as it is. Traditional characters are read as the simplified ones.
"""

import re
from collections.abc import Callable

_SIMPLIFIED = str.maketrans("剛鐘時點過後間這個禮週幾內從許兩", "刚钟时点过后间这个礼周几内从许两")
_UNITS = {"秒": "seconds", "分": "minutes", "小时": "hours", "时": "hours", "天": "days", "日": "days"}
_UNIT = r"\s*个?\s*(?P<unit>秒|分|小时|天)(?:钟)?"
_NUMBER = r"(?P<number>\d{1,6}(?:\.\d{1,3})?)"
_MORNING, _AFTERNOON = ("凌晨", "清晨", "早上", "早晨", "上午"), ("中午", "下午", "傍晚", "晚上", "夜里")
_PARTS = "|".join((*_MORNING, *_AFTERNOON))
_WEEKDAYS = dict(
    zip(
        "1234567日天",
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "sunday", "sunday"],
        strict=True,
    )
)

_MINUTES = {"半": "30", "1刻": "15", "3刻": "45"}
_TOLD = r"\d{1,2}:\d{2}(?: (?:oclock|am|pm))?"

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def is_chinese(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def simplified(text: str) -> str:
    """The text with the simplified form of those traditional characters that tell a time."""
    return text.translate(_SIMPLIFIED)


def as_english(text: str) -> str:
    """The text, whose numbers are digits already, with its expressions of time in English."""
    for pattern, rewritten in _RULES:
        text = pattern.sub(lambda found, rewritten=rewritten: f" {rewritten(found)} ", text)  # type: ignore[misc]
    return text


def _amount(found: re.Match[str]) -> str:
    return f"{found['number']} {_UNITS[found['unit']]}"


def _clock(found: re.Match[str]) -> str:
    """A time of day. With a part of the day it is told with am or pm, which leave nothing open."""
    hour, part = int(found["hour"]), found["part"]
    minutes = _MINUTES.get(found["rest"] or "", found["minutes"] or "00")
    clock = f"{hour}:{minutes:0>2}"
    if not part or hour > 12 or hour == 0:
        return clock if hour > 12 or hour == 0 else f"{clock} oclock"
    is_late = part in _AFTERNOON
    if hour == 12:
        is_late = part in ("中午", "下午")
    elif part == "中午":
        is_late = hour < 10
    return f"{clock} {'pm' if is_late else 'am'}"


_RULES: tuple[Rule, ...] = (
    (re.compile(r"(\d{1,3})\s*个?\s*半\s*(?:小时|钟头)"), lambda found: f"{found[1]}.5小时"),
    (re.compile(r"半\s*个?\s*(?:小时|钟头)"), lambda found: "0.5小时"),
    (re.compile(r"钟头"), lambda found: "小时"),
    (re.compile(r"几\s*(?=个?\s*(?:秒|分钟|小时|天))"), lambda found: "3"),
    (re.compile(rf"{_NUMBER}{_UNIT}\s*(?:以|之)?前"), lambda found: f"{_amount(found)} ago"),
    (re.compile(rf"(?:过去|最近|近)的?\s*这?\s*{_NUMBER}{_UNIT}"), lambda found: f"last {_amount(found)}"),
    (re.compile(rf"{_NUMBER}{_UNIT}\s*(?:以|之)?内"), lambda found: f"last {_amount(found)}"),
    (
        re.compile(
            rf"(?P<part>{_PARTS})?\s*(?P<hour>\d{{1,2}})\s*[点时](?!间)(?:钟|整)?"
            r"(?:(?P<rest>半|[13]刻)|(?P<minutes>\d{1,2})分?)?"
        ),
        _clock,
    ),
    (
        re.compile(rf"(?P<part>{_PARTS})\s*(?P<hour>\d{{1,2}})[::](?P<minutes>\d{{2}})(?P<rest>)"),
        _clock,
    ),
    (
        re.compile(r"(?:第\s*(\d{1,6})\s*秒|(?<![\d.])(\d{1,6})\s*秒\s*(?:的?时候?|左右|处))"),
        lambda found: f"at {found[1] or found[2]} seconds",
    ),
    (
        re.compile(r"(\d{1,6})\s*秒?\s*(?:到|至|和|~|-)\s*(\d{1,6})\s*秒"),
        lambda found: f"between {found[1]} and {found[2]} seconds",
    ),
    (re.compile(r"大前天"), lambda found: "3 days ago"),
    (re.compile(r"前天"), lambda found: "day before yesterday"),
    (re.compile(r"昨(?:天|日)?(?:晚上?|夜里?)"), lambda found: "last night"),
    (re.compile(r"昨(?:天|日)"), lambda found: "yesterday"),
    (re.compile(r"今(?:天|日)?晚上?"), lambda found: "tonight"),
    (re.compile(r"今(?:天|日)?(?:早上?|晨)"), lambda found: "this morning"),
    (re.compile(r"今(?:天|日)"), lambda found: "today"),
    (re.compile(r"(?:上个?)?(?:周|星期|礼拜)([1-7日天])"), lambda found: f"on {_WEEKDAYS[found[1]]}"),
    (re.compile("|".join(_MORNING)), lambda found: "morning"),
    (re.compile("中午"), lambda found: "noon"),
    (re.compile("下午"), lambda found: "afternoon"),
    (re.compile("傍晚|晚上|夜里"), lambda found: "evening"),
    (re.compile("刚刚|刚才|方才"), lambda found: "just now"),
    (re.compile("最近|近来"), lambda found: "recently"),
    (re.compile("左右|前后|许(?=[^多])"), lambda found: "or so"),
    (re.compile(r"从\s*(?=\d)|之间|期间"), lambda found: ""),
    (re.compile(rf"({_TOLD})\s*(?:到|至|和|~)\s*(?=\d)"), lambda found: f"{found[1]} to"),
    (re.compile(rf"({_TOLD})\s*(?:以|之)后"), lambda found: f"after {found[1]}"),
    (re.compile(rf"({_TOLD})\s*(?:以|之)前"), lambda found: f"before {found[1]}"),
)
