"""Numbers, times, units and short forms of English, in words."""

import re
from collections.abc import Callable

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_UNITS = {
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "m/s": ("meter per second", "meters per second"),
    "fps": ("frame per second", "frames per second"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "%": ("percent", "percent"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "m": ("meter", "meters"),
    "ft": ("foot", "feet"),
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "lb": ("pound", "pounds"),
    "ms": ("millisecond", "milliseconds"),
    "s": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "kW": ("kilowatt", "kilowatts"),
    "W": ("watt", "watts"),
    "V": ("volt", "volts"),
    "L": ("liter", "liters"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
}
_MONEY = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yen", "")}
_PENCE = {"penny": "pence", "yen": "yen"}
_SHORT = {
    "mr.": "mister",
    "mrs.": "missus",
    "dr.": "doctor",
    "prof.": "professor",
    "approx.": "approximately",
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "et cetera",
    "vs.": "versus",
    "w/o": "without",
    "w/": "with",
}
_DAYTIMES = {"a": "a.m.", "p": "p.m."}

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_TIME = re.compile(r"\b([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?:\s*([ap])\.?m\b\.?)?", re.IGNORECASE)
_PRICE = re.compile(rf"([$€£¥])\s?({_NUMBER})")
_NUMBERED = re.compile(r"\b[Nn]o\.\s*(?=\d)|#(?=\d)")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_YEAR = re.compile(r"\b(?:in|since|until|by|of|year|[A-Z][a-z]+ \d{1,2},) (1[1-9]\d\d|20\d\d)\b(?![.,:]\d)")
_RANGE = re.compile(r"(?<=\d)\s?[-–]\s?(?=\d)")
_MEASURE = re.compile(
    rf"(?<![\w.])([-−])?({_NUMBER})(?:\s?({'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})"
    r"(?![A-Za-z]))?"
)
_SIGNS = {"&": " and ", "+": " plus ", "=": " equals ", "@": " at ", "→": " to "}


def written_out(text: str) -> str:
    """The text with what has to be read in another way than it is written."""
    for pattern, word in _SHORT_FORMS:
        text = pattern.sub(word, text)
    text = _NUMBERED.sub("number ", text)
    text = _TIME.sub(_time, text)
    text = _PRICE.sub(_price, text)
    text = _ORDINAL.sub(lambda found: ordinal(int(found[1])), text)
    text = _YEAR.sub(lambda found: found[0][:-4] + year(int(found[1])), text)
    text = _RANGE.sub(" to ", text)
    text = _MEASURE.sub(_measure, text)
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    return text


def cardinal(number: int) -> str:
    """A whole number below a trillion."""
    for scale, name in _SCALES:
        if number >= scale:
            rest = number % scale
            return f"{cardinal(number // scale)} {name}" + (f" {cardinal(rest)}" if rest else "")
    if number >= 100:
        return f"{_ONES[number // 100]} hundred" + (f" {cardinal(number % 100)}" if number % 100 else "")
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")


def ordinal(number: int) -> str:
    """The place of that number: "twenty-first"."""
    *before, last = re.split(r"(?<=[ -])", cardinal(number))
    head = "".join(before)
    if last in _ORDINALS:
        return head + _ORDINALS[last]
    return head + (f"{last[:-1]}ieth" if last.endswith("y") else f"{last.rstrip('t')}th")


def year(number: int) -> str:
    """A year as it is read: "twenty twenty-six"."""
    century, rest = divmod(number, 100)
    if number // 10 == 200 or not rest:
        return cardinal(number) if number % 1_000 < 10 else f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {_two_digits(rest)}"


def decimal(written: str) -> str:
    """A number as it is written, such as 1,250.75."""
    whole, _, fraction = written.replace(",", "").partition(".")
    if len(whole) > 12 or (len(whole) > 1 and whole.startswith("0")) or (len(whole) > 6 and "," not in written):
        words = _digits(whole)  # the number of something: nobody counts so far
    else:
        words = cardinal(int(whole))
    return f"{words} point {_digits(fraction)}" if fraction else words


def _digits(digits: str) -> str:
    return " ".join(_ONES[int(digit)] for digit in digits)


def _two_digits(number: int) -> str:
    return f"oh {cardinal(number)}" if number < 10 else cardinal(number)


def _time(found: re.Match[str]) -> str:
    hour, minute, second, daytime = found.groups()
    words = cardinal(int(hour))
    if int(minute):
        words += f" {_two_digits(int(minute))}"
    elif not daytime:
        words += " o'clock"
    if second and int(second):
        words += f" and {_counted(second, 'second', 'seconds')}"
    return f"{words} {_DAYTIMES[daytime.lower()]}" if daytime else words


def _price(found: re.Match[str]) -> str:
    unit, small = _MONEY[found[1]]
    whole, _, fraction = found[2].partition(".")
    if len(fraction) not in (0, 2) or (fraction and not small):
        return f"{decimal(found[2])} {_plural(unit)}"
    words = _counted(whole, unit, _plural(unit))
    return f"{words} and {_counted(fraction, small, _plural(small))}" if fraction and int(fraction) else words


def _plural(unit: str) -> str:
    return _PENCE.get(unit, f"{unit}s")


def _counted(written: str, one: str, many: str) -> str:
    number = int(written.replace(",", ""))
    return f"{cardinal(number)} {one if number == 1 else many}"


def _measure(found: re.Match[str]) -> str:
    sign, number, unit = found.groups()
    words = ("minus " if sign else "") + decimal(number)
    if not unit:
        return words
    one, many = _UNITS[unit]
    return f"{words} {one if number == '1' else many}"


def _short_forms() -> tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]:
    return tuple((re.compile(rf"(?<!\w){re.escape(short)}", re.IGNORECASE), word) for short, word in _SHORT.items())


_SHORT_FORMS = _short_forms()
