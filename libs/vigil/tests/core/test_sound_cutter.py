"""Sound is cut into chunks whose times follow its samples."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.sound import chunk_bytes
from vigil.core.sound_cutter import CHUNK_MS, GAP_US, Cutter, Piece

T0 = 1_767_225_600_000_000
MS = 1_000


def cut(*sounds: tuple[int, bytes]) -> list[Piece]:
    """The chunks of sounds, given by the milliseconds after `T0` at which each begins."""
    cutter, pieces = Cutter(), list[Piece]()
    for at_ms, pcm in sounds:
        cutter, whole = cutter.step(T0 + at_ms * MS, pcm)
        pieces += whole
    return pieces


def sound(milliseconds: int, byte: int = 1) -> bytes:
    return bytes([byte]) * chunk_bytes(milliseconds)


@given(st.lists(st.integers(1, 130), min_size=1, max_size=40))
def test_sound_without_gaps_is_cut_into_chunks_of_one_length_that_follow_each_other(lengths_ms: list[int]) -> None:
    begins_ms = itertools.accumulate([0, *lengths_ms[:-1]])
    pieces = cut(*((at_ms, sound(length)) for at_ms, length in zip(begins_ms, lengths_ms, strict=True)))
    assert len(pieces) == sum(lengths_ms) // CHUNK_MS
    assert {len(piece.pcm) for piece in pieces} <= {chunk_bytes(CHUNK_MS)}
    assert [piece.time_us for piece in pieces] == [T0 + number * CHUNK_MS * MS for number in range(len(pieces))]


@given(st.lists(st.integers(-25, 25), min_size=1, max_size=100))
def test_times_that_jitter_are_smoothed_and_no_sample_is_lost(jitter_ms: list[int]) -> None:
    pieces = cut(*((20 * number + jitter, sound(20)) for number, jitter in enumerate(jitter_ms)))
    assert len(pieces) == len(jitter_ms) // 2
    for earlier, later in itertools.pairwise(pieces):
        assert 30 * MS <= later.time_us - earlier.time_us <= 50 * MS


def test_behind_a_gap_chunks_begin_anew_and_what_stood_before_it_is_told() -> None:
    pieces = cut((0, sound(70)), (500, sound(40, 2)))
    assert [(piece.time_us - T0, piece.pcm) for piece in pieces] == [
        (0, sound(40)),
        (40 * MS, sound(30)),
        (500 * MS, sound(40, 2)),
    ]
    short = cut((0, sound(50)), (500, sound(40, 2)))
    assert [piece.time_us - T0 for piece in short] == [0, 500 * MS], "less than 20 ms is no chunk"


def test_a_camera_whose_sound_runs_slow_is_followed_without_a_gap() -> None:
    pieces = cut(*((int(20.2 * number), sound(20)) for number in range(1_000)))
    assert len(pieces) == 500
    behind_ms = [20.2 * 2 * number - (piece.time_us - T0) / MS for number, piece in enumerate(pieces)]
    assert 0 <= max(behind_ms) < 8


@given(st.integers(GAP_US // MS + 1, 3_000))
def test_sound_that_claims_to_be_of_earlier_never_makes_time_go_back(by_ms: int) -> None:
    pieces = cut((5_000, sound(40)), *((5_000 - by_ms + 20 * number, sound(20)) for number in range(1, 400)))
    times = [piece.time_us for piece in pieces]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert abs(times[-1] - (T0 + (5_000 - by_ms + 20 * 398) * MS)) < 50 * MS, "it agrees again after a while"


@pytest.mark.parametrize("fast_by", [1.001, 0.999])
def test_eight_hours_of_a_microphone_whose_clock_drifts_keep_their_time(fast_by: float) -> None:
    cutter, samples, last_us, off_us, pieces = Cutter(), sound(1_000), T0 - 1, 0, 0
    messages = round(8 * 3_600 * fast_by)
    for number in range(messages):
        begin_us = T0 + round(number * 1_000 * MS / fast_by) + number * 7919 % 20_000
        cutter, cut_now = cutter.step(begin_us, samples)
        assert last_us < cut_now[0].time_us, "time never goes back"
        last_us, pieces = cut_now[-1].time_us, pieces + len(cut_now)
        off_us = max(off_us, abs((cutter.until_us or 0) - begin_us - 1_000 * MS))
    assert off_us <= GAP_US, "after hours the times are as right as at the beginning"
    assert pieces >= messages * 25 - 1, "no sample is lost"
