"""The sentences that the small interaction model makes use of: as they are, and made of bare words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_brain.brains.prompt import EMBEDDED_PROMPT, prompt_examples
from vigil_brain.brains.sentences import UNKNOWN, is_sentence, sentence

FACTORS = "What is 64 times 27?"
INVENTOR = "Who invented the zip?"


@pytest.mark.parametrize(
    ("question", "answer", "told"),
    [
        (FACTORS, "It is 1728.", "It is 1728."),
        (FACTORS, "1728", "It is 1728."),
        (FACTORS, "1,728.", "It is 1728."),
        (FACTORS, "64 * 27 = 1728", "It is 1728."),
        ("What is half of 7?", "3.5", "It is 3.5."),
        ("What is 3 minus 8?", "-5", "It is -5."),
        (INVENTOR, "Judson", "Judson did."),
        (INVENTOR, "Ludwig van Beethoven.", "Beethoven did."),
        ("What is the capital of Peru?", "Lima", "It is Lima."),
        ("What is the capital of Peru?", "  Lima\n", "It is Lima."),
        (INVENTOR, "Judson did.", "Judson did."),
        (INVENTOR, "Whitcomb L Judson did.", "Judson did."),
        (INVENTOR, "Henry the eighth did.", "Henry the eighth did."),
        (INVENTOR, UNKNOWN, UNKNOWN),
    ],
)
def test_an_answer_becomes_the_sentence_that_says_it(question: str, answer: str, told: str) -> None:
    assert sentence(question, answer) == told
    assert is_sentence(told)


@pytest.mark.parametrize(
    "answer",
    [
        "64 times 27 is 1728.",
        "I think Judson did it",
        "no",
        "Whitcomb Judson invented it in 1893.",
        "",
        "= =",
        "Judson\nHe did.",
    ],
)
def test_what_is_no_bare_number_or_name_stays_as_it_was(answer: str) -> None:
    assert sentence(INVENTOR, answer) == answer
    assert not is_sentence(answer)


@pytest.mark.parametrize(
    "text", ["It is .", "It is  1.", " It is 1.", "It is 1", "It is 1.\nMore.", "did.", "1728 did."]
)
def test_what_is_nearly_a_sentence_is_none(text: str) -> None:
    assert not is_sentence(text)


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_sentence_is_its_own_and_nothing_is_added_to_other_words(question: str, answer: str) -> None:
    told = sentence(question, answer)
    assert sentence(question, told) == told
    assert is_sentence(told) or told == answer.strip()


def test_each_example_of_the_prompt_is_answered_with_a_sentence() -> None:
    examples = prompt_examples(EMBEDDED_PROMPT)
    assert len(examples) == 12
    assert all(is_sentence(example.answer) for example in examples)
    refused = [example.question for example in examples if example.answer == UNKNOWN]
    assert "What does a chair cost?" in refused
