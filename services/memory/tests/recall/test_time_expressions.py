"""Which span of model time a question names: by value in both languages, and what holds for any text."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil_memory.recall.moment import Moment, Span
from vigil_memory.recall.time_expressions import MAX_QUESTION_CHARS, read

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 27, 6, 0, tzinfo=ZONE)  # a Friday
NOW = datetime(2026, 11, 29, 15, 30, tzinfo=ZONE)  # Sunday


def moment(start: datetime = START, now: datetime = NOW) -> Moment:
    return Moment(round((now - start).total_seconds() * 1_000), round(start.timestamp() * 1e6), start.tzinfo or UTC)


def clock(text: str, asked: Moment) -> str:
    """The span as the clock shows it there."""
    span = read(text, asked).span
    if span is None:
        return ""
    begin = datetime.fromtimestamp(asked.origin_us / 1e6, asked.zone)
    from_, to = (begin + timedelta(milliseconds=ms) for ms in (span.from_ms, span.to_ms))
    return f"{from_:%a %H:%M:%S} - {to:%a %H:%M:%S}"


def ms(**since_start: float) -> int:
    return round(timedelta(**since_start).total_seconds() * 1_000)


CLOCK = {
    "What happened between 14:00 and 15:00?": "Sun 14:00:00 - Sun 15:00:00",
    "What happened from 2 to 3 pm?": "Sun 14:00:00 - Sun 15:00:00",
    "Who came between two and three o'clock?": "Sun 14:00:00 - Sun 15:00:00",
    "Who was there 14:00–14:20?": "Sun 14:00:00 - Sun 14:20:00",
    "between 16:00 and 17:00": "Sat 16:00:00 - Sat 17:00:00",  # today's is still to come
    "between 9:00 and 10:00 yesterday": "Sat 09:00:00 - Sat 10:00:00",
    "between 23:00 and 1:00": "Sat 23:00:00 - Sun 01:00:00",
    "2026-11-28 14:00 to 15:00": "Sat 14:00:00 - Sat 15:00:00",
    "at 2:30 p.m.": "Sun 14:27:00 - Sun 14:33:00",
    "at half past two": "Sun 14:27:00 - Sun 14:33:00",
    "at a quarter to three this afternoon": "Sun 14:42:00 - Sun 14:48:00",
    "around noon": "Sun 11:50:00 - Sun 12:10:00",
    "three people at 14:00": "Sun 13:57:00 - Sun 14:03:00",
    "last night at 8": "Sat 19:57:00 - Sat 20:03:00",
    "on Friday afternoon around 3": "Fri 14:50:00 - Fri 15:10:00",
    "since noon": "Sun 12:00:00 - Sun 15:30:00",
    "before 9 am": "Fri 06:00:00 - Sun 09:00:00",
    "this morning": "Sun 05:00:00 - Sun 12:00:00",
    "yesterday": "Sat 00:00:00 - Sun 00:00:00",
    "yesterday morning": "Sat 05:00:00 - Sat 12:00:00",
    "the day before yesterday": "Fri 06:00:00 - Sat 00:00:00",
    "2 days ago": "Fri 06:00:00 - Sat 00:00:00",
    "on Saturday": "Sat 00:00:00 - Sun 00:00:00",
    "in the evening": "Sat 17:00:00 - Sun 00:00:00",
    "14:00到15:00之间发生了什么？": "Sun 14:00:00 - Sun 15:00:00",
    "下午两点到三点之间发生了什么？": "Sun 14:00:00 - Sun 15:00:00",
    "下午兩點到三點之間發生了什麼？": "Sun 14:00:00 - Sun 15:00:00",
    "14点到15点谁来了": "Sun 14:00:00 - Sun 15:00:00",
    "昨天下午三点半": "Sat 15:27:00 - Sat 15:33:00",
    "下午2：30": "Sun 14:27:00 - Sun 14:33:00",
    "昨晚八点": "Sat 19:57:00 - Sat 20:03:00",
    "昨天谁来了？": "Sat 00:00:00 - Sun 00:00:00",
    "前天": "Fri 06:00:00 - Sat 00:00:00",
    "星期五上午": "Fri 06:00:00 - Fri 12:00:00",
    "上午九点以后": "Sun 09:00:00 - Sun 15:30:00",
    "晚上十点一刻": "Sat 22:12:00 - Sat 22:18:00",
}


@pytest.mark.parametrize(("text", "span"), CLOCK.items())
def test_a_span_by_the_clock(text: str, span: str) -> None:
    assert clock(text, moment()) == span


AGES = {
    "who came ten minutes ago": (750, 450),
    "an hour and a half ago": (6_750, 4_050),
    "two hours and ten minutes ago": (9_750, 5_850),
    "a few seconds ago": (18, 0),
    "5 to 10 minutes ago": (600, 300),
    "in the last 20 minutes": (1_200, 0),
    "during the past hour": (3_600, 0),
    "what happened just now?": (60, 0),
    "a moment ago": (60, 0),
    "recently": (600, 0),
    "十分钟前谁来了？": (750, 450),
    "半小时前发生了什么": (2_250, 1_350),
    "一个半小时前": (6_750, 4_050),
    "两个小时之前": (9_000, 5_400),
    "过去十分钟": (600, 0),
    "最近五分鐘": (300, 0),
    "十分钟内": (600, 0),
    "刚才发生了什么": (60, 0),
    "剛剛": (60, 0),
}


@pytest.mark.parametrize(("text", "ages_s"), AGES.items())
def test_a_span_by_its_age_needs_no_clock(text: str, ages_s: tuple[int, int]) -> None:
    now_ms = 20_000_000
    oldest, newest = ages_s
    assert read(text, Moment(now_ms)).span == Span(now_ms - oldest * 1_000, now_ms - newest * 1_000)


MODEL = {
    "between 100 and 200 seconds": (100_000, 201_000),
    "from second 100 to 200 seconds": (100_000, 201_000),
    "At 95 seconds, what was there?": (85_000, 105_000),
    "What was there at second 95?": (85_000, 105_000),
    "in the first 2 minutes": (0, 120_000),
    "第九十五秒": (85_000, 105_000),
    "100秒到200秒之间": (100_000, 201_000),
}


@pytest.mark.parametrize(("text", "span"), MODEL.items())
def test_a_span_by_the_seconds_of_the_session(text: str, span: tuple[int, int]) -> None:
    assert read(text, Moment(1_000_000)).span == Span(*span)


@pytest.mark.parametrize(
    "text",
    [
        "How many people came in?",
        "Where are the two keys?",
        "Is that 1 or 2 boxes?",
        "Between 2 and 3 people",
        "Which one is it?",
        "钥匙在哪里？",
        "有三个人吗",
        "",
    ],
)
def test_a_question_without_a_time_has_no_span(text: str) -> None:
    assert read(text, moment()).span is None


def test_what_is_not_a_time_is_left_for_the_search() -> None:
    assert read("Who left a bag between 14:00 and 15:00?", moment()).rest == "who left a bag ?"
    assert read("Ten minutes ago, where were the keys?", moment()).rest == ", where were the keys?"
    assert read("昨天下午三点半谁来了", moment()).rest == "谁来了"


def test_without_a_clock_only_ages_and_seconds_are_read() -> None:
    assert read("between 14:00 and 15:00", Moment(10_000_000)).span is None
    assert read("yesterday", Moment(10_000_000)).span is None
    assert read("five minutes ago", Moment(10_000_000)).span is not None


def test_a_day_before_the_session_is_an_empty_span() -> None:
    span = read("yesterday", moment(start=datetime(2026, 11, 29, 8, 0, tzinfo=ZONE))).span
    assert span is not None
    assert span.is_empty


def test_nine_oclock_is_that_of_the_session_where_it_may_be_either() -> None:
    evening = datetime(2026, 11, 29, 20, 0, tzinfo=ZONE)
    asked = moment(start=evening, now=evening + timedelta(hours=3))
    assert clock("between 9:00 and 10:00", asked) == "Sun 21:00:00 - Sun 22:00:00"
    day = moment(start=evening - timedelta(hours=13), now=evening + timedelta(hours=3))
    assert clock("between 9:00 and 10:00", day) == "Sun 09:00:00 - Sun 10:00:00"


def test_an_hour_is_an_hour_when_the_clocks_change() -> None:
    start = datetime(2026, 10, 25, 0, 0, tzinfo=ZONE)  # at 3:00 the clocks go back to 2:00
    asked = Moment(ms(hours=12), round(start.timestamp() * 1e6), ZONE)
    assert read("between 04:00 and 05:00", asked).span == Span(ms(hours=5), ms(hours=6))


texts = st.text(
    alphabet=st.sampled_from("0123456789:- aoclkpmtydsbewniuerhg十两点分钟前秒到昨天上下午晚小时周年个半过去"),
    max_size=60,
)
moments = st.builds(
    Moment,
    st.integers(-5, 10**10),
    st.one_of(st.just(0), st.integers(-(10**18), 10**19), st.integers(1_700_000_000_000_000, 1_900_000_000_000_000)),
    st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)


@given(texts | st.sampled_from([*CLOCK, *AGES, *MODEL]) | st.text(), moments)
def test_no_text_raises_and_every_span_has_been(text: str, asked: Moment) -> None:
    span = read(text, asked).span
    if span is not None:
        assert 0 <= span.from_ms <= span.to_ms <= max(0, asked.now_ms)


@settings(max_examples=40)
@given(st.sampled_from([*CLOCK]), st.integers(-12, 14))
def test_a_zone_moves_the_session_and_its_clock_alike(text: str, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    moved = moment(start=START.replace(tzinfo=zone), now=NOW.replace(tzinfo=zone))
    assert read(text, moved).span == read(text, moment()).span


@given(st.sampled_from([*AGES]), st.integers(0, 10**8))
def test_what_has_an_age_moves_with_the_time_of_the_question(text: str, later_ms: int) -> None:
    span = read(text, Moment(20_000_000)).span
    moved = read(text, Moment(20_000_000 + later_ms)).span
    assert span is not None
    assert moved == Span(span.from_ms + later_ms, span.to_ms + later_ms)


@settings(max_examples=40)
@given(st.integers(1, 99), st.sampled_from([("minutes", "分钟"), ("hours", "小时"), ("seconds", "秒")]))
def test_both_languages_mean_the_same_age(count: int, unit: tuple[str, str]) -> None:
    asked = Moment(10**9)
    assert read(f"{count} {unit[0]} ago", asked).span == read(f"{count}{unit[1]}前", asked).span


def test_a_question_of_any_length_is_read() -> None:
    assert read("a " * MAX_QUESTION_CHARS + "yesterday", moment()).span is None
