"""What a module tells, by value: what Vigil would refuse is said before it is sent."""

import json
import re
from typing import Any

import numpy as np
import pytest

from vigil_client.errors import BadObservation
from vigil_client.modules.observation import Noticed

AT_US = 1_767_225_600_123_457
USUAL: dict[str, Any] = {"kind": "zone", "text": "Somebody.", "capture_time_us": AT_US}


@pytest.mark.parametrize(
    ("noticed", "said"),
    [
        ({"text": " \n"}, "the text is empty: it has 1 to 500 characters"),
        ({"text": "x" * 501}, "501 characters: at most 500 are allowed"),
        ({"text": 42}, "the text is 42, which is no string"),
        ({"confidence": 1.1}, "the confidence is 1.1: it is from 0 to 1"),
        ({"confidence": float("nan")}, "the confidence is nan"),
        ({"confidence": "0.9"}, "the confidence is '0.9', which is no number: it is from 0 to 1"),
        ({"ttl_s": 0.1}, "ttl_s is 0.1: it is from 0.2 to 600 seconds"),
        ({"ttl_s": 3_600}, "ttl_s is 3600: it is from 0.2 to 600 seconds"),
        ({"ttl_s": None}, "ttl_s is None, which is no number"),
        ({"capture_time_us": 1.7e9}, "capture_time_us is 1700000000.0: it is a whole number of microseconds"),
        ({"capture_time_us": 0}, "capture_time_us is 0"),
        ({"capture_time_us": 1 << 70}, "capture_time_us is"),
        ({"box": 5}, "the box is 5"),
        ({"box": "0,0,5,5"}, "the box is '0,0,5,5'"),
        ({"box": (0, 0, "5", 5)}, "the box is"),
        ({"box": (0, 0, 0, 10)}, "the box is"),
        ({"box": (-1, 0, 10, 10)}, "the box is"),
        ({"box": (0, 0, 70_000, 10)}, "the box is"),
        ({"box": (0, 0, 10)}, "the box is"),
        ({"box": (0, float("nan"), 10, 10)}, "the box is"),
    ],
)
def test_what_vigil_would_refuse_is_said_before_it_is_sent(noticed: dict[str, Any], said: str) -> None:
    with pytest.raises(BadObservation, match=re.escape(said)) as caught:
        Noticed(**{**USUAL, **noticed})
    assert caught.value.next_step


def test_numbers_of_numpy_and_halves_of_pixels_are_taken() -> None:
    confidence: Any = np.float32(0.5)
    box: Any = (np.int64(1), np.float32(2.4), 30.0, np.uint8(4))
    event = json.loads(Noticed("zone", "x", AT_US, confidence, box=box).event("demo", "s-1", "z", "o"))
    assert event["data"]["box"] == {"left": 1, "top": 2, "width": 30, "height": 4}
    assert event["data"]["confidence"] == 0.5
    whole: Any = np.array([1.0, 2.4, 30.0, 4.0])
    seen = Noticed("zone", "x", AT_US, box=whole)
    seen.check_within(640, 384)
    assert json.loads(seen.event("demo", "s-1", "z", "o"))["data"]["box"] == event["data"]["box"]


def test_half_of_a_character_is_said_too() -> None:
    with pytest.raises(BadObservation, match="half of a character"):
        Noticed("zone", "\ud800", AT_US).event("demo", "s-1", "zones", "o-1")
