"""A live source's lag: whatever a camera's time stamps say, what it shows now is shown, and old pictures are not."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_ingestion.lateness import Gate, Lag, Passage

S = 1_000_000
TENTH = S // 10
WRAP_US = 2**33 * S // 90_000

Stamp = Callable[[int], int]  # from the time of arrival to the time stamp, in microseconds


def shown(packets: Iterator[tuple[int, int]], key_frame_every: int = 10) -> list[int]:
    """When the packets that are shown arrived, of packets (arrival, stamp)."""
    lag, gate, times_us = Lag(), Gate(), []
    for index, (now_us, position_us) in enumerate(packets):
        lag, lag_us = lag.step(now_us, position_us)
        gate, passage = gate.step(lag_us, index % key_frame_every == 0)
        if passage is Passage.SHOW:
            times_us.append(now_us)
    return times_us


def arriving(stamp: Stamp, rate: int = 10, seconds: int = 120) -> Iterator[tuple[int, int]]:
    for index in range(rate * seconds):
        now_us = index * S // rate
        yield now_us, stamp(now_us)


def after(at_s: int, shift_us: int) -> Stamp:
    return lambda now_us: now_us + (shift_us if now_us >= at_s * S else 0)


CLOCKS: dict[str, Stamp] = {
    "10 % slow": lambda now_us: now_us * 90 // 100,
    "2 % slow": lambda now_us: now_us * 98 // 100,
    "half as fast": lambda now_us: now_us // 2,
    "10 % fast": lambda now_us: now_us * 110 // 100,
    "twice as fast": lambda now_us: now_us * 2,
    "3 s back": after(100, -3 * S),
    "10 s back": after(100, -10 * S),
    "1.5 s late": after(100, -3 * S // 2),
    "an hour back": after(60, -3_600 * S),
    "3 s forward": after(60, 3 * S),
    "an hour forward": after(60, 3_600 * S),
    "the stamps wrap": lambda now_us: (now_us + WRAP_US - 60 * S) % WRAP_US,
    "it stands still": lambda _now_us: 7 * S,
    "it runs backwards": lambda now_us: -now_us,
    "a step back each 5 s": lambda now_us: now_us - now_us // (5 * S) * 2 * S,
    "a step forward and one back": lambda now_us: now_us + (5 * S if 30 * S <= now_us < 70 * S else 0),
}


@pytest.mark.parametrize("name", CLOCKS)
@pytest.mark.parametrize("key_frame_every", [10, 10_000])
def test_no_clock_of_a_camera_hides_a_second(name: str, key_frame_every: int) -> None:
    times_us = shown(arriving(CLOCKS[name]), key_frame_every)
    assert len({time_us // S for time_us in times_us}) == 120


@pytest.mark.parametrize("rate", [1, 25])
@pytest.mark.parametrize("name", CLOCKS)
def test_the_same_at_other_frame_rates(name: str, rate: int) -> None:
    times_us = shown(arriving(CLOCKS[name], rate), key_frame_every=rate)
    assert len({time_us // S for time_us in times_us}) >= 120 - (name == "it stands still")


def test_a_way_that_is_longer_for_good_costs_its_own_time_and_a_moment() -> None:
    def delayed() -> Iterator[tuple[int, int]]:
        for position_us in range(0, 120 * S, TENTH):
            yield position_us + (3 * S // 2 if position_us >= 60 * S else 0), position_us

    times_us = shown(delayed(), key_frame_every=10_000)
    gaps = [later_us - time_us for time_us, later_us in itertools.pairwise(times_us)]
    assert max(gaps) <= 2 * S
    assert [gap_us for gap_us in sorted(gaps) if gap_us > TENTH] == [max(gaps)]


def test_what_was_held_up_and_comes_at_once_is_not_shown() -> None:
    def held_up() -> Iterator[tuple[int, int]]:
        for position_us in range(0, 30 * S, TENTH):
            stalled = 10 * S <= position_us < 15 * S
            yield (15 * S + position_us // 1_000 if stalled else position_us), position_us

    stamps_us = dict(held_up())
    for now_us in shown(held_up()):
        assert now_us - stamps_us[now_us] <= S + TENTH


def test_a_process_that_cannot_keep_up_is_late_at_each_speed() -> None:
    lag, lags_us = Lag(), []
    for index in range(200):  # each picture takes twice the time of a picture, and none is waited for
        lag, lag_us = lag.step(index * 2 * TENTH, index * TENTH, waited_us=500)
        lags_us.append(lag_us)
    assert lags_us[-1] == pytest.approx(199 * TENTH, rel=0.01)
    gate, passages = Gate(), []
    for lag_us in lags_us:
        gate, passage = gate.step(lag_us, key_frame=True)
        passages.append(passage)
    assert passages[-1] is Passage.SKIP


def test_after_a_step_of_the_clock_what_is_late_is_still_late() -> None:
    lag, lag_us = Lag().step(0, 0)
    for index in range(1, 40):
        lag, lag_us = lag.step(index * 2 * TENTH, index * TENTH, waited_us=0)
    lag, after_us = lag.step(lag.now_us + TENTH, lag.position_us - 60 * S, waited_us=0)
    assert after_us == lag_us
    assert lag.jump_us == -60 * S - TENTH


def test_a_picture_each_7_s_is_never_old() -> None:
    def slow() -> Iterator[tuple[int, int]]:
        for index in range(40):
            yield index * 7 * S + index % 3 * 2 * S, index * 7 * S

    assert len(shown(slow(), key_frame_every=1)) == 40


def test_lag_is_measured_from_the_earliest_arrival() -> None:
    lag, lags = Lag(drift=0.0), []
    for now_us, position_us in (
        (10 * S, 0),
        (11 * S, 1 * S),
        (14 * S, 2 * S),
        (14 * S, 3 * S),
        (14 * S, 5 * S),
        (15 * S, 5 * S),
    ):
        lag, lag_us = lag.step(now_us, position_us)
        lags.append(lag_us)
    assert lags == [0, 0, 2 * S, 1 * S, 0, 1 * S]


def test_a_day_of_clock_drift_is_no_lag() -> None:
    lag, worst_us = Lag(), 0
    for second in range(86_400):
        lag, lag_us = lag.step(int(second * S * 1.0002), second * S)
        worst_us = max(worst_us, lag_us)
    assert worst_us < 1_000


clocks = st.lists(
    st.tuples(st.integers(1, 12), st.integers(50, 120), st.integers(-3_600 * S, 3_600 * S)), min_size=1, max_size=6
)


@given(clocks, st.sampled_from([5, 10, 25]))
def test_whatever_a_clock_does_each_second_is_shown(phases: list[tuple[int, int, int]], rate: int) -> None:
    """Phases of some seconds, each with a speed in percent and a jump at its beginning."""

    def packets() -> Iterator[tuple[int, int]]:
        now_us = position_us = 0
        for seconds, percent, jump_us in phases:
            position_us += jump_us
            for _ in range(seconds * rate):
                yield now_us, position_us
                now_us, position_us = now_us + S // rate, position_us + S // rate * percent // 100

    times_us = shown(packets(), key_frame_every=rate)
    assert len({time_us // S for time_us in times_us}) == sum(seconds for seconds, _, _ in phases)


def test_late_packets_are_decoded_unseen_and_lost_ones_skipped_up_to_a_key_frame_on_time() -> None:
    gate, passages = Gate(late_us=1 * S, lost_us=4 * S, on_time_us=S // 4), []
    inter = [(0, False), (1 * S, False), (1 * S + 1, False), (4 * S, True), (S, False), (4 * S + 1, False)]
    skipped = [(0, False), (1 * S, True), (S // 4, True), (0, False)]
    for lag_us, key_frame in inter + skipped:
        gate, passage = gate.step(lag_us, key_frame)
        passages.append(passage.name)
    assert passages == ["SHOW", "SHOW", "HIDE", "HIDE", "SHOW", "SKIP", "SKIP", "SKIP", "SHOW", "SHOW"]


@given(st.lists(st.tuples(st.integers(-S, 10 * S), st.booleans()), max_size=60))
def test_nothing_late_is_ever_shown(packets: list[tuple[int, bool]]) -> None:
    gate = Gate()
    for lag_us, key_frame in packets:
        was_skipping = gate.skipping
        gate, passage = gate.step(lag_us, key_frame)
        if passage is Passage.SHOW:
            assert lag_us <= gate.late_us
            assert not was_skipping or key_frame
