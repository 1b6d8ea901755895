"""The world: determinism, disjoint splits, exact truth, and truth that can be seen in the pixels."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil_recipe.world import Episode, Kind, Span, Split, make_episode, render
from vigil_recipe.world.episode import draw_spans, seed_sequence
from vigil_recipe.world.scene import LAYOUTS
from vigil_recipe.world.trips import KEEP_CLEAR

SMALL = (160, 96)


def quiet(seed: int, *spans: Span, layout: str = "room") -> Episode:
    return make_episode(seed, Split.TEST, 40, spans=spans, layout=layout)


def test_equal_seeds_give_equal_bytes() -> None:
    first, second = (make_episode(7, Split.TRAIN, 30) for _ in range(2))
    assert first == second
    assert all(np.array_equal(render(first, t_s, SMALL), render(second, t_s, SMALL)) for t_s in (0, 3.25, 12, 29.9))


def test_pixels_move_between_seconds() -> None:
    episode = quiet(3, Span(Kind.FIRE, 0, 20))
    assert not np.array_equal(render(episode, 4.0, SMALL), render(episode, 4.3, SMALL))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_no_two_splits_share_an_episode(seed: int) -> None:
    states = {tuple(seed_sequence(seed, split).generate_state(4)) for split in Split}
    assert len(states) == len(Split)


def test_splits_of_one_seed_look_different() -> None:
    scenes = {make_episode(5, split, 20).scene for split in Split}
    assert len(scenes) == 3


@given(seed=st.integers(0, 10_000), seconds=st.integers(1, 200))
@settings(max_examples=100, deadline=None)
def test_drawn_spans_are_2_to_20_s_and_apart(seed: int, seconds: int) -> None:
    spans = draw_spans(np.random.default_rng(seed), seconds)
    for kind in Kind:
        mine = [span for span in spans if span.kind is kind]
        assert all(0 <= span.start_s < seconds for span in mine)
        assert all(1 <= span.end_s - span.start_s <= 20 for span in mine)
        assert all(second.start_s - first.end_s >= 5 for first, second in pairwise(mine))


def test_truth_is_half_open() -> None:
    episode = quiet(1, Span(Kind.DOOR, 10, 12), Span(Kind.FIRE, 11, 13))
    assert [sorted(episode.truth(second)) for second in (9, 10, 11, 12, 13)] == [
        [],
        ["door"],
        ["door", "fire"],
        ["fire"],
        [],
    ]
    assert episode.truth(11.99) == {Kind.DOOR, Kind.FIRE}


def test_overlapping_spans_of_one_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="two fire spans overlap at 5 s"):
        quiet(1, Span(Kind.FIRE, 0, 6), Span(Kind.FIRE, 5, 9))


@pytest.mark.parametrize(("start", "end"), [(4, 4), (5, 3)])
def test_an_empty_span_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        Span(Kind.FALL, start, end)


def test_bad_episodes_are_refused() -> None:
    with pytest.raises(ValueError, match="positive length"):
        make_episode(1, Split.TEST, 0)
    with pytest.raises(ValueError, match="unknown layout 'moon': choose one of room, corridor, street"):
        make_episode(1, Split.TEST, 5, layout="moon")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", list(Kind))
def test_a_condition_shows_in_the_pixels(kind: Kind, layout: str) -> None:
    """Against the same seed without it, a condition changes at least 40 of the 15,360 pixels beyond the noise."""
    for seed in range(6):
        with_it = render(quiet(seed, Span(kind, 5, 25), layout=layout), 15.0, SMALL).astype(int)
        without = render(quiet(seed, layout=layout), 15.0, SMALL).astype(int)
        changed = np.abs(with_it - without).max(axis=2) > 30
        assert changed.sum() >= 40, f"{kind} is hardly visible in seed {seed}"


@pytest.mark.parametrize("kind", [Kind.FIRE, Kind.DOOR])
def test_nothing_is_left_after_a_condition_ends(kind: Kind) -> None:
    for t_s in (10.0, 30.0):
        after = render(quiet(2, Span(kind, 5, 10)), t_s, SMALL)
        assert np.array_equal(after, render(quiet(2), t_s, SMALL))


@pytest.mark.parametrize("seed", range(5))
def test_the_fallen_stand_at_the_very_end_of_a_fall(seed: int) -> None:
    """The end's picture is that of someone standing there, as a moment later, and not that of a moment earlier."""
    passed = quiet(seed, Span(Kind.FALL, 5, 10))
    episode = replace(passed, trips=(), scene=replace(passed.scene, jitter=0.0, noise=1.0))
    lying, end, later = (render(episode, t_s, SMALL).astype(int) for t_s in (9.45, 10.0, 10.6))
    assert (np.abs(end - later).max(axis=2) > 40).sum() < (np.abs(end - lying).max(axis=2) > 40).sum() / 4


@given(seed=st.integers(0, 3_000))
@settings(max_examples=40, deadline=None)
def test_nobody_falls_on_the_bag(seed: int) -> None:
    scene = make_episode(seed, Split.TRAIN, 10).scene
    assert abs(scene.fall_at[0] - scene.bag_at[0]) > 0.15


@given(seed=st.integers(0, 3_000))
@settings(max_examples=40, deadline=None)
def test_nobody_passes_an_unattended_bag(seed: int) -> None:
    episode = make_episode(seed, Split.TRAIN, 60)
    for span in episode.spans_of(Kind.OBJECT):
        for trip in episode.trips:
            if trip.pose not in ("pet", "car"):
                times = np.arange(max(trip.start_s, span.start_s), min(trip.end_s, span.end_s), 0.25)
                distance = min((abs(trip.x(float(t)) - episode.scene.bag_at[0]) for t in times), default=1.0)
                assert distance >= KEEP_CLEAR * 0.8


@given(seed=st.integers(0, 3_000))
@settings(max_examples=60, deadline=None)
def test_the_four_places_do_not_overlap(seed: int) -> None:
    scene = make_episode(seed, Split.TRAIN, 10).scene
    places = sorted([scene.door_x, scene.bag_at[0], scene.fire_at[0]])
    assert all(right - left > 0.25 for left, right in pairwise(places))
    assert all(0 < place < 5 / 3 for place in places)


def test_the_picture_has_the_asked_for_size() -> None:
    assert render(quiet(1), 1.0, (320, 192)).shape == (192, 320, 3)
    assert render(quiet(1), 1.0, (320, 192)).dtype == np.uint8
