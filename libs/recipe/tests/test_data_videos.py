"""From records and videos to samples: pictures, cache, seconds, streaming, and the command."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vigil.core.profile import VIGIL_SMALL
from vigil_recipe.data.__main__ import main
from vigil_recipe.data.check import Limits
from vigil_recipe.data.convert import LAYOUTS, chunks_of, content_of, messages_of, seconds_of
from vigil_recipe.data.frame_cache import FrameCache
from vigil_recipe.data.records import RecordError, record_of
from vigil_recipe.data.stream import Checked, OnError, packed, read_files, shuffled
from vigil_recipe.data.video import Sampling, VideoError, duration_s, picture_size, sample_jpegs

FPS, SECONDS = 8, 3


def write_video(path: Path, seconds: int = SECONDS, size: tuple[int, int] = (320, 192)) -> Path:
    """Frame n of the video is grey of brightness 5 n."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for index in range(seconds * FPS):
            pixels = np.full((size[1], size[0], 3), 5 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "a.mp4")
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


def cut(video: Path) -> bytes:
    """A video whose pictures are gone, though its index is there."""
    whole = video.read_bytes()
    begin, end = whole.index(b"mdat") + 40, whole.index(b"moov")
    return whole[:begin] + bytes(end - begin) + whole[end:]


def brightness(jpeg: bytes) -> float:
    with Image.open(io.BytesIO(jpeg)) as image:
        return float(np.asarray(image.convert("L")).mean())


@pytest.mark.parametrize("rate", [1, 2, 4])
def test_pictures_are_those_that_show_at_their_time(videos: Path, rate: int) -> None:
    jpegs = list(sample_jpegs(videos / "a.mp4", Sampling(VIGIL_SMALL, rate)))
    assert len(jpegs) == SECONDS * rate
    for index, jpeg in enumerate(jpegs):
        assert brightness(jpeg) == pytest.approx(5 * index * FPS / rate, abs=2.5)


def test_pictures_have_the_profiles_size(videos: Path) -> None:
    assert picture_size(videos / "a.mp4") == (320, 192)
    with Image.open(io.BytesIO(next(sample_jpegs(videos / "a.mp4", Sampling(VIGIL_SMALL))))) as image:
        assert image.size == VIGIL_SMALL.fit(320, 192)


def test_what_is_no_video_is_named(videos: Path) -> None:
    assert duration_s(videos / "a.mp4") == pytest.approx(SECONDS)
    with pytest.raises(VideoError, match=r"none\.mp4: there is no such video"):
        duration_s(videos / "none.mp4")
    with pytest.raises(VideoError, match=r"broken\.mp4: cannot be decoded"):
        list(sample_jpegs(videos / "broken.mp4", Sampling(VIGIL_SMALL)))
    with pytest.raises(ValueError, match="one of"):
        Sampling(VIGIL_SMALL, 3)


