"""What passes as a JPEG: by value, by damage, by property."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vigil.testing.images import busy_jpeg, jpeg
from vigil_codec.jpeg import size_of

WHOLE = busy_jpeg(1, (160, 96))
SCAN = WHOLE.index(b"\xff\xda")
FRAME = WHOLE.index(b"\xff\xc0")


def written(**options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (48, 32), (1, 2, 3)).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@given(st.integers(1, 4_000), st.integers(1, 60))
def test_the_size_is_the_picture_s(width: int, height: int) -> None:
    assert size_of(jpeg(size=(width, height))) == (width, height)


@pytest.mark.parametrize(
    "options",
    [
        {"progressive": True},
        {"exif": b"Exif\x00\x00" + b"\xff\xd9\xff\xc0 a thumbnail of its own " * 9},
        {"comment": b"\xff" * 300},
        {"restart_marker_blocks": 1},
        {"quality": 5, "subsampling": 0},
    ],
)
def test_every_way_to_write_one_is_read(options: dict[str, object]) -> None:
    assert size_of(written(**options)) == (48, 32)


def test_padding_between_segments_and_after_the_end_is_allowed() -> None:
    assert size_of(WHOLE[:FRAME] + b"\xff\xff" + WHOLE[FRAME:] + bytes(3)) == (160, 96)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"not a picture" * 100,
        WHOLE[1:],
        WHOLE[:-2],
        WHOLE[: len(WHOLE) // 2],
        WHOLE[:SCAN] + b"\xff\xd9",
        WHOLE[: FRAME + 2] + b"\x00\x01" + WHOLE[FRAME + 4 :],
        WHOLE[: FRAME + 1] + b"\xc3" + WHOLE[FRAME + 2 :],
        bytes(200) + WHOLE[200:],
    ],
)
def test_what_is_damaged_has_no_size(damaged: bytes) -> None:
    assert size_of(damaged) is None


@given(st.integers(0, len(WHOLE) - 1))
def test_none_that_was_cut_passes(length: int) -> None:
    assert size_of(WHOLE[:length]) is None


@given(st.binary(max_size=200), st.integers(0, SCAN))
def test_any_bytes_have_an_answer(noise: bytes, at: int) -> None:
    size_of(noise)
    answer = size_of(WHOLE[:at] + noise + WHOLE[at + len(noise) :])
    assert answer is None or len(answer) == 2
