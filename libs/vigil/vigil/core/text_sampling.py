"""Sampled words after a greedy decision: what a turn says may vary, whether it speaks never does.

The decision (silent, speak, delegate) is always the likeliest. Where a session asks for sampled text, the words
of a turn that speaks are drawn again after its response word; a delegated question stays as it was decided.
"""

from dataclasses import replace

from vigil.core.control import Action
from vigil.core.decide import Completion
from vigil.core.message import Message, Text
from vigil.core.profile import PromptProfile


def may_vary(profile: PromptProfile, decided: Completion) -> bool:
    """Whether this completion is speech alone, whose words may be drawn again."""
    return profile.spelling.read(decided.text).action is Action.SPEAK


def opened(profile: PromptProfile, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The prompt with the reply begun: all that is missing is the words."""
    return (*messages, Message("assistant", (Text(profile.spelling.response),)))


def worded(profile: PromptProfile, decided: Completion, drawn: Completion) -> Completion:
    """The completion with the drawn words and what both requests cost; as decided where those cannot be spoken."""
    text = profile.spelling.response + drawn.text
    spent = replace(
        decided,
        completion_tokens=decided.completion_tokens + drawn.completion_tokens,
        request_bytes=decided.request_bytes + drawn.request_bytes,
        engine_ms=decided.engine_ms + drawn.engine_ms,
    )
    speaks = profile.spelling.read(text).action is Action.SPEAK
    return replace(spent, text=text) if speaks else spent