def test_the_cache_keeps_pictures_and_gives_up_the_longest_unused(videos: Path, tmp_path: Path) -> None:
    one, two = Sampling(VIGIL_SMALL, 1), Sampling(VIGIL_SMALL, 2)
    cache = FrameCache(tmp_path / "cache", 10**9)
    made = cache.jpegs(videos / "a.mp4", one)
    assert cache.jpegs(videos / "a.mp4", one) == made == tuple(sample_jpegs(videos / "a.mp4", one))
    [kept] = (tmp_path / "cache").iterdir()
    small = FrameCache(tmp_path / "cache", kept.stat().st_size * 5 // 2)
    small.jpegs(videos / "a.mp4", two)
    assert not kept.exists()
    assert len(list((tmp_path / "cache").iterdir())) == 1


def record(*responses: tuple[str, float], **change: Any) -> Any:
    value = {
        "video_path": "a.mp4",
        "question": [{"content": "Alert me whenever it gets bright.", "time": 0}],
        "response": [{"content": content, "time": time} for content, time in responses],
    }
    return record_of(value | change, "f.jsonl", 1)


def test_the_converters_form_is_that_of_the_paper() -> None:
    seconds = seconds_of(record(("Bright. </delegation> Why?", 1.7)), 2.4)
    messages = messages_of(seconds, LAYOUTS["joyai"], 2)
    assert [(message.role, content_of(message)) for message in messages[1:]] == [
        ("user", "Alert me whenever it gets bright.\n<0.0 seconds>\n<image>\n<image>"),
        ("assistant", "</silence>"),
        ("user", "<1.0 seconds>\n<image>\n<image>"),
        ("assistant", "</response> Bright. </delegation> Why?"),
        ("user", "<2.0 seconds>\n<image>\n<image>"),
        ("assistant", "</silence>"),
    ]
    assert messages[0].role == "system"


def test_the_other_layouts() -> None:
    seconds = seconds_of(record(), 1.0)
    header = "[User Query (IMPORTANT — follow this instruction)]\nAlert me whenever it gets bright."
    assert content_of(messages_of(seconds, LAYOUTS["joyai-serving"], 1)[1]) == f"{header}<0.0 seconds><image>"
    system, user, _ = (content_of(message) for message in messages_of(seconds, LAYOUTS["vigil-small"], 1))
    assert system == "You watch a camera."
    assert user == "Alert me whenever it gets bright.\n<0.0 seconds>\n<image>"


def test_what_falls_into_one_second_is_said_in_it() -> None:
    seconds = seconds_of(record(("One.", 1.0), ("Two.", 1.9), ("End.", 3.0)), 3.0)
    assert [one.reply for one in seconds] == ["</silence>", "</response> One. Two.", "</response> End."]
    with pytest.raises(RecordError, match="a reply follows a delegation within second 1"):
        seconds_of(record(("One. </delegation> Q?", 1.0), ("Two.", 1.9)), 3.0)


def test_a_later_chunk_restates_the_last_question() -> None:
    first, second = chunks_of(seconds_of(record(), 5.0), 3)
    assert [one.second for one in (*first, *second)] == [0, 1, 2, 3, 4]
    assert second[0].lines == first[0].lines == ("Alert me whenever it gets bright.",)


@given(st.lists(st.integers(), max_size=60), st.integers(1, 20), st.integers(0, 5))
def test_shuffling_loses_nothing(items: list[int], buffer: int, seed: int) -> None:
    assert Counter(shuffled(items, buffer, np.random.default_rng(seed))) == Counter(items)


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(10, 100), st.integers(1, 16))
def test_packing_keeps_to_its_budget_and_loses_nothing(lengths: list[int], budget: int, window: int) -> None:
    batches = list(packed(lengths, budget, lambda length: length, window))
    assert Counter(length for batch in batches for length in batch) == Counter(lengths)
    assert all(len(batch) == 1 or max(batch) * len(batch) <= budget for batch in batches)


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(10, 100), st.integers(1, 64))
def test_joined_batches_are_full_and_lose_nothing(lengths: list[int], budget: int, window: int) -> None:
    batches = list(packed(lengths, budget, lambda length: length, window, joined=True))
    assert Counter(length for batch in batches for length in batch) == Counter(lengths)
    assert all(len(batch) == 1 or sum(batch) <= budget for batch in batches)
    if window >= len(lengths):
        assert all(sum(one) + sum(other) > budget for one, other in combinations(batches, 2))


def write_records(path: Path, *values: Any) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


GOOD = {
    "video_path": "a.mp4",
    "question": [{"content": "Tell me.", "time": 0}],
    "response": [{"content": "Yes.", "time": 1}],
}
BAD = GOOD | {"video_path": "none.mp4"}


@given(st.integers(1, 5), st.integers(0, 12))
def test_processes_share_the_records(tmp_path_factory: pytest.TempPathFactory, ranks: int, count: int) -> None:
    folder = tmp_path_factory.mktemp("shares")
    files = [write_records(folder / name, *range(count)) for name in ("a", "b")]
    shares = [[(raw.file, raw.number) for raw in read_files(files, rank, ranks)] for rank in range(ranks)]
    everything = sorted(one for share in shares for one in share)
    assert everything == sorted((str(path), number + 1) for path in files for number in range(count))


def test_bad_records_are_skipped_and_counted_or_refused(videos: Path, tmp_path: Path) -> None:
    path = write_records(tmp_path / "r.jsonl", GOOD, BAD, GOOD)
    checked = Checked(videos, Limits(), OnError.SKIP)
    assert [one.record.number for one in checked(read_files([path]))] == [1, 3]
    assert [str(error).split(": ")[:3] for error in checked.skipped] == [[str(path), "record 2", "video_path"]]
    with pytest.raises(RecordError, match=r"record 2: video_path: .*none\.mp4: there is no such video"):
        list(Checked(videos, Limits(), OnError.REFUSE)(read_files([path])))


