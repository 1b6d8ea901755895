"""What the fields of OpenAI's chat API mean for a turn: some it cannot do, some change nothing. Pure.

A field that asks for something a turn cannot do is refused by name. One that a turn does not need is named in the
answer's header `x-vigil-ignored`, so that nobody looks for its effect.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vigil_gateway.api.turn_errors import ChatUnsupported

IGNORED_HEADER = "x-vigil-ignored"
MAX_NAMED = 24
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

_AUTO = (None, "none", "auto")
_TOOLS = "a turn calls no tools: the model itself delegates what is too hard for it"
_FORM = "a turn is answered in the control form"
_OUTSIDE = "it belongs into `vigil`"

# Field → whether a value of it asks for nothing special, and why others are refused.
_REFUSED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "stream": (lambda value: not value, "a turn is answered whole"),
    "n": (lambda value: value in (None, 1), "a turn has one answer"),
    "tool_choice": (lambda value: value in _AUTO, _TOOLS),
    "function_call": (lambda value: value in _AUTO, _TOOLS),
    "response_format": (lambda value: value in (None, {"type": "text"}), _FORM),
    "modalities": (lambda value: value in (None, ["text"]), "a turn is answered in words"),
    "audio": (lambda value: value is None, "a turn is answered in words"),
    "logprobs": (lambda value: not value, "the answer's `vigil.p` has the probability of each action"),
    "web_search_options": (lambda value: value is None, "a turn searches nothing"),
    "guided_json": (lambda value: value is None, _FORM),
    "guided_regex": (lambda value: value is None, _FORM),
    "guided_choice": (lambda value: value is None, _FORM),
    "guided_grammar": (lambda value: value is None, _FORM),
    "structured_outputs": (lambda value: value is None, _FORM),
    "extra_body": (lambda value: value is None, "it is an argument of OpenAI's Python library and no field"),
    "session": (lambda value: value is None, "the header x-session-id names the session"),
    "session_id": (lambda value: value is None, "the header x-session-id names the session"),
    **{name: (lambda value: value is None, _OUTSIDE) for name in ("time_s", "watches", "instructions", "question")},
}
# What a client sends for its own books; a turn need not say that it does nothing with it.
_SILENT = frozenset({"user", "safety_identifier", "metadata", "store", "service_tier", "prompt_cache_key"})


def check_fields(given: Mapping[str, Any]) -> None:
    """Raise `ChatUnsupported` for the first field that asks for what a turn cannot do."""
    for name, value in given.items():
        asks_nothing, why = _REFUSED.get(name, (None, ""))
        if asks_nothing is not None and not asks_nothing(value):
            raise ChatUnsupported(f"`{name}` is {_shown(value)}, and {why}: leave it out here")


def check_parts(kinds: Sequence[str]) -> None:
    """Raise `ChatUnsupported` for a part of the user's message that is neither text nor a picture."""
    for kind in kinds:
        if kind not in ("text", "image_url"):
            raise ChatUnsupported(f"a part of the type {kind[:40]!r} cannot be read: send `text` and `image_url`")


def ignored(given: Mapping[str, Any], roles: Sequence[str]) -> str:
    """The header's value: the fields that were given and have no effect, and `messages.<role>` where earlier or other
    messages have none. Empty when there are none."""
    named = {name for name, value in given.items() if value is not None and name not in _SILENT | _REFUSED.keys()}
    named |= {f"messages.{role}" for role in roles}
    return ", ".join(sorted(name for name in named if _NAME.fullmatch(name))[:MAX_NAMED])


def _shown(value: Any) -> str:
    return repr(value)[:60] if isinstance(value, str | int | float | bool) else "given"
