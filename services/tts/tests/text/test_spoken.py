"""What a voice is given to read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_tts.text import chinese, english
from vigil_tts.text.spoken import spoken


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("It is 14:05.", "It is fourteen oh five."),
        ("At 9:00 sharp", "At nine o'clock sharp"),
        ("At 9:00 pm", "At nine p.m."),
        ("At 10:30:15 it fell.", "At ten thirty and fifteen seconds it fell."),
        ("3 people, 1,250 cars", "three people, one thousand two hundred fifty cars"),
        ("It is -3 °C outside.", "It is minus three degrees Celsius outside."),
        ("It drives 50 km/h.", "It drives fifty kilometers per hour."),
        ("1 kg, 2.5 kg", "one kilogram, two point five kilograms"),
        ("25% of 3-5 boxes", "twenty-five percent of three to five boxes"),
        ("It costs $5.20 or £1.01.", "It costs five dollars and twenty cents or one pound and one penny."),
        ("¥300", "three hundred yen"),
        ("the 21st, 12th, 30th and 2nd", "the twenty-first, twelfth, thirtieth and second"),
        (
            "since 2026, in 1905, in 2000 and in 1900",
            "since twenty twenty-six, in nineteen oh five, in two thousand and in nineteen hundred",
        ),
        ("Gate No. 7, bay #4", "Gate number seven, bay number four"),
        ("Call 5550123456.", "Call five five five zero one two three four five six."),
        ("Room 007", "Room zero zero seven"),
        ("Dr. Lee vs. Mr. Ray, e.g. cars & bikes", "doctor Lee versus mister Ray, for example cars and bikes"),
        ("a 2m wall, and I am 2 men", "a two meters wall, and I am two men"),
        ("R2D2 and B12", "R2D2 and B12"),
    ],
)
def test_english_is_written_out(written: str, read: str) -> None:
    assert spoken(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("现在14:05。", "现在十四点零五分。"),
        ("9:00开门", "九点开门"),
        ("12:30:05", "十二点三十分五秒"),
        ("有3个人", "有三个人"),
        ("有12辆车", "有十二辆车"),
        ("25%", "百分之二十五"),
        ("气温-3℃", "气温负三摄氏度"),
        ("2026年11月29日", "二零二六年十一月二十九日"),
        ("时速50km/h", "时速五十公里每小时"),
        ("3.5米", "三点五米"),
        ("10,500人", "一万零五百人"),
        ("3-5个", "三到五个"),
        ("¥20", "二十元"),
    ],
)
def test_chinese_is_written_out(written: str, read: str) -> None:
    assert spoken(written, "zh-CN") == read


def test_the_language_is_found_out_where_none_is_named() -> None:
    assert spoken("有3个人") == "有三个人"
    assert spoken("Es sind 3 Leute.", "de") == "Es sind 3 Leute."


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("**Fire!** in `hall`", "Fire! in hall"),
        ("# Report", "Report"),
        ("- a man", "a man"),
        ("See [the log](https://example.com/log).", "See the log."),
        ("See https://example.com/a?b=1.", "See a link."),
        ("Fire \U0001f525\ufe0f now", "Fire now"),
        ("\U0001f525", ""),
        ("...", ""),
    ],
)
def test_markup_is_not_read(written: str, read: str) -> None:
    assert spoken(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('<speak><audio src="http://10.0.0.1/a.wav"/>Hello</speak>', "Hello"),
        ("<|endofprompt|>Hello<|zh|>", "Hello"),
        ("Hello <*break time='9s'/> you", "Hello you"),
        ("Hello <<b>break/> you", "Hello < break/> you"),
        ("a < b, and c > d", "a < b, and c > d"),
        ("a\x00b\x1b[Kc\x7f\u009d", "a b [Kc"),
        ("\ud800 Hello", "Hello"),
    ],
)
def test_no_text_commands_a_voice(written: str, read: str) -> None:
    assert spoken(written) == read


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (19, "nineteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (1_000_001, "one million one"),
        (
            2_345_678_901,
            "two billion three hundred forty-five million six hundred seventy-eight thousand nine hundred one",
        ),
    ],
)
def test_english_numbers(number: int, words: str) -> None:
    assert english.cardinal(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "零"),
        (10, "十"),
        (15, "十五"),
        (20, "二十"),
        (101, "一百零一"),
        (110, "一百一十"),
        (1_001, "一千零一"),
        (1_010, "一千零一十"),
        (10_001, "一万零一"),
        (100_000, "十万"),
        (120_034_000, "一亿二千零三万四千"),
        (100_000_001, "一亿零一"),
    ],
)
def test_chinese_numbers(number: int, words: str) -> None:
    assert chinese.cardinal(number) == words


@given(st.text(max_size=200), st.sampled_from(["", "en", "zh", "de"]))
def test_any_text_can_be_read(text: str, language: str) -> None:
    read = spoken(text, language)
    assert read == read.strip()
    assert "\n" not in read


@given(st.integers(0, 999_999))
def test_no_number_stays_in_digits(number: int) -> None:
    assert not re.search(r"\d", spoken(f"{number:,} people"))
    assert not re.search(r"\d", spoken(f"有{number}个人"))
