"""Chat requests and answers: by value."""

from dataclasses import replace
from typing import Any

import pytest

from vigil.contract.decision import StoredDecision
from vigil.core.control import Action, parse
from vigil.core.ids import SessionKey
from vigil.core.probability import Probabilities
from vigil_gateway.api.turn_errors import ChatUnsupported, NothingShown, SessionHeaderInvalid
from vigil_gateway.openai.models import ChatIn
from vigil_gateway.openai.turn import Said, chat_out, said, session_of
from vigil_gateway.sessions.session_id import id_of_name, may_begin

PICTURE = {"type": "image_url", "image_url": {"url": "data:a"}}
OLDER = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:old"}}]}
ANSWER = {"role": "assistant", "content": "</silence>"}


def body(*messages: dict[str, Any], **more: Any) -> ChatIn:
    return ChatIn.model_validate({"model": "m", "messages": messages, **more})


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (user(PICTURE), Said(("data:a",), "")),
        (user({"type": "image_url", "image_url": "data:b"}), Said(("data:b",), "")),
        (
            user({"type": "text", "text": " Who is "}, PICTURE, {"type": "text", "text": "there? "}),
            Said(("data:a",), "Who is \nthere?"),
        ),
        (user(PICTURE, PICTURE), Said(("data:a", "data:a"), "")),
        (user({"type": "text", "text": None}, PICTURE), Said(("data:a",), "")),
    ],
)
def test_the_last_user_message_is_read(message: dict[str, Any], expected: Said) -> None:
    assert said(body(OLDER, ANSWER, message, ANSWER)) == expected


def test_null_is_as_good_as_nothing() -> None:
    nothing = dict.fromkeys(["stream", "n", "vigil", "tools", "tool_choice", "response_format", "user", "temperature"])
    assert said(body(user(PICTURE), **nothing)) == Said(("data:a",), "")
    own = body(user(PICTURE), vigil={"time_s": None, "watches": None, "instructions": None}).vigil
    assert own is not None
    assert (own.time_s, own.watches, own.instructions) == (None, None, None)


@pytest.mark.parametrize(
    ("more", "ignored"),
    [
        ({"user": "u-1", "metadata": {"a": "b"}, "store": False}, ""),
        ({"temperature": 0.2, "max_tokens": 64}, "max_tokens, temperature"),
        ({"tools": [], "tool_choice": "auto", "response_format": {"type": "text"}}, "tools"),
        ({"top_k": 3, "a b": 1, "x" * 65: 1}, "top_k"),
        ({f"field_{number}": 1 for number in range(100)}, ", ".join(sorted(f"field_{n}" for n in range(100))[:24])),
    ],
)
def test_what_has_no_effect_is_named(more: dict[str, Any], ignored: str) -> None:
    assert said(body(user(PICTURE), **more)).ignored == ignored


def test_a_system_message_has_no_effect_and_is_named() -> None:
    told = said(body({"role": "system", "content": "Be kind."}, OLDER, ANSWER, user(PICTURE)))
    assert told.ignored == "messages.system"


@pytest.mark.parametrize(
    "messages",
    [
        [ANSWER],
        [OLDER, {"role": "user", "content": "Who is there?"}],
        [{"role": "user", "content": None}],
        [user(*[PICTURE] * 9)],
    ],
)
def test_a_turn_shows_something(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(NothingShown, match="send 1 to 8"):
        said(body(*messages))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"stream": True}, "`stream` is True, and a turn is answered whole: leave it out"),
        ({"n": 2}, "`n` is 2, and a turn has one answer"),
        ({"tool_choice": "required"}, "`tool_choice` is 'required', and a turn calls no tools"),
        ({"tool_choice": {"type": "function", "function": {"name": "call"}}}, "`tool_choice` is given"),
        ({"function_call": {"name": "call"}}, "`function_call` is given"),
        ({"response_format": {"type": "json_object"}}, "`response_format` is given, and a turn is answered in the"),
        ({"modalities": ["text", "audio"]}, "`modalities` is given, and a turn is answered in words"),
        ({"logprobs": True}, "`logprobs` is True, and the answer's `vigil.p`"),
        ({"guided_json": {}}, "`guided_json` is given"),
        ({"watches": [{"text": "Fire?"}]}, "`watches` is given, and it belongs into `vigil`"),
        ({"time_s": 3.0}, "`time_s` is 3.0, and it belongs into `vigil`"),
        ({"session_id": "kitchen"}, "`session_id` is 'kitchen', and the header x-session-id"),
        ({"extra_body": {"vigil": {}}}, "`extra_body` is given, and it is an argument of OpenAI's Python library"),
    ],
)
def test_what_a_turn_cannot_do_is_refused_by_name(more: dict[str, Any], told: str) -> None:
    with pytest.raises(ChatUnsupported) as refusal:
        said(body(user(PICTURE), **more))
    assert str(refusal.value).startswith(told)