def test_convert_writes_samples_and_pictures(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = write_records(tmp_path / "r.jsonl", GOOD), tmp_path / "out.jsonl"
    frames = tmp_path / "frames"
    arguments = [str(path), "--videos", str(videos), "--out", str(out), "--frames", str(frames), "--images", "2"]
    assert main(["convert", *arguments]) == 0
    assert capsys.readouterr().out == "1 usable, 0 skipped\n"
    [sample] = [json.loads(line) for line in out.read_text().splitlines()]
    assert [message["role"] for message in sample["messages"]] == ["system"] + ["user", "assistant"] * SECONDS
    assert (
        sum(message["content"].count("<image>") for message in sample["messages"])
        == len(sample["images"])
        == 2 * SECONDS
    )
    assert all((frames / image).read_bytes()[:2] == b"\xff\xd8" for image in sample["images"])


def test_a_refused_record_leaves_nothing_written(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = write_records(tmp_path / "r.jsonl", GOOD, BAD), tmp_path / "out.jsonl"
    arguments = ["convert", str(path), "--videos", str(videos), "--out", str(out)]
    for frames in ([], ["--frames", str(tmp_path / "frames")]):
        assert main([*arguments, *frames]) == 1
        assert "r.jsonl: record 2: video_path" in capsys.readouterr().err
        assert sorted(one.name for one in tmp_path.iterdir()) == ["r.jsonl"]


def test_what_cannot_be_used_is_left_out_of_a_conversion_and_named(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    after = [{"content": "One. </delegation> Q?", "time": 1}, {"content": "Two.", "time": 1.5}]
    (videos / "cut.mp4").write_bytes(cut(videos / "a.mp4"))
    path = write_records(tmp_path / "r.jsonl", GOOD | {"response": after}, GOOD | {"video_path": "cut.mp4"}, GOOD)
    said = [r"record 1: .* follows a delegation", r"record 2: video_path: .*cut\.mp4: cannot be decoded"]
    assert main(["validate", str(path), "--videos", str(videos)]) == 0
    assert re.search(said[0], capsys.readouterr().err)
    out, frames = tmp_path / "out.jsonl", tmp_path / "frames"
    arguments = ["convert", str(path), "--videos", str(videos), "--out", str(out), "--frames", str(frames)]
    assert main([*arguments, "--on-error", "skip"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "1 usable, 2 skipped\n"
    assert all(re.search(words, shown.err) for words in said)
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["r-000003/0"]
    assert [one.name for one in frames.iterdir()] == ["r-000003"]
    assert main([*arguments, "--on-error", "refuse"]) == 1


def test_pictures_of_an_earlier_run_stay_when_a_later_one_fails(videos: Path, tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    whole, broken = write_records(tmp_path / "r.jsonl", GOOD), write_records(tmp_path / "s.jsonl", GOOD, BAD)
    arguments = ["--videos", str(videos), "--out", str(tmp_path / "out.jsonl"), "--frames", str(frames)]
    assert main(["convert", str(whole), *arguments]) == 0
    before = sorted(frames.rglob("*"))
    assert main(["convert", str(broken), *arguments]) == 1
    assert sorted(frames.rglob("*")) == before


def test_files_of_one_name_do_not_share_their_pictures(videos: Path, tmp_path: Path) -> None:
    files = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        files.append(str(write_records(tmp_path / folder / "r.jsonl", GOOD)))
    out, frames = tmp_path / "out.jsonl", tmp_path / "frames"
    assert main(["convert", *files, "--videos", str(videos), "--out", str(out), "--frames", str(frames)]) == 0
    samples = [json.loads(line) for line in out.read_text().splitlines()]
    assert [sample["id"] for sample in samples] == ["r-000001/0", "r~2-000001/0"]
    assert sorted(path.name for path in frames.iterdir()) == ["r-000001", "r~2-000001"]
    assert all((frames / image).exists() for sample in samples for image in sample["images"])


def test_validate_reports_each_bad_record(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_records(tmp_path / "r.jsonl", GOOD, BAD, 3)
    assert main(["validate", str(path), "--videos", str(videos)]) == 0
    shown = capsys.readouterr()
    assert shown.out == "1 usable, 2 skipped\n"
    assert f"skipped: {path}: record 2: video_path" in shown.err
    assert f"skipped: {path}: record 3: a record must be an object, got a number" in shown.err
