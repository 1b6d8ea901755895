"""Lengths of sound in bytes and in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.sound import BYTES_PER_S, MAX_CHUNK_MS, chunk_bytes, duration_ms, is_whole, length_us


@given(st.integers(1, MAX_CHUNK_MS))
def test_the_bytes_of_a_chunk_last_as_long_as_was_asked(milliseconds: int) -> None:
    pcm = bytes(chunk_bytes(milliseconds))
    assert duration_ms(pcm) == milliseconds
    assert length_us(len(pcm)) == milliseconds * 1_000


def test_a_second_has_as_many_bytes_as_its_rate_says() -> None:
    assert chunk_bytes(1_000) == BYTES_PER_S == 32_000
    assert chunk_bytes(1_000, 24_000) == 48_000
    assert duration_ms(bytes(48_000), 24_000) == 1_000


@pytest.mark.parametrize(("length", "expected"), [(0, False), (1, False), (2, True), (3, False), (4, True), (6, False)])
def test_sound_is_whole_samples_and_no_more_than_is_taken(length: int, expected: bool) -> None:
    assert is_whole(bytes(length), 4) is expected
