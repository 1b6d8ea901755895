"""A recording's stamps as one time: by value and by property, and on real files that were put one behind the other."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.testing.videos import second_shown, write_joined, write_video
from vigil_ingestion.address import resolve
from vigil_ingestion.camera_clock import ClockFault
from vigil_ingestion.clock import Clock
from vigil_ingestion.continuity import GAP_US, Continuity, unwrapped_us
from vigil_ingestion.media import Limits, opened
from vigil_ingestion.playback import length, played
from vigil_ingestion.probe import probe
from vigil_ingestion.timeline import Timeline

S = 1_000_000
TENTH = S // 10
WRAP_US = 2**33 * S // 90_000
LIMITS = Limits(open_s=2.0, read_s=1.0)
ORIGIN_US = 1_700_000_000 * S


def places(stamps_us: list[int], usual_us: int = TENTH) -> list[int]:
    continuity, found = Continuity(usual_us), []
    for stamp_us in stamps_us:
        continuity, place_us = continuity.step(stamp_us)
        found.append(place_us)
    return found


@pytest.mark.parametrize("second_s", [0, 13, -100, 3_600, 86_400, 95_443])
def test_two_parts_become_one_time(second_s: int) -> None:
    first, second = range(200 * S, 203 * S, TENTH), range((200 + second_s) * S, (203 + second_s) * S, TENTH)
    found = places([*first, *second])
    assert [later - place for place, later in itertools.pairwise(found)] == [TENTH] * 59


@pytest.mark.parametrize("interval_s", [0.04, 1, 7, 9])
def test_slow_and_fast_recordings_keep_their_pace(interval_s: float) -> None:
    stamps_us = [int(index * interval_s * S) for index in range(20)]
    assert places(stamps_us) == stamps_us


def test_a_short_pause_stays_and_a_little_disorder_is_none() -> None:
    assert places([0, TENTH, 2 * TENTH, 3 * TENTH, 18 * TENTH]) == [0, TENTH, 2 * TENTH, 3 * TENTH, 18 * TENTH]
    assert places([0, TENTH, TENTH, TENTH - 5_000, 2 * TENTH]) == [0, TENTH, TENTH, TENTH, 2 * TENTH]


def test_a_picture_that_the_decoder_gives_out_late_belongs_to_the_part_before() -> None:
    continuity = Continuity(TENTH)
    for stamp_us in (0, TENTH, 2 * TENTH, 3 * TENTH, 3_600 * S):
        continuity, _ = continuity.step(stamp_us)
    assert continuity.place_us(3 * TENTH) == 3 * TENTH
    assert continuity.place_us(3_600 * S + TENTH) == 5 * TENTH
    assert (continuity.jumps, continuity.jump_us) == (1, 3_600 * S - 3 * TENTH)


@pytest.mark.parametrize(
    ("jump_us", "told_us"), [(-3 * S, -3 * S), (WRAP_US - 103 * S, -103 * S), (-WRAP_US + TENTH, TENTH), (S, S)]
)
def test_a_jump_is_told_without_the_wrap_of_the_stamps(jump_us: int, told_us: int) -> None:
    assert unwrapped_us(jump_us) == told_us


@given(st.lists(st.integers(-(10**12), 10**12), min_size=5, max_size=60))
def test_there_is_never_a_gap_and_time_never_goes_back(jumps_us: list[int]) -> None:
    stamps_us = [index * TENTH for index in range(5)]
    for jump_us in jumps_us:
        stamps_us.append(stamps_us[-1] + jump_us)
    steps_us = [later - place for place, later in itertools.pairwise(places(stamps_us))]
    assert all(0 <= step_us <= 2 * GAP_US + GAP_US for step_us in steps_us)


class Waiting(Clock):
    """Time that passes only by waiting."""

    def __init__(self, now_us: int = ORIGIN_US) -> None:
        self.time_us = now_us

    def now_us(self) -> int:
        return self.time_us

    def wait_until(self, due_us: int) -> bool:
        self.time_us = max(self.time_us, due_us)
        return True


@pytest.mark.parametrize("second_s", [200, 203 + 13, 100, 200 + 3_600, 200 + 86_400, 201.5])
def test_a_joined_recording_is_played_to_its_end_without_a_gap(tmp_path: Path, second_s: float) -> None:
    address = resolve(f"file://{write_joined(tmp_path, second_s)}", None)
    with opened(address, LIMITS) as media:
        whole = length(media, "the file")
    assert whole.duration_us == pytest.approx(6 * S, abs=S // 4)
    assert whole.notice is not None
    assert (whole.notice.fault, whole.complaint) == (ClockFault.JUMP, "")
    clock = Waiting()
    timeline = Timeline.of(ORIGIN_US, whole.duration_us, loop=False)
    seen = list(played(address, LIMITS, timeline, clock, seekable=False))
    times_us = [capture.time_us - ORIGIN_US for capture in seen]
    assert max(later - time_us for time_us, later in itertools.pairwise(times_us)) <= S // 2
    shown = [second_shown(np.asarray(capture.frame.to_ndarray(format="rgb24"), np.uint8)) for capture in seen]
    assert [second for second, _ in itertools.groupby(shown)] == [0, 1, 2, 0, 1, 2]
    assert clock.time_us - ORIGIN_US == pytest.approx(6 * S, abs=S // 4)


def test_a_restarted_worker_goes_on_within_the_second_part(tmp_path: Path) -> None:
    address = resolve(f"file://{write_joined(tmp_path, second_s=100)}", None)
    timeline = Timeline.of(ORIGIN_US, 6 * S, loop=True)
    seen = []
    for capture in played(address, LIMITS, timeline, Waiting(ORIGIN_US + 6 * S + 4 * S), seekable=False):
        seen.append(
            (capture.time_us - ORIGIN_US, second_shown(np.asarray(capture.frame.to_ndarray(format="rgb24"), np.uint8)))
        )
        if len(seen) == 15:
            break
    assert 9.8 * S <= seen[0][0] <= 10.1 * S
    assert [second for second, _ in itertools.groupby(second for _, second in seen)] == [1, 2]


def test_a_header_that_promises_an_hour_is_not_waited_for(tmp_path: Path) -> None:
    address = resolve(f"file://{write_video(tmp_path / 'a.mp4', seconds=2)}", None)
    clock = Waiting()
    captures = list(played(address, LIMITS, Timeline.of(ORIGIN_US, 3_600 * S, loop=False), clock))
    assert len(captures) == 20
    assert clock.time_us - ORIGIN_US == 2 * S


@pytest.mark.parametrize("second_s", [200, 100, 3_800])
def test_the_probe_makes_up_no_length(tmp_path: Path, second_s: float) -> None:
    assert probe(f"file://{write_joined(tmp_path, second_s)}", None, LIMITS).duration_s == pytest.approx(6.0, abs=0.25)
