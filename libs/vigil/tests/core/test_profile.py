"""Prompt profiles: how actions are spelled, how readily the model speaks, at what size it sees a picture."""

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vigil.core.control import Action, Output, parse
from vigil.core.errors import UnknownProfile
from vigil.core.profile import (
    CONTROL_SPELLING,
    HARNESS,
    JOYAI,
    PROFILES,
    VIGIL_SMALL,
    PromptProfile,
    World,
    fit_size,
    profile,
)
from vigil.core.session import ResponseMode

READ = HARNESS.spelling.read
WRITE = HARNESS.spelling.write


@pytest.mark.parametrize(
    ("raw", "output"),
    [
        ("QUIET", Output(Action.SILENT)),
        ("\n QUIET.", Output(Action.SILENT)),
        ("SPEAK: A fire.", Output(Action.SPEAK, "A fire.")),
        ("SPEAK: The room is QUIET now.", Output(Action.SPEAK, "The room is QUIET now.")),
        ("SPEAK: QUIET please", Output(Action.SPEAK, "QUIET please")),
        ("SPEAK: The sign says SPEAK: now", Output(Action.SPEAK, "The sign says SPEAK: now")),
        ("SPEAK: Wait. DELEGATE: Why?", Output(Action.DELEGATE, "Wait.", "Why?")),
        ("SPEAK: DELEGATE: Why?", Output(Action.DELEGATE, "", "Why?")),
        ("SPEAK: Wait. DELEGATE: Why DELEGATE: this?", Output(Action.DELEGATE, "Wait.", "Why DELEGATE: this?")),
        ("<think>QUIET or SPEAK: x?</think>\nSPEAK: A fire.", Output(Action.SPEAK, "A fire.")),
        ("</response> A fire.", Output(Action.SPEAK, "A fire.")),
        ("QUIETLY he came", Output(Action.SILENT, malformed="no control token")),
        ("A fire has started.", Output(Action.SILENT, malformed="no control token")),
        ("UNSPEAK: x", Output(Action.SILENT, malformed="no control token")),
        ("SPEAK:", Output(Action.SILENT, malformed="response without words")),
    ],
)
def test_plain_words_are_read_as_actions(raw: str, output: Output) -> None:
    assert READ(raw) == output


SEEN = st.characters(exclude_categories=["Cc", "Cf", "Cs"])  # characters that nobody sees are no words


@given(st.from_regex(HARNESS.grammar, fullmatch=True, alphabet=SEEN))
def test_whatever_the_grammar_allows_can_be_read(raw: str) -> None:
    output = READ(raw)
    assert output.malformed == ""
    assert (output.action is Action.SILENT) == (raw == "QUIET")


@pytest.mark.parametrize("reply", ["QUIET", "SPEAK: A fire.", "SPEAK: Wait. DELEGATE: Why?"])
def test_the_history_repeats_what_the_grammar_made_the_model_say(reply: str) -> None:
    assert re.fullmatch(HARNESS.grammar, reply)
    assert WRITE(READ(reply).reply) == reply


@pytest.mark.parametrize(
    "raw", ["QUIET!", "SPEAK:  ", "SPEAK: ", "SPEAK: a\nb", "SPEAK: </silence>", "speak: a", "Yes"]
)
def test_the_grammar_allows_nothing_else(raw: str) -> None:
    assert not re.fullmatch(HARNESS.grammar, raw)


@given(st.text())
def test_control_tokens_need_no_respelling(raw: str) -> None:
    assert CONTROL_SPELLING.read(raw) == parse(raw)
    assert CONTROL_SPELLING.write(raw) == raw


def test_the_response_mode_is_a_bias_on_the_response_word() -> None:
    biases = [JOYAI.bias(mode) for mode in (ResponseMode.RESERVED, ResponseMode.BALANCED, ResponseMode.TALKATIVE)]
    assert biases == [-2.0, 0.0, 2.0]


