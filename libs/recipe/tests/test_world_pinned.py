"""The plain world's pixels may not change: the shipped model was trained on them."""

from __future__ import annotations

import hashlib

import pytest

from vigil_recipe.world import Split, make_episode, render


@pytest.mark.parametrize(
    ("seed", "split", "layout", "t_s", "size", "digest"),
    [
        (0, Split.TRAIN, None, 3.0, (160, 96), "4148e7132cc40641"),
        (7, Split.TEST, "street", 11.25, (320, 192), "c5d8614fb95a2747"),
        (1234, Split.VALIDATION, "corridor", 20.4, (320, 192), "92ae94c9c521ec01"),
        (42, Split.TRAIN, "room", 33.0, (640, 384), "44b715b802f46cb2"),
    ],
)
def test_plain_pixels_stay_what_they_were(
    seed: int, split: Split, layout: str | None, t_s: float, size: tuple[int, int], digest: str
) -> None:
    pixels = render(make_episode(seed, split, 60, layout=layout), t_s, size)
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == digest
