"""Opening and decoding: every bad source is a typed fault, every damaged picture is counted and skipped."""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vigil.core.profile import VIGIL_SMALL
from vigil.testing.videos import jpegs_of, second_shown, write_joined, write_video
from vigil_ingestion.address import resolve
from vigil_ingestion.camera_clock import ClockFault, ClockNotice
from vigil_ingestion.clock import Clock
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.media import Limits, Media, opened
from vigil_ingestion.picture import encode
from vigil_ingestion.playback import Capture, length, live, played
from vigil_ingestion.timeline import Timeline

S = 1_000_000
LIMITS = Limits(open_s=2.0, read_s=1.0)
ORIGIN_US = 1_700_000_000 * S


class JumpingClock(Clock):
    """Time that passes only by waiting; `work_us` passes with every look at it. Stops at `end_us`."""

    def __init__(self, now_us: int, end_us: int, work_us: int = 0) -> None:
        self.time_us, self._end_us, self._work_us = now_us, end_us, work_us

    def now_us(self) -> int:
        self.time_us += self._work_us
        return self.time_us

    def wait_until(self, due_us: int) -> bool:
        self.time_us = max(self.time_us, due_us)
        return self.time_us < self._end_us


def playing(path: Path, since_s: float, until_s: float, loop: bool = True) -> Iterator[tuple[float, int]]:
    """(seconds since the origin, second that the picture shows) of a file watched from and to these times."""
    address = resolve(f"file://{path}", None)
    with opened(address, LIMITS) as media:
        duration_us = length(media, "the file").duration_us
    clock = JumpingClock(ORIGIN_US + int(since_s * S), ORIGIN_US + int(until_s * S))
    for capture in played(address, LIMITS, Timeline.of(ORIGIN_US, duration_us, loop), clock):
        yield (capture.time_us - ORIGIN_US) / S, shown(capture)


def shown(capture: Capture) -> int:
    return second_shown(np.asarray(capture.frame.to_ndarray(format="rgb24")))


def collect(captures: Iterator[Capture], times_us: list[int]) -> None:
    for capture in captures:
        times_us.append(capture.time_us)  # noqa: PERF401  what came before an error counts


