"""Where remarks begin and end, by value and by property."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_asr.endpoint import FRAME_MS, QUIET, Endpoint, EndpointRules, Mark, heard

RULES = EndpointRules()
JUDGED = EndpointRules(longest_silence_ms=1_500)


def marks(probabilities: Iterable[float], rules: EndpointRules = RULES) -> list[tuple[int, Mark]]:
    """When what happened, in milliseconds at the end of the frame."""
    endpoint, found = QUIET, []
    for number, probability in enumerate(probabilities, 1):
        endpoint, mark = heard(endpoint, probability, rules)
        if mark is not None:
            found.append((number * FRAME_MS, mark))
        if mark in (Mark.ENDED, Mark.CUT, Mark.FALSE_START):
            endpoint = QUIET
    return found


def speech(milliseconds: int, probability: float = 0.9) -> list[float]:
    return [probability] * -(-milliseconds // FRAME_MS)


def silence(milliseconds: int) -> list[float]:
    return speech(milliseconds, 0.01)


def test_an_remark_stirs_begins_and_ends() -> None:
    assert marks([*silence(320), *speech(1_000), *silence(640)]) == [
        (384, Mark.STIRRED),
        (576, Mark.BEGAN),
        (1_856, Mark.ENDED),
    ]


def test_who_speaks_is_noticed_within_a_tenth_of_a_second_and_ends_half_a_second_after() -> None:
    [(stirred, _), (began, _), (ended, _)] = marks([*speech(640), *silence(1_000)])
    assert stirred == 64
    assert began == 256
    assert ended - 640 == 512


@pytest.mark.parametrize("milliseconds", [64, 96, 128, 224])
def test_a_cough_is_a_false_start(milliseconds: int) -> None:
    found = marks([*speech(milliseconds), *silence(1_000)])
    assert [mark for _, mark in found] == [Mark.STIRRED, Mark.FALSE_START]


def test_a_click_is_nothing() -> None:
    assert marks([*speech(32), *silence(1_000)]) == [(256, Mark.FALSE_START)]


def test_a_pause_within_a_sentence_does_not_end_it() -> None:
    found = marks([*speech(640), *silence(416), *speech(640), *silence(640)])
    assert [mark for _, mark in found] == [Mark.STIRRED, Mark.BEGAN, Mark.ENDED]


def test_a_longer_silence_may_be_asked_for() -> None:
    rules = EndpointRules(end_silence_ms=1_000)
    assert marks([*speech(640), *silence(1_200)], rules)[-1] == (640 + 1_024, Mark.ENDED)


def test_who_speaks_on_is_cut_and_heard_on() -> None:
    found = marks([*speech(5_000), *silence(640)], EndpointRules(longest_ms=3_000))
    assert [mark for _, mark in found] == [
        *(Mark.STIRRED, Mark.BEGAN, Mark.CUT),
        *(Mark.STIRRED, Mark.BEGAN, Mark.ENDED),
    ]
    assert found[2][0] == 3_008


def test_within_speech_a_little_less_is_speech() -> None:
    assert marks([*speech(320), *speech(640, 0.4), *silence(640)])[-1][1] is Mark.ENDED
    assert marks(speech(2_000, 0.4)) == [], "but it begins none"


def test_what_was_heard_is_summed_up() -> None:
    endpoint: Endpoint = QUIET
    for probability in [*speech(320, 0.8), *silence(160), *speech(320, 0.6)]:
        endpoint, _ = heard(endpoint, probability, RULES)
    assert (endpoint.total_ms, endpoint.speech_ms, endpoint.silence_ms) == (800, 640, 0)
    assert endpoint.certainty == pytest.approx(0.7)


def test_where_pauses_are_judged_each_is_told_once_and_ends_as_ever() -> None:
    said = [*speech(640), *silence(416), *speech(640), *silence(160), *speech(320), *silence(640)]
    judged = marks(said, JUDGED)
    assert [(time_ms, mark) for time_ms, mark in judged if mark is not Mark.PAUSED] == marks(said)
    assert [time_ms for time_ms, mark in judged if mark is Mark.PAUSED] == [
        640 + 224,
        640 + 416 + 640 + 160 + 320 + 224,
    ]


def test_a_pause_that_is_judged_incomplete_ends_later_and_speech_makes_that_void() -> None:
    endpoint: Endpoint = QUIET
    for probability in [*speech(640), *silence(224)]:
        endpoint, mark = heard(endpoint, probability, JUDGED)
    assert mark is Mark.PAUSED
    endpoint, found = replace(endpoint, is_incomplete=True), []
    for number in range(1, 60):
        endpoint, mark = heard(endpoint, 0.01, JUDGED)
        found += [(endpoint.silence_ms, mark)] if mark else []
        if number == 30:
            resumed, _ = heard(endpoint, 0.9, JUDGED)
    assert found[0] == (1_504, Mark.ENDED)
    assert (resumed.is_speaking, resumed.is_incomplete, resumed.silence_ms) == (True, False, 0)


@given(st.lists(st.floats(0, 1), max_size=400), st.integers(100, 1_000), st.integers(1_000, 5_000))
def test_marks_come_in_order_and_no_remark_is_too_long(
    probabilities: list[float], end_silence_ms: int, longest_ms: int
) -> None:
    before: Mark | None = None
    began = 0
    for time_ms, mark in marks(probabilities, EndpointRules(end_silence_ms=end_silence_ms, longest_ms=longest_ms)):
        match mark:
            case Mark.STIRRED:
                assert before in (None, Mark.ENDED, Mark.CUT, Mark.FALSE_START)
            case Mark.BEGAN:
                assert before is Mark.STIRRED
                began = time_ms
            case Mark.FALSE_START:
                assert before is not Mark.BEGAN
            case Mark.ENDED | Mark.CUT:
                assert before is Mark.BEGAN
                assert time_ms - began <= longest_ms + FRAME_MS
        before = mark