def test_profiles_are_found_by_name() -> None:
    assert [profile(name) for name in ("joyai", "vigil-small", "harness")] == [JOYAI, VIGIL_SMALL, HARNESS]
    with pytest.raises(UnknownProfile, match="no prompt profile 'gpt': choose one of joyai, vigil-small, harness"):
        profile("gpt")


def test_the_joyai_prompt_names_its_three_actions() -> None:
    assert all(word in JOYAI.system for word in JOYAI.spelling.words)
    assert all(word in HARNESS.system for word in HARNESS.spelling.words)
    assert VIGIL_SMALL.system == "You watch a camera."


# What Qwen-VL's own `smart_resize` answers (factor 32, low minimum), at 262,144 and at 16,384 pixels.
CAMERAS = {
    (3840, 2160): ((672, 384), (160, 96)),
    (1920, 1080): ((672, 384), (160, 96)),
    (1080, 1920): ((384, 672), (96, 160)),
    (1280, 720): ((672, 384), (160, 96)),
    (800, 600): ((576, 416), (128, 96)),
    (704, 576): ((544, 448), (128, 96)),
    (640, 480): ((576, 416), (128, 96)),
    (640, 384): ((640, 384), (160, 96)),
    (512, 512): ((512, 512), (128, 128)),
    (352, 288): ((352, 288), (128, 96)),
    (320, 192): ((320, 192), (160, 96)),
    (160, 96): ((160, 96), (160, 96)),
    (100, 100): ((96, 96), (96, 96)),
    (33, 500): ((32, 512), (32, 512)),
}


@pytest.mark.parametrize("camera", CAMERAS)
def test_pictures_fit_as_the_engine_would_fit_them(camera: tuple[int, int]) -> None:
    assert (JOYAI.fit(*camera), VIGIL_SMALL.fit(*camera)) == CAMERAS[camera]


@pytest.mark.parametrize(
    ("size", "fitted"),
    [((4000, 64), (512, 32)), ((1, 100_000), (32, 512)), ((1, 1), (32, 32)), ((47, 49), (32, 64))],
)
def test_extreme_pictures_still_fit(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert VIGIL_SMALL.fit(*size) == fitted


@pytest.mark.parametrize("size", [(0, 480), (640, 0), (-1, -1)])
def test_a_picture_without_a_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"a picture of {size[0]} x {size[1]} pixels has no size"):
        JOYAI.fit(*size)


sides = st.one_of(st.integers(1, 5_000), st.integers(1, 200_000))


@example(210, 4_433, 28, 938_928)  # within the budget until both sides are rounded
@given(sides, sides, st.sampled_from([28, 32]), st.integers(1_024, 1_000_000))
def test_a_fitted_picture_keeps_within_its_budget(width: int, height: int, multiple: int, max_pixels: int) -> None:
    fitted = fit_size(width, height, max_pixels, multiple)
    assert fitted[0] * fitted[1] <= max_pixels
    assert all(side >= multiple and side % multiple == 0 for side in fitted)
    assert all(
        after <= max(multiple, before + multiple / 2) for before, after in zip((width, height), fitted, strict=True)
    )
    assert fit_size(*fitted, max_pixels, multiple) == fitted  # the engine has nothing left to scale


@given(st.integers(320, 8_000), st.integers(320, 8_000), st.sampled_from(list(PROFILES.values())))
def test_the_budget_is_used_and_the_aspect_kept(width: int, height: int, one: PromptProfile) -> None:
    fitted = one.fit(width, height)
    scale = min(1.0, math.sqrt(one.max_pixels / (width * height)))
    for before, after in zip((width, height), fitted, strict=True):
        assert abs(after - before * scale) <= one.pixel_multiple or min(width, height) * scale < one.pixel_multiple


def test_visual_tokens_of_a_fitted_picture() -> None:
    assert VIGIL_SMALL.visual_tokens(160, 96) == 15
    assert JOYAI.visual_tokens(512, 512) == 256
    assert HARNESS.visual_tokens(672, 384) == 252


def test_a_profile_says_what_its_weights_are_for() -> None:
    assert {name for name, found in PROFILES.items() if found.world is World.RENDERED} == {"vigil-small"}
