"""What a session may be asked to be."""

from collections.abc import Mapping
from typing import Any

import pytest

from vigil.core.errors import InvalidSpec, InvalidToken
from vigil.core.session import Cadence, ResponseMode, SessionSpec, SessionState


def spec(**changes: Any) -> SessionSpec:
    values: dict[str, Any] = {
        "tenant": "demo",
        "session": "s-1",
        "source_id": "door",
        "source_url": "rtsp://camera/door",
        "profile": "joyai",
        "model": "joyai",
    }
    return SessionSpec(**values | changes)


def test_the_defaults_are_those_of_the_released_model() -> None:
    default = spec()
    assert (default.cadence.interval_ms, default.cadence.frames_per_turn) == (1_000, 1)
    assert (default.chunk_turns, default.tail_turns) == (100, 9)
    assert default.response_mode is ResponseMode.BALANCED
    assert default.infer_when_idle
    assert default.text_temperature == 0
    assert SessionState() == SessionState(next_sequence=0, last_time_ms=-1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chunk_turns": 1}, "chunk_turns is 1: give 2 or more"),
        ({"chunk_turns": 251}, "is 251 pictures in one prompt: at most 250 are allowed"),
        ({"cadence": Cadence(1_000, 3)}, "is 300 pictures in one prompt"),
        ({"tail_turns": -1}, "tail_turns is -1: give 0 to chunk_turns - 1"),
        ({"chunk_turns": 5, "tail_turns": 5}, "tail_turns is 5: give 0 to chunk_turns - 1"),
        ({"text_temperature": 2.1}, "text_temperature is 2.1: give 0 to 2"),
        ({"text_temperature": float("nan")}, "text_temperature is nan: give 0 to 2"),
    ],
)
def test_numbers_out_of_range(changes: Mapping[str, Any], message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        spec(**changes)


@pytest.mark.parametrize("changes", [{"chunk_turns": 2, "tail_turns": 1}, {"chunk_turns": 250, "tail_turns": 0}])
def test_chunks_at_their_limits(changes: Mapping[str, int]) -> None:
    assert spec(**changes).chunk_turns == changes["chunk_turns"]


@pytest.mark.parametrize(("field", "what"), [("tenant", "tenant"), ("session", "session"), ("source_id", "source id")])
def test_names_must_be_tokens(field: str, what: str) -> None:
    with pytest.raises(InvalidToken, match=f"{what} 'no good' is not allowed"):
        spec(**{field: "no good"})


@pytest.mark.parametrize("interval_ms", [199, 60_001, 0, -1_000])
def test_intervals_out_of_range(interval_ms: int) -> None:
    with pytest.raises(InvalidSpec, match=f"interval_ms is {interval_ms}: give 200 to 60000 milliseconds"):
        Cadence(interval_ms=interval_ms)


@pytest.mark.parametrize("frames", [0, 9])
def test_frames_per_turn_out_of_range(frames: int) -> None:
    with pytest.raises(InvalidSpec, match=f"frames_per_turn is {frames}: give 1 to 8"):
        Cadence(frames_per_turn=frames)


def test_a_cadence_at_its_limits() -> None:
    assert Cadence(200, 1).interval_ms == 200
    assert Cadence(60_000, 8).frames_per_turn == 8
