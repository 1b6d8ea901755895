"""What a module may say: every bound, and the words of each refusal."""

from typing import Any

import pytest

from vigil.core.errors import CoreError, InvalidSpec, InvalidToken
from vigil.core.observation import DEFAULT_TTL_MS, MAX_ID_CHARS, MAX_TEXT_CHARS, Box, Observation

NOON_US = 1_790_000_000_000_000


def observed(**changes: Any) -> Observation:
    given: dict[str, Any] = {"module": "faces", "kind": "face", "text": "Anna is at the door"}
    return Observation(**{**given, "capture_time_us": NOON_US, **changes})


def test_an_observation_needs_four_things() -> None:
    least = observed()
    assert (least.id, least.confidence, least.ttl_ms, least.box) == ("", None, DEFAULT_TTL_MS, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "x" * MAX_TEXT_CHARS},
        {"text": "x"},
        {"confidence": 0},
        {"confidence": 1.0},
        {"ttl_ms": 200},
        {"ttl_ms": 600_000},
        {"id": "i" * MAX_ID_CHARS},
        {"capture_time_us": 1},
        {"box": Box(0, 0, 1, 1)},
        {"module": "on-screen_text2", "kind": "T"},
    ],
)
def test_what_is_at_a_bound_is_allowed(changes: dict[str, Any]) -> None:
    allowed = observed(**changes)
    assert {name: getattr(allowed, name) for name in changes} == changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": ""}, "the text is empty: write what the module noticed, in one sentence"),
        ({"text": " \n\t"}, "the text is empty"),
        ({"text": "x" * 501}, "the text has 501 characters: at most 500 are allowed, shorten it"),
        ({"text": "a\ud800"}, "half of a character"),
        ({"confidence": 1.01}, "confidence is 1.01: give 0 to 1"),
        ({"confidence": -0.1}, "confidence is -0.1: give 0 to 1"),
        ({"confidence": float("nan")}, "confidence is nan: give 0 to 1"),
        ({"ttl_ms": 199}, "ttl_ms is 199: give 200 to 600000 milliseconds"),
        ({"ttl_ms": 600_001}, "ttl_ms is 600001"),
        ({"capture_time_us": 0}, "capture_time_us is 0: give microseconds since the Unix epoch"),
        ({"capture_time_us": -5}, "capture_time_us is -5"),
        ({"capture_time_us": 2**53}, "capture_time_us is 9007199254740992"),
        ({"id": "i" * 129}, "the id has 129 characters: at most 128 are allowed"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        observed(**changes)
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["", "two words", "a.b", ">", "*", "x" * 65, "a:b", "(a)"])
@pytest.mark.parametrize("what", ["module", "kind"])
def test_module_and_kind_are_tokens(what: str, name: str) -> None:
    with pytest.raises(InvalidToken, match=what):
        observed(**{what: name})


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ((-1, 0, 1, 1), "box.left is -1: give 0 to 65535 pixels"),
        ((0, -1, 1, 1), "box.top is -1"),
        ((0, 0, 0, 1), "box.width is 0: give 1 to 65535 pixels"),
        ((0, 0, 1, 65_536), "box.height is 65536"),
    ],
)
def test_a_box_is_a_part_of_a_picture(edges: tuple[int, int, int, int], words: str) -> None:
    with pytest.raises(CoreError) as refused:
        Box(*edges)
    assert words in str(refused.value)
