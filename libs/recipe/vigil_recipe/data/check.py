"""What makes a record usable: times in order and within the video, answers that follow questions, clean texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vigil.core import control
from vigil_recipe.data.records import Record, RecordError, Utterance

# Texts that the tokenizer would read as a control token, a chat token or a picture.
TOKEN_LIKE = re.compile(r"</\w+>|<\|\w+\|>|<(?:image|video|silence|response|delegation|delegate)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a record may hold. ``unprompted`` allows answers before any question, for commentary without a request."""

    question_chars: int = 2_000
    response_chars: int = control.MAX_TEXT_CHARS
    unprompted: bool = False


def check(record: Record, duration_s: float, limits: Limits) -> None:
    """Raise RecordError, naming the first problem of a record over a video of ``duration_s`` seconds."""
    if not record.responses and not record.questions:
        raise record.error("neither a question nor a response: there is nothing to learn")
    _check_times(record, "question", record.questions, duration_s)
    _check_times(record, "response", record.responses, duration_s)
    for index, question in enumerate(record.questions):
        _check_text(record, f"question[{index}]", question.content, limits.question_chars, ())
    for index, response in enumerate(record.responses):
        allowed = (control.RESPONSE, control.DELEGATION)
        _check_text(record, f"response[{index}]", response.content, limits.response_chars, allowed)
        try:
            reply_of(response.content)
        except ValueError as error:
            raise record.error(f"response[{index}]: {error}") from error
    if record.responses and not limits.unprompted:
        _check_asked(record)


def reply_of(content: str) -> str:
    """A response's content in the control form. Raises ValueError when it says nothing or delegates nothing."""
    text = " ".join(content.split())
    has_marker = text.startswith((control.RESPONSE, control.DELEGATION))
    output = control.parse(text if has_marker else f"{control.RESPONSE} {text}")
    if output.action is control.Action.SILENT:
        raise ValueError(output.malformed or "a response that is silence")
    if control.DELEGATION in text and output.action is not control.Action.DELEGATE:
        raise ValueError(f"{control.DELEGATION} without a question after it")
    if text.count(control.RESPONSE) > 1 or text.count(control.DELEGATION) > 1:
        raise ValueError("the same control token twice")
    return output.reply


def _check_times(record: Record, field: str, said: Sequence[Utterance], duration_s: float) -> None:
    last_s = 0.0
    for index, utterance in enumerate(said):
        if utterance.time_s < 0:
            raise record.error(f"{field}[{index}].time is negative: {utterance.time_s:g} s")
        if utterance.time_s < last_s:
            raise record.error(f"{field}[{index}].time is out of order: {utterance.time_s:g} s after {last_s:g} s")
        if utterance.time_s > duration_s:
            raise record.error(f"{field}[{index}].time is beyond the video: {utterance.time_s:g} s of {duration_s:g} s")
        last_s = utterance.time_s


def _check_text(record: Record, at: str, content: str, most_chars: int, allowed: Sequence[str]) -> None:
    if not content.strip():
        raise record.error(f"{at}.content is empty")
    if len(content) > most_chars:
        raise record.error(f"{at}.content is too long: {len(content)} characters, at most {most_chars}")
    for found in TOKEN_LIKE.findall(content):
        if found not in allowed:
            raise record.error(f"{at}.content holds {found}, which is a control token or would be read as one")


def _check_asked(record: Record) -> None:
    first_s = record.questions[0].time_s if record.questions else None
    answer_s = record.responses[0].time_s
    if first_s is None:
        raise record.error(f"response[0] at {answer_s:g} s answers nothing: there is no question")
    if answer_s < first_s:
        raise record.error(f"response[0] at {answer_s:g} s comes before the first question at {first_s:g} s")


__all__ = ["Limits", "RecordError", "check", "reply_of"]