@pytest.mark.parametrize("kind", ["input_audio", "video_url", "file", "image"])
def test_a_part_that_cannot_be_read_is_named(kind: str) -> None:
    with pytest.raises(ChatUnsupported, match=f"a part of the type '{kind}' cannot be read"):
        said(body(user(PICTURE, {"type": kind})))


def test_a_session_is_always_named_and_always_the_tenants() -> None:
    assert str(session_of("demo", "s-1", None).key) == str(session_of("demo", None, "s-1").key) == "demo/s-1"
    assert str(session_of("rival", "s-1", "s-1").key) == "rival/s-1"


@pytest.mark.parametrize("name", ["küche", "à la porte", "玄関", "🚪"])
def test_a_name_in_utf_8_is_the_same_in_a_header_and_in_a_path(name: str) -> None:
    as_the_server_reads_it = name.encode().decode("latin-1")
    named = session_of("demo", as_the_server_reads_it, None)
    assert (named.name, named.key.session) == (name, id_of_name(name))
    assert named.header == as_the_server_reads_it, "it is sent back as it came"
    assert session_of("demo", "k\xfcche", None).name == "küche", "Latin-1"
    for header, other_header, told in (
        (None, None, "names no session"),
        ("", None, "names no"),
        ("a", "b", "name different"),
        ("a\nb", None, "is not allowed"),
        ("x" * 129, None, "is not allowed"),
    ):
        with pytest.raises(SessionHeaderInvalid, match=told):
            session_of("demo", header, other_header)


def test_a_name_with_dots_is_kept_and_has_an_id_of_its_own() -> None:
    named = session_of("rival", "demo.s-1", None)
    assert (named.name, named.key.tenant) == ("demo.s-1", "rival")
    assert named.key.session.startswith("demo-s-1-")


@pytest.mark.parametrize(
    ("session", "may"), [("kitchen", True), ("s-1", True), ("s-5d0c6b6b4b1f4e7f9a3c", False), ("s-5d0c6b6b", True)]
)
def test_ids_that_the_gateway_gives_out_are_not_begun_by_clients(session: str, may: bool) -> None:
    assert may_begin(session) is may


@pytest.mark.parametrize(
    ("action", "text", "question", "content"),
    [
        (Action.SILENT, "", "", "</silence>"),
        (Action.SPEAK, "A fire.", "", "</response> A fire."),
        (Action.DELEGATE, "One moment.", "Why?", "</response> One moment. </delegation> Why?"),
        (Action.DELEGATE, "", "Why?", "</delegation> Why?"),
    ],
)
def test_a_decision_is_answered_in_the_control_form(action: Action, text: str, question: str, content: str) -> None:
    decision = StoredDecision(
        SessionKey("demo", "s-1"),
        sequence=4,
        time_ms=12_300,
        capture_time_us=1_000_000,
        emit_time_us=1_250_000,
        action=action,
        text=text,
        question=question,
        probabilities=Probabilities(0.5, 0.25, 0.25),
        prompt_tokens=100,
        cached_tokens=80,
        completion_tokens=7,
    )
    answer = chat_out(decision, "m").model_dump()
    assert answer["id"] == "chatcmpl-s-1-4"
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": content}
    assert answer["usage"] == {
        "prompt_tokens": 100,
        "completion_tokens": 7,
        "total_tokens": 107,
        "prompt_tokens_details": {"cached_tokens": 80},
    }
    extras = answer["vigil"]
    assert (extras["text"], extras["question"], extras["spoke"]) == (text, question, bool(text))
    assert (extras["sequence"], extras["time_s"], extras["latency_ms"]) == (4, 12.3, 250.0)
    assert extras["p"] == {"silent": 0.5, "speak": 0.25, "delegate": 0.25}
    assert parse(content).action == extras["action"]
    assert not chat_out(replace(decision, duplicate=True), "m").vigil.spoke, "what was just said is not said again"
    assert chat_out(replace(decision, probabilities=None), "m").vigil.p is None
