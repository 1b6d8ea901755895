"""Words that may be drawn again: which, from where, and what becomes of a draw that cannot be spoken."""

from dataclasses import replace

import pytest

from vigil.core.decide import Completion
from vigil.core.message import Message, Text
from vigil.core.profile import HARNESS, JOYAI, VIGIL_SMALL, PromptProfile
from vigil.core.text_sampling import may_vary, opened, worded

DECIDED = Completion(
    "</response> A fire has started.",
    {"</response>": -0.1},
    prompt_tokens=40,
    cached_tokens=30,
    completion_tokens=7,
    request_bytes=900,
    engine_ms=20.0,
)
DRAWN = Completion(" There is a fire.", {" There": -1.0}, 41, 40, 6, 850, 12.0)


@pytest.mark.parametrize(
    ("profile", "text", "varies"),
    [
        (VIGIL_SMALL, "</response> A fire has started.", True),
        (VIGIL_SMALL, "</silence>", False),
        (VIGIL_SMALL, "</response> Let me check. </delegation> Who won?", False),
        (VIGIL_SMALL, "A fire.", False),
        (JOYAI, "</delegation> Who won?", False),
        (HARNESS, "SPEAK: A fire has started.", True),
        (HARNESS, "QUIET", False),
    ],
)
def test_only_the_words_of_speech_may_vary(profile: PromptProfile, text: str, varies: bool) -> None:
    assert may_vary(profile, replace(DECIDED, text=text)) is varies


@pytest.mark.parametrize(("profile", "word"), [(VIGIL_SMALL, "</response>"), (HARNESS, "SPEAK:")])
def test_the_reply_begins_with_the_response_word(profile: PromptProfile, word: str) -> None:
    asked = (Message("system", (Text("You watch a camera."),)), Message("user", (Text("Fire?"),)))
    assert opened(profile, asked) == (*asked, Message("assistant", (Text(word),)))


def test_the_words_are_the_drawn_ones_and_the_decision_is_as_it_was() -> None:
    told = worded(VIGIL_SMALL, DECIDED, DRAWN)
    assert told.text == "</response> There is a fire."
    assert told.first_token_logprobs == DECIDED.first_token_logprobs
    assert (told.prompt_tokens, told.cached_tokens) == (40, 30)
    assert (told.completion_tokens, told.request_bytes, told.engine_ms) == (13, 1750, 32.0)


@pytest.mark.parametrize("words", ["", "  ", "<|im_end|>", "<think>what", "</delegation> Who won?"])
def test_a_draw_that_cannot_be_spoken_leaves_the_words_that_were_decided(words: str) -> None:
    told = worded(VIGIL_SMALL, DECIDED, replace(DRAWN, text=words))
    assert told.text == DECIDED.text
    assert told.engine_ms == 32.0, "what it cost is counted all the same"
