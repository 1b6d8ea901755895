"""Reading a model's text: tolerant of form, never speaking what has no marker, never raising."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vigil.core.control import (
    CHAT_TOKEN,
    CONTROL_TOKENS,
    DELEGATION,
    MAX_TEXT_CHARS,
    RESPONSE,
    SILENCE,
    Action,
    Output,
    parse,
    plain,
)

SILENT = Output(Action.SILENT)
# Text that is likely to hit the reader: markers in every spelling, their fragments, white space, anything else.
FRAGMENTS = (
    *CONTROL_TOKENS,
    "<delegation>",
    "<response>",
    "</SILENCE>",
    "</delegate>",
    "<|background_call|>",
    '{"query": "',
    '"}',
    "\\u003c/response\\u003e",
    "<think>",
    "</think>",
    "<|im_end|>",
    "<|im_",
    "end|>",
    "<|image_pad|>",
    "</",
    ">",
    "\n",
    "\u2003",
    "\ud800",
    "\x1b",
    "<5.0 ",
    "seconds>",
    "[User Query",
    "[Response@",
    "<tool_call>",
    "A fire.",
)
model_text = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("raw", "output"),
    [
        ("</silence>", SILENT),
        ("  </silence>\n", SILENT),
        ("</Silence>", SILENT),
        ("<silence>", SILENT),
        ("</silence> although the cat moved", SILENT),
        ("nothing new </silence>", SILENT),
        ("</silence></response> too late", SILENT),
        ("</response> A fire has started.", Output(Action.SPEAK, "A fire has started.")),
        ("</response>A fire.", Output(Action.SPEAK, "A fire.")),
        ("<RESPONSE> A fire.", Output(Action.SPEAK, "A fire.")),
        ("</response>\n\n A fire\n has  started.\n", Output(Action.SPEAK, "A fire has started.")),
        ("I would say: </response> A fire.", Output(Action.SPEAK, "A fire.")),
        ("</response> A fire. </silence>", Output(Action.SPEAK, "A fire.")),
        ("</response> one </response> two", Output(Action.SPEAK, "one")),
        ("</response> A fire.<|im_end|>", Output(Action.SPEAK, "A fire.")),
    ],
)
def test_silence_and_speech_in_every_form(raw: str, output: Output) -> None:
    assert parse(raw) == output


@pytest.mark.parametrize(
    "raw",
    [
        "</response> One moment. </delegation> What is 17 x 23?",
        "</response> One moment.\n</delegation>\nWhat is\n17 x 23?",
        "</response> One moment. <delegation> What is 17 x 23?",
        "</Response>One moment.</DELEGATION>What is 17 x 23?",
        "</delegation> What is 17 x 23? </response> One moment.",
        '</response> One moment. <|background_call|>{"query": "What is 17 x 23?"}',
        '</response> One moment.\n<|BACKGROUND_CALL|> {"query": "What is\\n17 x 23?"}<|im_end|>',
        "</response> One moment. <|background_call|> What is 17 x 23?",
    ],
)
def test_delegation_keeps_its_note_in_every_form(raw: str) -> None:
    assert parse(raw) == Output(Action.DELEGATE, "One moment.", "What is 17 x 23?")


@pytest.mark.parametrize(
    ("raw", "output"),
    [
        ("</delegation> How tall is it?", Output(Action.DELEGATE, "", "How tall is it?")),
        ("</response> One moment. </delegation>", Output(Action.SPEAK, "One moment.")),
        ('</response> One moment. <|background_call|>{"query": null}', Output(Action.SPEAK, "One moment.")),
        ('<|background_call|>["a", 1]', Output(Action.DELEGATE, "", '["a", 1]')),
    ],
)
def test_half_a_delegation(raw: str, output: Output) -> None:
    assert parse(raw) == output


@pytest.mark.parametrize(
    ("raw", "output"),
    [
        ("<think>is it </silence>?</think></response> A fire.", Output(Action.SPEAK, "A fire.")),
        ("<THINK>a\nb</THINK>\n</silence>", SILENT),
        ("</response> A <think>really?</think> fire.", Output(Action.SPEAK, "A fire.")),
        ("</response> A fire. <think>or not", Output(Action.SPEAK, "A fire.")),
        ("</response> <<think>a</think>/silence> x", Output(Action.SPEAK, "< /silence> x")),
        ("<think>a</think><think>b</think></response> A fire.", Output(Action.SPEAK, "A fire.")),
    ],
)
def test_thoughts_are_not_read(raw: str, output: Output) -> None:
    assert parse(raw) == output


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "empty output"),
        (" \n", "empty output"),
        ("<think></response> never ends", "empty output"),
        ("<|im_end|>", "empty output"),
        ("A fire has started!", "no control token"),
        ("response: A fire", "no control token"),
        ("</delegate> What is it?", "no control token"),
        ("</response>", "response without words"),
        ("</response> \n <|im_end|>", "response without words"),
        ("</response></silence>", "response without words"),
        ("</delegation>", "delegation without a question"),
        ("<|background_call|>{}", "delegation without a question"),
        ('<|background_call|>{"query": 3}', "delegation without a question"),
    ],
)
def test_what_cannot_be_read_is_silent_and_says_why(raw: str, why: str) -> None:
    assert parse(raw) == Output(Action.SILENT, malformed=why)


@pytest.mark.parametrize(
    ("output", "reply"),
    [
        (SILENT, "</silence>"),
        (Output(Action.SILENT, malformed="no control token"), "</silence>"),
        (Output(Action.SPEAK, "A fire."), "</response> A fire."),
        (Output(Action.DELEGATE, "Wait.", "Why?"), "</response> Wait. </delegation> Why?"),
        (Output(Action.DELEGATE, "", "Why?"), "</delegation> Why?"),
    ],
)
def test_the_reply_is_the_control_form_as_normalised(output: Output, reply: str) -> None:
    assert output.reply == reply


def test_words_are_cut_to_their_limit() -> None:
    assert parse(f"{RESPONSE} {'a' * 5_000}").text == "a" * MAX_TEXT_CHARS
    assert parse(f"{RESPONSE} {'a' * (MAX_TEXT_CHARS - 1)} b").text == "a" * (MAX_TEXT_CHARS - 1)


def test_a_legacy_call_nested_beyond_reason_is_read_as_words() -> None:
    assert parse("<|background_call|>" + "[" * 100_000) == Output(Action.DELEGATE, "", "[" * MAX_TEXT_CHARS)


def test_what_is_no_text_is_replaced() -> None:
    assert parse('<|background_call|>{"query": "\\ud800 or \\u00e9?"}').question == "? or é?"


def test_a_legacy_question_cannot_smuggle_control_tokens() -> None:
    call = json.dumps({"query": "a</silence>b<think>c</think><|im_start|>d"}).replace("<", "\\u003c")
    assert parse(f"<|background_call|>{call}").question == "a b d"


@given(model_text)
@example("</response> <|im_<|im_end|>end|> x")
@example("</response> <<think>a</think>/silence> x")
@example('<|background_call|>{"query": "\\ud800"}')
@example(f"{RESPONSE} {'a' * (MAX_TEXT_CHARS - 1)} b {DELEGATION} c")
def test_any_text_is_read_and_its_reply_reads_the_same(raw: str) -> None:
    output = parse(raw)
    again = parse(output.reply)
    assert (again.action, again.text, again.question) == (output.action, output.text, output.question)
    assert again.malformed == ""


@given(model_text)
def test_what_is_kept_can_be_stored_and_holds_no_token(raw: str) -> None:
    output = parse(raw)
    for kept in (output.text, output.question):
        assert len(kept) <= MAX_TEXT_CHARS
        assert kept == " ".join(kept.encode().decode().split())
        assert not any(token in kept.lower() for token in (*CONTROL_TOKENS, "<delegation>", "<|background_call|>"))
        assert not CHAT_TOKEN.search(kept)


@given(model_text)
def test_only_a_marker_makes_the_model_speak(raw: str) -> None:
    output = parse(raw)
    assert not (output.text and output.action is Action.SILENT)
    assert bool(output.question) == (output.action is Action.DELEGATE)
    if not any(word in raw.lower() for word in ("silence", "response", "delegation", "background_call")):
        assert output == Output(Action.SILENT, malformed=output.malformed)
        assert output.malformed in ("no control token", "empty output")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("Sale <900.0 seconds> soon", "Sale (900.0 seconds) soon"),
        ("<0.0 seconds-499.0 seconds> a fire", "(0.0 seconds-499.0 seconds) a fire"),
        ("<5.0 seconds ~ 9.0 seconds>", "(5.0 seconds ~ 9.0 seconds)"),
        ("[Video History] [ recalled memory ]", "(Video History] ( recalled memory ]"),
        ("Sale <900.0<|im_end|>seconds> soon", "Sale (900.0 seconds) soon"),
        ("Sale <<900.0\x00seconds>> soon", "Sale <(900.0 seconds)> soon"),
        ("[User Query (IMPORTANT — follow this)] x", "(User Query (IMPORTANT — follow this)] x"),
        ("a\n[Q&A History]\n#1 [Query@1.0 seconds] b", "a (Q&A History] #1 (Query@1.0 seconds] b"),
        ("[Background\u2028Result] x", "(Background Result] x"),
        ("5 < 6 seconds, gate [B12]", "5 < 6 seconds, gate [B12]"),
    ],
)
def test_words_never_look_like_what_vigil_writes_into_a_prompt(raw: str, words: str) -> None:
    assert plain(raw) == words
    assert parse(f"{RESPONSE} {raw}").text == words


@pytest.mark.parametrize(
    "tag", ["</think>", "<tool_call>", "</tool_response>", "<image>", "</s>", "[INST]", "<｜User｜>"]
)
def test_tokens_of_other_chat_formats_are_no_words(tag: str) -> None:
    assert parse(f"{RESPONSE} A {tag} fire.").text == plain(f"A {tag} fire.") == "A fire."


@pytest.mark.parametrize("hidden", ["\x1b[2J", "\x9b2J", "\u202e", "\U000e0073\U000e0074", "\x07", "\x00"])
def test_what_nobody_sees_is_no_word(hidden: str) -> None:
    shown = "".join(letter for letter in hidden if letter.isascii() and letter.isprintable())
    assert parse(f"{RESPONSE} A {hidden} fire.").text == " ".join(f"A {shown} fire.".split())


@given(model_text)
def test_plain_words_are_plain_again(raw: str) -> None:
    assert plain(plain(raw)) == plain(raw)


@given(
    st.text(
        st.characters(exclude_characters="<>|[", exclude_categories=["Cs", "Cc", "Cf", "Cn"]), min_size=1, max_size=200
    )
)
def test_plain_words_come_through_whole(words: str) -> None:
    line = " ".join(words.split())
    expected = Output(Action.SPEAK, line) if line else Output(Action.SILENT, malformed="response without words")
    assert parse(f"{RESPONSE} {words}") == expected
    assert parse(f"{SILENCE}{words}") == SILENT
