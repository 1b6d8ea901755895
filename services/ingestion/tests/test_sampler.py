"""Sampling by capture time: by value and by property."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from vigil.core.session import Cadence
from vigil_ingestion.sampler import LEAST_GAP_MS, Group, Sampler

ORIGIN_US = 1_700_000_000_000_000


@dataclass
class Run:
    """Feeds capture times to a sampler, each frame being its own capture time."""

    sampler: Sampler[int]
    groups: list[Group[int]] = field(default_factory=list)

    def see(self, *times_ms: float) -> list[Group[int]]:
        for time_ms in times_ms:
            capture_us = ORIGIN_US + int(time_ms * 1_000)
            if self.sampler.wants(capture_us):
                self.sampler, done = self.sampler.add(capture_us, capture_us)
                self.groups.extend(done)
        return self.groups


def run(interval_ms: int = 1_000, frames: int = 1) -> Run:
    return Run(Sampler(Cadence(interval_ms, frames), ORIGIN_US))


def ms(group: Group[int]) -> list[float]:
    return [(frame - ORIGIN_US) / 1_000 for frame in group.frames]


def test_first_frame_of_each_slot_is_taken_at_once() -> None:
    groups = run().see(0, 40, 80, 960, 1_000, 1_040, 2_500, 2_540)
    assert [(group.time_ms, ms(group)) for group in groups] == [(0, [0]), (1_000, [1_000]), (2_000, [2_500])]


def test_skipped_frames_leave_a_gap_and_no_drift() -> None:
    groups = run().see(0, 1_010, 61_300, 62_290)
    assert [group.time_ms for group in groups] == [0, 1_000, 61_000, 62_000]


def test_several_frames_are_spread_over_the_slot() -> None:
    groups = run(frames=4).see(*range(0, 2_000, 40))
    assert [(group.time_ms, ms(group)) for group in groups] == [
        (0, [0, 280, 520, 760]),
        (1_000, [1_000, 1_280, 1_520, 1_760]),
    ]


def test_a_slot_without_its_last_part_is_given_out_when_the_next_begins() -> None:
    watched = run(frames=2)
    assert watched.see(0, 300) == []
    assert [(group.time_ms, ms(group)) for group in watched.see(1_600)] == [(0, [0]), (1_000, [1_600])]


def test_a_slot_that_lost_its_first_part_is_complete_with_its_last() -> None:
    assert [(group.time_ms, ms(group)) for group in run(frames=2).see(3_700)] == [(3_000, [3_700])]


def test_before_the_origin_nothing_is_wanted() -> None:
    assert run().see(-1, -1_000) == []


def test_a_slower_cadence_waits_for_a_slot_after_the_last_turn() -> None:
    watched = run()
    watched.see(0, 1_000, 2_000, 3_000)
    watched.sampler = watched.sampler.retuned(Cadence(2_000))
    assert [group.time_ms for group in watched.see(3_500, 4_100, 5_000, 6_000)][4:] == [4_000, 6_000]


def test_a_faster_cadence_never_goes_back_in_time() -> None:
    watched = run(2_000)
    watched.see(0, 2_000, 2_100)
    watched.sampler = watched.sampler.retuned(Cadence(500))
    assert [group.time_ms for group in watched.see(2_200, 2_500, 3_000)][2:] == [2_500, 3_000]


def test_the_same_cadence_keeps_an_unfinished_group() -> None:
    watched = run(frames=2)
    watched.see(0)
    watched.sampler = watched.sampler.retuned(Cadence(1_000, 2))
    assert [ms(group) for group in watched.see(500)] == [[0, 500]]


def test_a_picture_that_is_asked_for_makes_a_turn_at_once_and_the_slots_stay() -> None:
    watched = run()
    watched.see(0, 40)
    watched.sampler = watched.sampler.asked()
    groups = watched.see(440, 480, 960, 1_000)
    assert [(group.time_ms, ms(group)) for group in groups] == [(0, [0]), (400, [440]), (1_000, [1_000])]


def test_the_first_picture_of_a_slot_is_the_one_that_was_asked_for() -> None:
    watched = run()
    watched.see(0)
    watched.sampler = watched.sampler.asked()
    assert [(group.time_ms, ms(group)) for group in watched.see(1_010, 1_300)] == [(0, [0]), (1_000, [1_010])]


def test_who_asks_again_and_again_gets_five_turns_a_second() -> None:
    watched = run()
    for time_ms in range(0, 2_000, 40):
        watched.sampler = watched.sampler.asked()
        watched.see(time_ms)
    assert [group.time_ms for group in watched.groups] == [0, 200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600, 1_800]


def test_a_group_that_is_asked_for_is_complete_with_its_newest_picture() -> None:
    watched = run(frames=4)
    watched.see(0, 40, 280)
    watched.sampler = watched.sampler.asked()
    groups = watched.see(320, 520, 760, 1_000, 1_280, 1_520, 1_760)
    assert [(group.time_ms, ms(group)) for group in groups] == [
        (0, [0, 280, 320]),
        (1_000, [1_000, 1_280, 1_520, 1_760]),
    ]


def test_what_was_asked_for_outlives_a_change_of_the_cadence() -> None:
    watched = run()
    watched.see(0)
    watched.sampler = watched.sampler.asked().retuned(Cadence(5_000))
    assert [group.time_ms for group in watched.see(600, 700, 5_000)] == [0, 600, 5_000]


def test_before_the_origin_nothing_is_shown_that_is_asked_for() -> None:
    watched = run()
    watched.sampler = watched.sampler.asked()
    assert watched.see(-1_500, -1) == []


cadences = st.builds(Cadence, st.integers(200, 5_000), st.integers(1, 8))


@given(cadences, st.lists(st.integers(0, 700_000), max_size=200))
def test_groups_follow_capture_time(cadence: Cadence, steps_us: list[int]) -> None:
    sampler: Sampler[int] = Sampler(cadence, ORIGIN_US)
    groups: list[Group[int]] = []
    capture_us, slots = ORIGIN_US, set()
    for step_us in steps_us:
        capture_us += step_us
        slots.add((capture_us - ORIGIN_US) // (cadence.interval_ms * 1_000))
        if sampler.wants(capture_us):
            sampler, done = sampler.add(capture_us, capture_us)
            groups.extend(done)
    times = [group.time_ms for group in groups]
    assert times == sorted(set(times))
    for group in groups:
        start_us = ORIGIN_US + group.time_ms * 1_000
        parts = [(at - start_us) * cadence.frames_per_turn // (cadence.interval_ms * 1_000) for at in group.frames]
        assert parts == sorted(set(parts))
        assert 0 <= parts[0] <= parts[-1] < cadence.frames_per_turn
    pending = {sampler.slot} if sampler.frames else set()
    assert {time // cadence.interval_ms for time in times} | pending == slots


@given(st.lists(st.tuples(st.integers(0, 900_000), cadences), max_size=60))
def test_time_never_repeats_however_the_cadence_changes(steps: list[tuple[int, Cadence]]) -> None:
    sampler: Sampler[int] = Sampler(Cadence(), ORIGIN_US)
    times: list[int] = []
    capture_us = ORIGIN_US
    for step_us, cadence in steps:
        capture_us += step_us
        sampler = sampler.retuned(cadence)
        if sampler.wants(capture_us):
            sampler, done = sampler.add(capture_us, capture_us)
            times.extend(group.time_ms for group in done)
    assert times == sorted(set(times))


@given(cadences, st.lists(st.tuples(st.integers(0, 700_000), st.booleans()), max_size=200))
def test_asking_shows_the_newest_picture_and_never_goes_back(cadence: Cadence, steps: list[tuple[int, bool]]) -> None:
    sampler: Sampler[int] = Sampler(cadence, ORIGIN_US)
    groups: list[Group[int]] = []
    capture_us, asked_us = ORIGIN_US, -1
    for step_us, asks in steps:
        capture_us += step_us
        if asks:
            sampler, asked_us = sampler.asked(), capture_us if asked_us < 0 else asked_us
        if sampler.wants(capture_us):
            sampler, done = sampler.add(capture_us, capture_us)
            groups.extend(done)
            assert not (asked_us >= 0 and groups[-1].frames[-1] != capture_us), "it is the picture that was there"
            asked_us = -1
        assert asked_us < 0 or (capture_us - ORIGIN_US) // 1_000 < sampler.last_ms + LEAST_GAP_MS
    times = [group.time_ms for group in groups]
    assert times == sorted(set(times))
    for group in groups:
        assert 1 <= len(group.frames) <= cadence.frames_per_turn
        assert list(group.frames) == sorted(group.frames)
        assert group.time_ms <= (group.frames[-1] - ORIGIN_US) // 1_000
