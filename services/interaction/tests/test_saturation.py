"""Measured capacity: it falls when turns stay late, grows slowly when none is, and finds the knee."""

from hypothesis import given
from hypothesis import strategies as st

from vigil.core.profile import JOYAI, VIGIL_SMALL
from vigil_interaction.image_cache import image_capacity, picture_bytes
from vigil_interaction.saturation import MAX_LATE_SHARE, QUIET_WINDOWS, Saturation, Window, measuring

windows = st.integers(0, 200).flatmap(
    lambda due: st.builds(Window, held=st.integers(0, 64), due=st.just(due), late=st.integers(0, due))
)


@given(st.integers(1, 64), st.lists(windows, max_size=40))
def test_it_stays_between_one_and_the_limit(limit: int, seen: list[Window]) -> None:
    now = measuring(limit)
    assert now.capacity == limit
    for window in seen:
        now = now.after(window)
        assert 1 <= now.capacity <= limit
        assert 0 <= now.quiet <= QUIET_WINDOWS


@given(st.integers(2, 64), st.integers(1, 64), st.integers(8, 1_000), st.floats(MAX_LATE_SHARE, 1, exclude_min=True))
def test_late_turns_leave_no_room(limit: int, held: int, due: int, share: float) -> None:
    late = min(due, int(due * share) + 1)
    window = Window(held, due, late)
    now = measuring(limit).after(window)
    assert now.capacity == limit, "one window may be a blip"
    now = now.after(window)
    assert now.capacity <= held
    assert now.capacity < held or held == 1
    assert now.capacity >= held // 2 or now.capacity == limit


@given(st.integers(1, 64), windows)
def test_a_capacity_that_grows_does_so_a_step_at_a_time(capacity: int, window: Window) -> None:
    before = Saturation(64, capacity, quiet=QUIET_WINDOWS - 1)
    after = before.after(window)
    assert after.capacity - before.capacity <= 3
    if after.capacity > before.capacity:
        assert after.quiet == 0, "the next step takes as long again"


def test_a_window_with_few_turns_condemns_nobody() -> None:
    assert measuring(8).after(Window(held=2, due=7, late=7)).capacity == 8


def test_late_windows_must_follow_each_other() -> None:
    late, fine = Window(held=4, due=40, late=20), Window(held=4, due=40, late=0)
    now = measuring(8)
    for window in (late, fine, late, fine, late):
        now = now.after(window)
    assert now.capacity == 8
    assert now.after(late).capacity < 4


def test_between_quiet_and_late_nothing_moves() -> None:
    now = Saturation(64, 20, quiet=2).after(Window(held=20, due=200, late=6))
    assert (now.capacity, now.quiet) == (20, 0)


@given(st.integers(4, 60))
def test_an_open_loop_of_clients_settles_at_the_knee(knee: int) -> None:
    """A machine that holds `knee` sessions, clients that always want more, one that leaves each window."""
    now, held, history = measuring(64), 0, []
    for _ in range(300):
        held = max(held - 1, 0)
        held = max(held, now.capacity)
        late = 0 if held <= knee else min(1.0, 0.06 + 0.1 * (held - knee))
        now = now.after(Window(held, held * 10, int(held * 10 * late)))
        history.append(held)
    assert max(history[100:]) <= knee + 4
    assert sum(history[100:]) / 200 >= 0.7 * knee


def test_pictures_that_fit() -> None:
    assert round(picture_bytes(JOYAI) / 1e6, 1) == 1.6
    assert round(picture_bytes(VIGIL_SMALL) / 1e6, 1) == 0.1
    assert image_capacity(4 * 2**30, JOYAI, 100) == 27
    assert image_capacity(28 * 10**9, JOYAI, 100) == 178, "28 GB for about 180 sessions (model contract, section 8)"
    assert image_capacity(1, JOYAI, 100) == 1
