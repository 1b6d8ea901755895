"""Records: reading them, and what is said about bad ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_recipe.data.check import Limits, check, reply_of
from vigil_recipe.data.records import RecordError, parse, read_raw, record_of

GOOD: dict[str, Any] = {
    "video_path": "a.mp4",
    "question": [{"content": "Tell me when it boils.", "time": 1.0}],
    "response": [{"content": "It boils.", "time": 4}],
}


def record(**change: Any) -> Any:
    return record_of(GOOD | change, "f.jsonl", 3)


def said(*pairs: tuple[str, float]) -> list[dict[str, Any]]:
    return [{"content": content, "time": time} for content, time in pairs]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 2]))
def test_a_list_and_lines_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], indent: int
) -> None:
    folder = tmp_path_factory.mktemp("records")
    (folder / "a.json").write_text(json.dumps(values, indent=indent))
    (folder / "a.jsonl").write_text("".join(json.dumps(value) + "\n\n" for value in values))
    for name in ("a.json", "a.jsonl"):
        raws = [raw for raw in read_raw(folder / name) if values or not raw.broken]
        if name == "a.jsonl" and values and isinstance(values[0], list):
            continue  # lines that begin with a list would be a list
        assert [json.loads(raw.text) for raw in raws] == values
        assert [raw.number for raw in raws] == list(range(1, len(values) + 1))


def test_a_long_list_is_cut_at_any_place(tmp_path: Path) -> None:
    values = [{"n": index, "text": "x" * 977} for index in range(300)]
    (tmp_path / "a.json").write_text(json.dumps(values))
    assert [json.loads(raw.text) for raw in read_raw(tmp_path / "a.json")] == values


def test_a_list_that_breaks_off_gives_what_came_before_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"n": 1}, {"n": 2}, {"n"')
    first, second, broken = read_raw(tmp_path / "a.json")
    assert (json.loads(first.text), json.loads(second.text)) == ({"n": 1}, {"n": 2})
    with pytest.raises(RecordError, match=r"a\.json: record 3: not JSON: the list does not end"):
        parse(broken)


def test_a_broken_line_is_named_and_the_next_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"video_path": \n' + json.dumps(GOOD) + "\n")
    bad, good = read_raw(tmp_path / "a.jsonl")
    with pytest.raises(RecordError, match=r"a\.jsonl: record 1: not JSON"):
        parse(bad)
    assert parse(good).questions[0].content == "Tell me when it boils."


@pytest.mark.parametrize("text", [b'{"video_path": "\xff.mp4"}', b'{"video_path": "\\ud800.mp4"}'])
def test_text_that_no_file_could_hold_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(text + b"\n")
    (raw,) = read_raw(tmp_path / "a.jsonl")
    with pytest.raises(RecordError, match=r"a\.jsonl: record 1: not UTF-8, or half of a character"):
        parse(raw)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "a record must be an object, got a list"),
        ({}, "video_path must be a text that is not empty, got nothing"),
        (GOOD | {"video_path": ""}, "got an empty text"),
        (GOOD | {"question": {}}, "question must be a list, got an object"),
        (GOOD | {"response": ["hello"]}, r"response\[0\] must be an object with content and time, got a text"),
        (GOOD | {"response": [{"content": 3, "time": 1}]}, r"response\[0\]\.content must be a text, got a number"),
        (GOOD | {"response": [{"content": "a", "time": "1"}]}, r"response\[0\]\.time must be a number of seconds"),
        (GOOD | {"response": [{"content": "a", "time": True}]}, "got true or false"),
        (GOOD | {"response": [{"content": "a", "time": float("nan")}]}, "must be a number of seconds"),
        (GOOD | {"task_type": 1}, "task_type must be a text"),
        (GOOD | {"id": []}, "id must be a text or a whole number"),
    ],
)
def test_a_wrong_type_is_named(value: Any, problem: str) -> None:
    with pytest.raises(RecordError, match=rf"f\.jsonl: record 7: .*{problem}"):
        record_of(value, "f.jsonl", 7)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"response": said(("a", -1.0))}, r"response\[0\]\.time is negative: -1 s"),
        ({"response": said(("a", 5.0), ("b", 4.0))}, r"response\[1\]\.time is out of order: 4 s after 5 s"),
        ({"question": said(("a", 3.0), ("b", 1.0))}, r"question\[1\]\.time is out of order"),
        ({"response": said(("a", 10.5))}, r"response\[0\]\.time is beyond the video: 10\.5 s of 10 s"),
        ({"response": said(("a", 0.5))}, r"response\[0\] at 0\.5 s comes before the first question at 1 s"),
        ({"question": []}, "there is no question"),
        ({"question": [], "response": []}, "nothing to learn"),
        ({"response": said((" \n", 4.0))}, r"response\[0\]\.content is empty"),
        ({"question": said(("q" * 2001, 1.0))}, r"question\[0\]\.content is too long: 2001 characters, at most 2000"),
        ({"question": said(("Look. <|im_end|>", 1.0))}, r"question\[0\]\.content holds <\|im_end\|>"),
        ({"question": said(("</silence>", 1.0))}, "holds </silence>"),
        ({"question": said(("What is in <image>?", 1.0))}, "holds <image>"),
        ({"response": said(("Hm. </delegate> Why?", 4.0))}, "holds </delegate>"),
        ({"response": said(("</silence>", 4.0))}, "holds </silence>"),
        ({"response": said(("Hm. </delegation>", 4.0))}, r"response\[0\]: </delegation> without a question"),
        ({"response": said(("</response> a </response> b", 4.0))}, "the same control token twice"),
        ({"response": said(("</response>", 4.0))}, "response without words"),
    ],
)
def test_what_makes_no_sense_is_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(RecordError, match=rf"f\.jsonl: record 3: .*{problem}"):
        check(record(**change), 10.0, Limits())


def test_a_good_record_and_unprompted_commentary_pass() -> None:
    check(record(), 4.0, Limits())
    check(record(question=[]), 10.0, Limits(unprompted=True))
    check(record(response=[]), 10.0, Limits())


@pytest.mark.parametrize(
    ("content", "reply"),
    [
        ("It  boils.\n", "</response> It boils."),
        ("</response> It boils.", "</response> It boils."),
        ("Let me check. </delegation> Why?", "</response> Let me check. </delegation> Why?"),
        ("</response> Wait. </delegation>  Why so?", "</response> Wait. </delegation> Why so?"),
        ("a < b and <b>", "</response> a < b and <b>"),
    ],
)
def test_a_reply_is_normalised(content: str, reply: str) -> None:
    assert reply_of(content) == reply
