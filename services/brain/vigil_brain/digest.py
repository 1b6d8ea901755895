"""The digest of an answer: what the session's model is told. Pure.

An answer is untrusted text of any length. Its digest is one line of plain text of at most `MAX_DIGEST_CHARS`, in which
nothing is a command to a model's machinery: no control token, no chat token, no header or time marker of a prompt, no
half of a character. Whatever it says, the model is told it as the result of a question, and as nothing else.
"""

import re
import unicodedata

from vigil.core.control import plain
from vigil.core.profile import PROFILES
from vigil.core.turn import MAX_RESULT_CHARS

MAX_DIGEST_CHARS = MAX_RESULT_CHARS
MAX_READ_CHARS = 32_768  # of an answer; what is behind is not looked at
MAX_REASON_CHARS = 500

_MARK = "…"
_CONTROL = re.compile(
    r"</?\s*(?:silence|response|delegation|delegate|think|tool_call|tool_response)\s*>", re.IGNORECASE
)
_CHAT = re.compile(r"<\|[^|<>\n]{0,64}\|>|</?s>|\[/?INST\]|<<?/?SYS>?>", re.IGNORECASE)
# The headers of a prompt, however they go on: `[User Query (…)]`, `[Response@12.0 seconds]`.
_HEADER = re.compile(
    r"\[\s*(?:User\s+Query|Background\s+Result|Q&A\s+History|Video\s+History|Query\s*@|Response\s*@)[^\]\n]{0,80}\]?",
    re.IGNORECASE,
)
_TIME = re.compile(r"<\s*\d+(?:\.\d+)?\s*seconds?[^>\n]{0,40}>", re.IGNORECASE)
_LINE_FORMS = re.compile(r"^\s*(?:Result|System|Assistant|User)\s*:\s*", re.IGNORECASE | re.MULTILINE)
_FENCE = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)
_EMPHASIS = re.compile(r"\*\*|__|`")
_LIST_MARKS = re.compile(r"^(?:[ \t]*[#>*-]+[ \t]+)+", re.MULTILINE)  # within a line they are signs: 7 > 3, 12 * 34
_SENTENCE_END = re.compile(r"[.!?。！？](?=\s|$)|[。！？]")
# A word of a profile that opens an action where it stands before a colon (`SPEAK:`).
_WORDS = [word for profile in PROFILES.values() for word in profile.spelling.words if word.endswith(":")]
_SPELLED = re.compile("|".join(rf"(?<!\w){re.escape(word)}" for word in _WORDS))


def digest(answer: str, most: int = MAX_DIGEST_CHARS) -> str:
    """The answer as one line of plain text that a prompt may hold; empty when nothing is left of it."""
    text = "".join(character for character in answer[:MAX_READ_CHARS] if _is_readable(character))
    text = _EMPHASIS.sub(" ", _FENCE.sub(" ", text))
    text = _settled(text)
    return _cut(text, most)


def reason(text: str) -> str:
    """Why there is no answer, in words that a session may be told; never empty."""
    return digest(text, MAX_REASON_CHARS) or "the brain gave no answer"


def _settled(text: str) -> str:
    """Take out what is a command until nothing of it is left: what is taken out may join what was apart."""
    while True:
        less = text
        for form in (_CONTROL, _CHAT, _HEADER, _TIME, _SPELLED, _LIST_MARKS, _LINE_FORMS):
            less = form.sub(" ", less)
        less = plain(less)
        if less == text:
            return text
        text = less


def _is_readable(character: str) -> bool:
    """Whether it is text or white space: no control character, nothing invisible, no half of a character. The joiners
    of Persian words and of emoji are text."""
    return character in "\n\t\u200c\u200d" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _cut(text: str, most: int) -> str:
    """At most `most` characters, to the end of a sentence where there is one in the second half."""
    if len(text) <= most:
        return text
    room = text[: most - 2]
    ends = [end.end() for end in _SENTENCE_END.finditer(room)]
    if ends and ends[-1] >= most // 2:
        return f"{room[: ends[-1]]} {_MARK}"
    words = room.rpartition(" ")[0] or room
    return f"{words} {_MARK}"
