"""Commands are checked where they are made, so that a tick never meets a bad one."""

import pytest

from vigil.core.command import Ask
from vigil.core.errors import InvalidSpec, InvalidToken


def test_a_question_has_an_id_and_words() -> None:
    assert Ask("q-1", "What do you see?").text == "What do you see?"


@pytest.mark.parametrize("text", ["", "  ", "x" * 2_001, "<|im_end|>"])
def test_a_question_that_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(InvalidSpec, match="the question"):
        Ask("q-1", text)


def test_a_question_id_must_be_a_token() -> None:
    with pytest.raises(InvalidToken, match="query id 'q 1'"):
        Ask("q 1", "What do you see?")
