"""The stages beyond the plain world: looks, readable signs, countable crossings, forced disturbances."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil_recipe.world import Episode, Kind, Robustness, Span, Split, Stage, make_episode, render
from vigil_recipe.world.canvas import WORLD_WIDTH
from vigil_recipe.world.look import Look, Style
from vigil_recipe.world.passages import crossing_second
from vigil_recipe.world.sign import LEXICON, SignSpan

SMALL = (160, 96)
seeds = st.integers(0, 5_000)
stages = st.sampled_from(list(Stage))
beyond_plain = st.sampled_from([stage for stage in Stage if stage is not Stage.PLAIN])


@given(seed=seeds, stage=stages)
@settings(max_examples=40, deadline=None)
def test_an_episode_is_its_seed_and_stage(seed: int, stage: Stage) -> None:
    first, second = (make_episode(seed, Split.TRAIN, 30, stage=stage) for _ in range(2))
    assert first == second
    assert first.stage is stage
    assert (first.look is None) == (stage is Stage.PLAIN)
    assert np.array_equal(render(first, 7.0, SMALL), render(second, 7.0, SMALL))


@given(seed=seeds, stage=beyond_plain)
@settings(max_examples=40, deadline=None)
def test_splits_share_nothing_on_any_stage(seed: int, stage: Stage) -> None:
    episodes = [make_episode(seed, split, 30, stage=stage) for split in Split]
    assert len({(episode.scene, episode.look, episode.screen) for episode in episodes}) == len(Split)


def test_varied_episodes_have_every_layout_and_style() -> None:
    episodes = [make_episode(seed, Split.TRAIN, 20, stage=Stage.VARIED) for seed in range(150)]
    looks = [episode.look for episode in episodes if episode.look is not None]
    assert {episode.scene.layout for episode in episodes} == {"room", "corridor", "street", "counter"}
    assert {look.style for look in looks} == set(Style)
    assert {look.infrared for look in looks} == {True, False}
    assert {look.occluder.plant for look in looks if look.occluder} == {True, False}


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("stage", [Stage.VARIED, Stage.SIGN])
def test_a_condition_shows_through_every_look(kind: Kind, stage: Stage) -> None:
    """Against the same episode without it a condition changes at least 30 pixels: nothing hides it."""
    for seed in range(40):
        episode = make_episode(seed, Split.TEST, 40, spans=(Span(kind, 5, 25),), stage=stage)
        still = replace(episode, trips=(), scene=replace(episode.scene, noise=0.0, jitter=0.0))
        with_it, without = render(still, 15.0, SMALL), render(replace(still, spans=()), 15.0, SMALL)
        changed = np.abs(with_it.astype(int) - without).max(axis=2) > 16
        assert changed.sum() >= 30, f"{kind} is hardly visible in seed {seed}"


def looked(look: Look) -> np.ndarray:
    plain = make_episode(3, Split.TRAIN, 20, layout="room")
    return render(replace(plain, look=look), 4.0, SMALL).astype(int)


@pytest.mark.parametrize("style", [style for style in Style if style is not Style.NATURAL])
def test_every_style_changes_the_picture(style: Style) -> None:
    natural, styled = (looked(Look(one, False, (0.8, 0.9, 1.0), None)) for one in (Style.NATURAL, style))
    assert (np.abs(natural - styled).max(axis=2) > 4).mean() > 0.05


def test_infrared_has_no_colour() -> None:
    pixels = looked(Look(Style.TINTED, True, (0.8, 0.9, 1.0), None))
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    assert np.median(spread) <= 12  # the sensor's noise is coloured


def show(word: str, seed: int, size: tuple[int, int] = SMALL) -> np.ndarray:
    """Where the word's letters change the blank sign, without noise."""
    episode = make_episode(seed, Split.TEST, 20, spans=(), stage=Stage.SIGN)
    scene = replace(episode.scene, noise=0.0, jitter=0.0)
    still = replace(episode, trips=(), scene=scene, look=None)
    with_it = render(replace(still, screen=(SignSpan(0, 20, word),)), 5.0, size)
    without = render(replace(still, screen=()), 5.0, size)
    letters: np.ndarray = np.abs(with_it.astype(int) - without).max(axis=2) > 60
    return letters


@pytest.mark.parametrize("word", list(LEXICON))
def test_words_are_large_and_whole(word: str) -> None:
    for seed in range(3):
        rows, columns = np.nonzero(show(word, seed))
        assert rows.max() - rows.min() + 1 >= 20
        assert rows.max() < 32
        assert columns.max() < SMALL[0] - 1
        assert columns.min() > 0


def test_no_two_words_look_alike() -> None:
    drawn = {word: show(word, 1) for word in LEXICON}
    for word in LEXICON:
        for other in LEXICON:
            assert word == other or (drawn[word] ^ drawn[other]).sum() > 100


