"""The three actions and how they are read out of a model's text.

The released weights write `</silence>`, `</response> text` or `</response> note </delegation> question`
(paper §3.2; closing-tag tokens that are never opened). Reading is tolerant: position, case, a missing slash,
several lines and `<think>` blocks do not matter. Text without a marker is never spoken.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum

SILENCE = "</silence>"
RESPONSE = "</response>"
DELEGATION = "</delegation>"
CONTROL_TOKENS = (SILENCE, RESPONSE, DELEGATION)

MAX_TEXT_CHARS = 4_000

_THINK = re.compile(r"<think>.*?(?:</think>|\Z)", re.IGNORECASE | re.DOTALL)
_MARKER = re.compile(r"</?(silence|response|delegation)>|<\|background_call\|>", re.IGNORECASE)
# A token of the chat format (`<|im_end|>`, `<|image_pad|>`): in a history it would break every later prompt.
CHAT_TOKEN = re.compile(r"<\|(?!background_call\|)\w+\|>", re.IGNORECASE)
# Tokens of the chat formats of other families: a profile may serve any of them. None of them contains a space.
_TAGS = (
    "think thinking tools tool_call tool_calls tool_response tool_result function_call function_calls invoke s bos eos "
    "pad unk start_of_turn end_of_turn start_of_image end_of_image image_soft_token image video audio img img_context"
)
_INSTRUCTIONS = "inst system_prompt available_tools tool_calls tool_results img img_break img_end"
_FOREIGN_TOKEN = re.compile(
    rf"</?(?:{'|'.join(_TAGS.split())})>|\[/?(?:{'|'.join(_INSTRUCTIONS.split())})\]|<</?sys>>|<｜[^\s<>｜]{{1,64}}｜>",
    re.IGNORECASE,
)
# What only Vigil writes into a prompt: the time of a turn, the span of a memory, and the headers of its sections.
_SECONDS = r"\s*[\d.,]+\s*s(?:ec(?:ond)?s?)?\s*"
_TIME = re.compile(rf"<({_SECONDS}(?:[-~]{_SECONDS})?)>", re.IGNORECASE)
_SECTIONS = (
    r"User Query|Background Result|Video History|Recalled Memory|Module Observations|Q\s*&\s*A History|"
    r"Query\s*@|Response\s*@"
)
_HEADER = re.compile(rf"\[(?=\s*(?:{_SECTIONS}))", re.IGNORECASE)
# What nobody sees: commands to a terminal, changes of the direction of writing, and tags that hide words in words.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]")


class Action(StrEnum):
    """What the model does in one turn."""

    SILENT = "silent"
    SPEAK = "speak"
    DELEGATE = "delegate"


@dataclass(frozen=True, slots=True)
class Output:
    """A model's text, read. `malformed` says why it could not be read; such an output is silent."""

    action: Action
    text: str = ""
    question: str = ""
    malformed: str = ""

    @property
    def reply(self) -> str:
        """The control form exactly as normalised: what the history keeps."""
        match self.action:
            case Action.SILENT:
                return SILENCE
            case Action.SPEAK:
                return f"{RESPONSE} {self.text}"
            case Action.DELEGATE:
                note = f"{RESPONSE} {self.text} " if self.text else ""
                return f"{note}{DELEGATION} {self.question}"


def parse(raw: str) -> Output:
    """Read a model's text. Never raises: what cannot be read is silent and says why."""
    text = visible(raw)
    markers = list(_MARKER.finditer(text))
    if not markers:
        return _malformed("no control token" if text.strip() else "empty output")
    if _kind(markers[0]) == "silence":
        return Output(Action.SILENT)
    spoken = _segment(text, markers, "response")
    question = _segment(text, markers, "delegation")
    if question is not None:
        return _delegation(spoken or "", question)
    return _speech(spoken or "")


def visible(raw: str) -> str:
    """`raw` without think blocks and tokens of chat formats. A space takes their place, so that no new token forms."""
    text = raw.encode("utf-8", "replace").decode()  # a lone surrogate could be neither stored nor published
    return _FOREIGN_TOKEN.sub(" ", CHAT_TOKEN.sub(" ", _THINK.sub(" ", text)))


def plain(raw: str) -> str:
    """`raw` on one line, as words that a prompt may hold: nothing in it is a command to the model's machinery, or
    looks like what Vigil itself writes into a prompt. Words that are plain already stay as they are."""
    return _one_line(_MARKER.sub(" ", visible(raw)))


def _malformed(why: str) -> Output:
    return Output(Action.SILENT, malformed=why)


def _speech(text: str) -> Output:
    return Output(Action.SPEAK, text) if text else _malformed("response without words")


def _delegation(note: str, question: str) -> Output:
    if question:
        return Output(Action.DELEGATE, note, question)
    return Output(Action.SPEAK, note) if note else _malformed("delegation without a question")


def _kind(marker: re.Match[str]) -> str:
    return marker.group(1).lower() if marker.group(1) else "delegation"


def _segment(text: str, markers: list[re.Match[str]], kind: str) -> str | None:
    """The words after the first marker of `kind`, up to the next marker, on one line; None without one."""
    for index, marker in enumerate(markers):
        if _kind(marker) == kind:
            end = markers[index + 1].start() if index + 1 < len(markers) else len(text)
            words = text[marker.end() : end]
            return _one_line(_query(words) if marker.group(1) is None else words)
    return None


def _query(words: str) -> str:
    """The legacy background call carries its question as JSON: `{"query": …}`."""
    try:
        call = json.loads(words)
    except (ValueError, RecursionError):
        return words
    if not isinstance(call, dict):
        return words
    query = call.get("query")
    return _MARKER.sub(" ", visible(query)) if isinstance(query, str) else ""


def _one_line(words: str) -> str:
    """The words on one line. What only Vigil writes into a prompt is put into round brackets."""
    line = " ".join(_INVISIBLE.sub(" ", words).split())
    return _HEADER.sub("(", _TIME.sub(r"(\1)", line))[:MAX_TEXT_CHARS].rstrip()
