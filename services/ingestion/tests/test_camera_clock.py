"""What is told of a camera's clock: its drift and its jumps, with their figures."""

import pytest

from vigil_ingestion.camera_clock import CameraClock, ClockFault, ClockNotice
from vigil_ingestion.lateness import Lag

S = 1_000_000
WRAP_US = 2**33 * S // 90_000


class Camera:
    """Ten pictures a second, as they are read."""

    def __init__(self) -> None:
        self.lag, self.clock = Lag(), CameraClock()
        self.now_us = self.stamp_us = 0

    def send(self, seconds: float, speed: float = 1.0) -> ClockNotice | None:
        for _ in range(int(seconds * 10)):
            self.lag, _ = self.lag.step(self.now_us, self.stamp_us)
            self.clock = self.clock.step(self.lag)
            self.now_us += S // 10
            self.stamp_us += int(S / 10 * speed)
        return self.clock.notice(self.now_us)


@pytest.mark.parametrize(("speed", "percent"), [(0.9, -10.0), (0.98, -2.0), (0.5, -50.0), (1.1, 10.0), (1.02, 2.0)])
def test_a_drift_is_told_with_its_figure_and_forgotten_when_it_ends(speed: float, percent: float) -> None:
    camera = Camera()
    assert camera.send(24, speed) is None
    notice = camera.send(6, speed)
    assert notice is not None
    assert notice.fault is ClockFault.DRIFT
    assert notice.figure == pytest.approx(percent, abs=0.6)
    camera.send(120, speed)
    assert (camera.clock.drifts, camera.clock.jumps) == (1, 0)
    assert camera.send(60) is None


@pytest.mark.parametrize("jump_s", [-3.0, -10.0, -1.5, 3.0, 3_600.0])
def test_a_jump_is_told_at_once_for_five_minutes(jump_s: float) -> None:
    camera = Camera()
    camera.send(60)
    camera.stamp_us += int(jump_s * S)
    notice = camera.send(1)
    assert notice is not None
    assert notice.fault is ClockFault.JUMP
    assert notice.figure == pytest.approx(jump_s, abs=0.11)
    assert ("forward" in notice.detail) is (jump_s > 0)
    assert camera.send(298) == notice
    assert camera.send(3) is None
    assert (camera.clock.jumps, camera.clock.drifts) == (1, 0)


def test_a_way_that_is_longer_for_good_is_told_as_a_jump_back() -> None:
    camera = Camera()
    camera.send(60)
    camera.now_us += 3 * S // 2
    notice = camera.send(2)
    assert notice == ClockNotice(ClockFault.JUMP, -1.5)


def test_pictures_that_a_server_had_in_hand_are_no_fast_clock() -> None:
    camera = Camera()
    camera.lag, _ = camera.lag.step(0, -5 * S)
    for stamp_us in range(-5 * S, 0, S // 10):
        camera.lag, _ = camera.lag.step(stamp_us // 1_000 + 5_000, stamp_us)
        camera.clock = camera.clock.step(camera.lag)
    camera.now_us = S // 10
    assert camera.send(120) is None
    assert (camera.clock.jumps, camera.clock.drifts) == (0, 0)


def test_a_wrap_of_the_stamps_and_a_good_clock_are_nothing_to_tell() -> None:
    camera = Camera()
    camera.stamp_us = WRAP_US - 60 * S
    assert camera.send(60, 1.0002) is None
    camera.stamp_us -= WRAP_US
    assert camera.send(120, 0.9998) is None
    assert (camera.clock.jumps, camera.clock.drifts) == (0, 0)


def test_the_words_say_what_is_wrong_and_what_to_do() -> None:
    assert ClockNotice(ClockFault.DRIFT, -10.0).detail == (
        "the camera's clock runs 10.0 % slow: its pictures are timed by this server's clock; "
        "check the camera's time source and its network"
    )
    assert "jumped 3.0 s back" in ClockNotice(ClockFault.JUMP, -3.0).detail
