"""Numbers that are written as words, English and Chinese, as digits. Pure."""

import re

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL = {word: number for number, word in enumerate(_ONES)}
_LARGE = {word: 20 + 10 * place for place, word in enumerate(_TENS)}
_ENGLISH = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?:[ -]({'|'.join(_ONES[1:10])}))?|({'|'.join(sorted(_ONES, key=len, reverse=True))}))\b"
)
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_PLACES = {"十": 10, "百": 100}
_CHINESE = re.compile("[零〇一二两三四五六七八九十百]+")


def with_digits(text: str) -> str:
    """The text in lower case with digits for its number words up to 99 (Chinese: 999)."""
    return _CHINESE.sub(_chinese, _ENGLISH.sub(_english, text.lower()))


def _english(found: re.Match[str]) -> str:
    tens, ones, small = found.groups()
    return str(_SMALL[small] if small else _LARGE[tens] + _SMALL.get(ones, 0))


def _chinese(found: re.Match[str]) -> str:
    """`二十五` is 25. Characters that are only digits are read one by one: `二五` is 25, too."""
    written = found.group()
    if not any(character in _PLACES for character in written):
        return "".join(str(_DIGITS[character]) for character in written)
    total, digit = 0, 0
    for character in written:
        if character in _PLACES:
            total += (digit or 1) * _PLACES[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return str(total + digit)