@given(seed=seeds)
@settings(max_examples=80, deadline=None)
def test_words_come_one_at_a_time_with_blanks(seed: int) -> None:
    episode = make_episode(seed, Split.TRAIN, 100, stage=Stage.SIGN)
    assert episode.screen
    assert all(3 <= span.end_s - span.start_s <= 9 and span.word in LEXICON for span in episode.screen)
    assert all(2 <= later.start_s - sooner.end_s <= 8 for sooner, later in pairwise(episode.screen))
    assert all(sooner.word != later.word for sooner, later in pairwise(episode.screen))
    span = episode.screen[0]
    assert [episode.word(t_s) for t_s in (span.start_s - 1, span.start_s, span.end_s - 1, span.end_s)] == [
        "",
        span.word,
        span.word,
        "",
    ]


@given(seed=seeds)
@settings(max_examples=120, deadline=None)
def test_crossings_are_seen_on_both_sides_whatever_the_sampling(seed: int) -> None:
    """Frames are taken 0 to 0.45 s into a second: the turn before shows the passer before the middle."""
    episode = make_episode(seed, Split.TRAIN, 100, stage=Stage.CROSSING)
    middle = WORLD_WIDTH / 2
    for trip in episode.trips:
        second, sign = crossing_second(trip), np.sign(trip.x_to - trip.x_from)
        for phase in (0.0, 0.45):
            before, after = trip.x(second - 1 + phase), trip.x(second + phase)
            assert sign * (before - middle) < -0.1
            assert sign * (after - middle) > 0.1
            assert 0 < before < WORLD_WIDTH
        assert 0 < trip.x(second) < WORLD_WIDTH


@given(seed=seeds)
@settings(max_examples=120, deadline=None)
def test_crossings_come_one_at_a_time(seed: int) -> None:
    episode = make_episode(seed, Split.TRAIN, 100, stage=Stage.CROSSING)
    assert all(later.start_s - sooner.end_s >= 1 for sooner, later in pairwise(episode.trips))
    assert list(episode.crossings) == sorted(set(episode.crossings))
    assert all(0 < second < 100 for second in episode.crossings)
    assert episode.passers in ("people", "cars")
    assert len({trip.pose for trip in episode.trips}) == 1
    assert {span.kind for span in episode.spans} <= {Kind.FIRE, Kind.DOOR}


@given(seed=seeds)
@settings(max_examples=60, deadline=None)
def test_passers_change_sides_at_their_crossing(seed: int) -> None:
    episode = make_episode(seed, Split.TRAIN, 60, stage=Stage.CROSSING)
    for second in episode.crossings:
        sides = (episode.passer_side(second - 1), episode.passer_side(second))
        assert sides in (("left", "right"), ("right", "left"))
    changed = {
        t_s for t_s in range(1, 60) if {episode.passer_side(t_s - 1), episode.passer_side(t_s)} >= {"left", "right"}
    }
    assert changed == set(episode.crossings)


def test_only_crossing_episodes_have_something_to_count() -> None:
    for stage in (Stage.PLAIN, Stage.VARIED, Stage.SIGN):
        episode = make_episode(4, Split.TRAIN, 60, stage=stage)
        assert (episode.crossings, episode.passers, episode.passer_side(5)) == ((), "", "")


def brightness(episode: Episode) -> float:
    return float(render(episode, 3.0, SMALL).mean())


@given(seed=seeds, stage=stages)
@settings(max_examples=40, deadline=None)
def test_disturbances_are_forced_on_and_off(seed: int, stage: Stage) -> None:
    on, off = (
        make_episode(seed, Split.TEST, 30, stage=stage, robustness=Robustness(value, value, value))
        for value in (True, False)
    )
    assert (on.scene.noise, on.scene.jitter, off.scene.jitter) == (12.0, 2.0, 0.0)
    assert off.scene.noise <= 2.0
    assert on.scene.light < 0.5 < 0.9 <= off.scene.light
    assert (on.spans, on.trips, on.screen) == (off.spans, off.trips, off.screen)
    assert off.look is None or not off.look.infrared


@pytest.mark.parametrize("seed", range(5))
def test_forced_disturbances_show(seed: int) -> None:
    plain = make_episode(seed, Split.TEST, 30, spans=(), robustness=Robustness(False, False, False))
    assert brightness(make_episode(seed, Split.TEST, 30, spans=(), robustness=Robustness(night=True))) < brightness(
        plain
    )
    noisy = make_episode(seed, Split.TEST, 30, spans=(), robustness=Robustness(False, True, False))
    difference = np.abs(render(noisy, 3.0, SMALL).astype(int) - render(plain, 3.0, SMALL))
    assert difference.mean() > 4


def test_what_is_not_forced_stays_as_drawn() -> None:
    drawn = make_episode(8, Split.TEST, 30, stage=Stage.VARIED)
    noisy = make_episode(8, Split.TEST, 30, stage=Stage.VARIED, robustness=Robustness(noise=True))
    assert replace(noisy.scene, noise=drawn.scene.noise) == drawn.scene
    assert noisy.look == drawn.look