def fault_of(path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught, opened(resolve(f"file://{path}", None), LIMITS) as media:
        length(media, "the file")
    return caught.value


def pictures(media: Media) -> list[tuple[int, int]]:
    return [(frame.width, frame.height) for packet in media.packets() for frame in media.frames(packet)]


def test_what_is_not_a_video(tmp_path: Path) -> None:
    text, image = tmp_path / "text.mp4", tmp_path / "image.jpg"
    text.write_text("not a video\n" * 500)
    Image.new("RGB", (64, 64)).save(image)
    for path, told in ((text, "give MP4"), (image, "is a playlist or a picture")):
        error = fault_of(path)
        assert error.fault is Fault.NOT_A_VIDEO, path
        assert told in error.message


def test_a_refused_connection_is_unreachable_and_shows_no_password(free_port: int) -> None:
    address = resolve(f"rtsp://user:s3cret@127.0.0.1:{free_port}/cam", None)
    with pytest.raises(SourceError) as caught, opened(address, LIMITS):
        pass
    assert caught.value.fault is Fault.UNREACHABLE
    assert "s3cret" not in caught.value.message
    assert caught.value.__cause__ is None


def test_a_file_plays_at_its_own_speed(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=4, rate=10)
    seen = list(playing(video, since_s=0, until_s=100, loop=False))
    assert [at_s for at_s, _ in seen] == pytest.approx([index / 10 for index in range(40)], abs=1e-3)
    assert [second for _, second in seen] == [index // 10 for index in range(40)]


def test_a_file_loops_without_a_seam(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=4, rate=10)
    seen = list(playing(video, since_s=0, until_s=9))
    assert [at_s for at_s, _ in seen] == pytest.approx([index / 10 for index in range(90)], abs=1e-3)
    assert [second for _, second in seen] == [index // 10 % 4 for index in range(90)]


def test_a_looped_clip_of_two_pictures_is_opened_once_a_second(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(b"".join(jpegs_of(write_video(tmp_path / "a.mjpeg", seconds=1, rate=25, codec="mjpeg"))[:2]))
    assert [at_s for at_s, _ in playing(clip, since_s=0, until_s=3)] == [0, 0.04, 1, 1.04, 2, 2.04]
    assert [at_s for at_s, _ in playing(clip, since_s=0.5, until_s=3)] == [1, 1.04, 2, 2.04]
    assert [at_s for at_s, _ in playing(clip, since_s=0, until_s=3, loop=False)] == [0, 0.04]


@pytest.mark.parametrize("suffix", ["mp4", "mjpeg"])
def test_a_restarted_worker_resumes_where_playback_is_now(tmp_path: Path, suffix: str) -> None:
    codec, rate = ("mjpeg", 25) if suffix == "mjpeg" else ("libx264", 10)
    video = write_video(tmp_path / f"a.{suffix}", seconds=4, rate=rate, codec=codec)
    seen = list(playing(video, since_s=4 * 1_000 + 2.5, until_s=4 * 1_000 + 3.5))
    assert 4_002.5 - 1 / rate < seen[0][0] <= 4_002.5 + 1e-3  # the picture in view then
    assert [second for _, second in seen] == [int(at_s + 1e-3) % 4 for at_s, _ in seen]
    assert {second for _, second in seen} == {2, 3}


def test_a_file_that_ended_before_the_restart_shows_nothing(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=4)
    assert list(playing(video, since_s=4.1, until_s=100, loop=False)) == []


def test_a_starved_process_leaves_out_what_is_late(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=12, rate=10)
    address, timeline = resolve(f"file://{video}", None), Timeline(ORIGIN_US, 12 * S, False)
    clock = JumpingClock(ORIGIN_US, ORIGIN_US + 100 * S, work_us=S // 5)  # each packet takes the time of two pictures
    captures = list(played(address, LIMITS, timeline, clock))
    assert 10 < len(captures) < 80
    assert [shown(capture) for capture in captures] == [(capture.time_us - ORIGIN_US) // S for capture in captures]


def test_a_short_stall_costs_no_more_than_its_own_time(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=10, rate=10, key_frame_every=100)
    address, timeline = resolve(f"file://{video}", None), Timeline(ORIGIN_US, 10 * S, False)
    clock = JumpingClock(ORIGIN_US, ORIGIN_US + 100 * S)
    seen_s: list[float] = []
    for capture in played(address, LIMITS, timeline, clock):
        seen_s.append((capture.time_us - ORIGIN_US) / S)
        if len(seen_s) == 20:
            clock.time_us += 3 * S
    gaps = [later - earlier for earlier, later in itertools.pairwise(seen_s)]
    assert sorted(gaps)[-2] < 0.5  # pictures are reordered around the edge
    assert 1.5 < max(gaps) < 3.2


def test_a_truncated_file_plays_what_it_can_and_says_so(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", seconds=4, faststart=True)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.7)])
    with opened(resolve(f"file://{cut}", None), LIMITS) as media:
        found = length(media, "the file")
    assert S <= found.duration_us < 4 * S
    assert found.complaint == f"the file is truncated: {found.duration_us / S:.1f} s of 4.0 s can be played"
    seen = list(playing(cut, since_s=0, until_s=8))
    assert len(seen) >= 60
    assert max(second for _, second in seen) == (found.duration_us - 1) // S


def test_a_file_cut_before_its_index_is_not_a_video(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4")
    whole.write_bytes(whole.read_bytes()[:-1_500])
    assert fault_of(whole).fault is Fault.NOT_A_VIDEO


def test_damaged_pictures_are_counted_and_skipped(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mjpeg", seconds=2, rate=25, codec="mjpeg")
    jpegs = jpegs_of(video)
    middle = len(jpegs[10]) // 2
    jpegs[10][middle:-10] = bytes(index * 7_919 % 251 for index in range(middle, len(jpegs[10]) - 10))
    jpegs[20] = jpegs[20][: len(jpegs[20]) - 300]
    video.write_bytes(b"".join(jpegs))
    with opened(resolve(f"file://{video}", None), LIMITS) as media:
        sizes = pictures(media)
        assert media.broken == 2
    assert sizes == [(320, 192)] * 48


@pytest.mark.parametrize(("suffix", "codec"), [("h264", "libx264"), ("mjpeg", "mjpeg")])
def test_the_frame_size_may_change(tmp_path: Path, suffix: str, codec: str) -> None:
    first = write_video(tmp_path / f"a.{suffix}", seconds=1, codec=codec, size=(320, 192))
    second = write_video(tmp_path / f"b.{suffix}", seconds=1, codec=codec, size=(640, 480))
    video = tmp_path / f"both.{suffix}"
    video.write_bytes(first.read_bytes() + second.read_bytes())
    with opened(resolve(f"file://{video}", None), LIMITS) as media:
        sizes = [
            (picture.width, picture.height)
            for packet in media.packets()
            for frame in media.frames(packet)
            for picture in [encode(frame, 0, VIGIL_SMALL)]
        ]
    assert sizes == [VIGIL_SMALL.fit(320, 192)] * 10 + [VIGIL_SMALL.fit(640, 480)] * 10


def test_a_picture_is_scaled_to_the_profile_and_keeps_its_colours(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=3, size=(640, 384))
    with opened(resolve(f"file://{video}", None), LIMITS) as media:
        frames = [frame for packet in media.packets() for frame in media.frames(packet)]
    picture = encode(frames[-1], 42, VIGIL_SMALL)
    pixels = np.asarray(Image.open(io.BytesIO(picture.jpeg)))
    assert (picture.width, picture.height, picture.capture_time_us) == (*VIGIL_SMALL.fit(640, 384), 42)
    assert pixels.shape == (picture.height, picture.width, 3)
    assert second_shown(pixels) == 2
    red = pixels[8:-8, -picture.width // 4 : -8].reshape(-1, 3).mean(axis=0)
    assert red == pytest.approx([255, 0, 0], abs=12)


def test_a_live_source_is_timed_by_the_clock_and_ends_in_a_fault(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)
    clock = JumpingClock(ORIGIN_US, ORIGIN_US + 100 * S, work_us=1_000)
    times_us: list[int] = []
    with opened(resolve(f"file://{video}", None), LIMITS) as media, pytest.raises(SourceError) as caught:
        collect(live(media, clock), times_us)
    assert caught.value.fault is Fault.UNREACHABLE
    assert len(times_us) == 10
    assert times_us == sorted(set(times_us))


@pytest.mark.parametrize(("second_s", "jump_s"), [(100, -103), (3_800, 3_597)])
def test_a_live_source_whose_clock_jumps_shows_all_and_tells(tmp_path: Path, second_s: float, jump_s: float) -> None:
    video = write_joined(tmp_path, second_s)
    clock, told = JumpingClock(ORIGIN_US, ORIGIN_US + 100 * S, work_us=20_000), list[ClockNotice | None]()
    times_us: list[int] = []
    with opened(resolve(f"file://{video}", None), LIMITS) as media, pytest.raises(SourceError):
        collect(live(media, clock, told.append), times_us)
    assert len(times_us) >= 59
    (notice,) = told
    assert notice is not None
    assert notice.fault is ClockFault.JUMP
    assert notice.figure == pytest.approx(jump_s, abs=1)


def test_a_stopped_live_source_ends_quietly(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=4)
    clock = JumpingClock(ORIGIN_US, ORIGIN_US + S // 2, work_us=10_000)
    with opened(resolve(f"file://{video}", None), LIMITS) as media:
        times = [capture.time_us for capture in live(media, clock)]
    assert 0 < len(times) < 40
    assert times == sorted(set(times))
    assert times[-1] <= ORIGIN_US + S // 2
