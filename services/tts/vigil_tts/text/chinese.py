"""Numbers, times and units of Chinese, in characters."""

import re

_DIGITS = "零一二三四五六七八九"
_PLACES = ((1_000, "千"), (100, "百"), (10, "十"))
_SCALES = ((10**8, "亿"), (10**4, "万"))
_UNITS = {
    "km/h": "公里每小时",
    "m/s": "米每秒",
    "km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "m": "米",
    "kg": "公斤",
    "g": "克",
    "ms": "毫秒",
    "min": "分钟",
    "s": "秒",
    "h": "小时",
    "℃": "摄氏度",
    "°C": "摄氏度",
    "°": "度",
    "kW": "千瓦",
    "W": "瓦",
    "V": "伏",
}
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_TIME = re.compile(r"(?<!\d)([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：]([0-5]\d))?(?!\d)")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?=\s?年)")
_PERCENT = re.compile(rf"({_NUMBER})\s?[%％]")
_PRICE = re.compile(rf"[¥￥]\s?({_NUMBER})")
_RANGE = re.compile(r"(?<=\d)\s?[-–~～]\s?(?=\d)")
_MEASURE = re.compile(
    rf"(?<![\dA-Za-z.])([-−])?({_NUMBER})(?:\s?({'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})"
    r"(?![A-Za-z]))?"
)


def written_out(text: str) -> str:
    """The text with its numbers in characters."""
    text = _TIME.sub(_time, text)
    text = _YEAR.sub(lambda found: digits(found[1]), text)
    text = _PERCENT.sub(lambda found: f"百分之{decimal(found[1])}", text)
    text = _PRICE.sub(lambda found: f"{decimal(found[1])}元", text)
    text = _RANGE.sub("到", text)
    return _MEASURE.sub(_measure, text)


def cardinal(number: int) -> str:
    """A whole number below a trillion."""
    for scale, name in _SCALES:
        if number >= scale:
            rest = number % scale
            gap = "零" if 0 < rest < scale // 10 else ""
            return cardinal(number // scale) + name + (gap + cardinal(rest) if rest else "")
    words = _below_ten_thousand(number)
    return words.removeprefix("一") if 10 <= number < 20 else words


def decimal(written: str) -> str:
    """A number as it is written, such as 1,250.75."""
    whole, _, fraction = written.replace(",", "").partition(".")
    if len(whole) > 12 or (len(whole) > 1 and whole.startswith("0")) or (len(whole) > 6 and "," not in written):
        words = digits(whole)  # the number of something: nobody counts so far
    else:
        words = cardinal(int(whole))
    return f"{words}点{digits(fraction)}" if fraction else words


def digits(written: str) -> str:
    """Digit by digit."""
    return "".join(_DIGITS[int(digit)] for digit in written)


def _below_ten_thousand(number: int) -> str:
    if number < 10:
        return _DIGITS[number]
    words, gap = "", False
    for place, name in _PLACES:
        digit, number = divmod(number, place)
        if digit:
            words += ("零" if gap and words else "") + _DIGITS[digit] + name
        gap = not digit
    return words + ("零" if gap and number else "") + (_DIGITS[number] if number else "")


def _time(found: re.Match[str]) -> str:
    hour, minute, second = found.groups()
    words = f"{cardinal(int(hour))}点"
    if int(minute) or second:
        words += ("零" if int(minute) < 10 and int(minute) else "") + f"{cardinal(int(minute))}分"
    return words + f"{cardinal(int(second))}秒" if second and int(second) else words


def _measure(found: re.Match[str]) -> str:
    sign, number, unit = found.groups()
    return ("负" if sign else "") + decimal(number) + (_UNITS[unit] if unit else "")
