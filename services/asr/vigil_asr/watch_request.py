"""Whether somebody who spoke wants to be told when something happens, rather than an answer now. Pure.

Only what he asked for counts, not what it is about. The model is shown the same words either way, so nothing is lost
where this is wrong: a question that is taken for a watch is answered under it, and a watch that is taken for a question
raises no alert.
"""

import re

from vigil_asr.words import plain_words

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_BROKEN_OFF = ("-", "…", "...")
_POLITELY = (
    r"(?:(?:hey|hi|hello|okay|ok|well|so|and|now|just|please|kindly|always"
    r"|(?:can|could|will|would) you|i want you to|i'd like you to|i would like you to) )*"
)
_WHEN = r"when|whenever|once|as soon as|the moment|the second|every time|each time"
_ENGLISH = re.compile(
    rf"{_POLITELY}(?:"
    rf"(?:alert|warn|notify|page|ping|call) (?:me|us) (?:{_WHEN}|if|in case|about|of|should)"
    rf"|let (?:me|us) know (?:{_WHEN}|if|in case|should)"
    rf"|(?:tell|remind) (?:me|us) (?:{_WHEN})"
    r"|(?:keep )?watch(?:ing)?(?: out)? for|look out for|keep an eye (?:on|out for)|keep watch on"
    r") \S"
)
_PAST = re.compile(r"\b(?:was|were|did|had|last|yesterday)\b")  # "Tell me when the door was opened."
_TELL = r"(?:请|請)?(?:提醒|通知|警告|告诉|告訴)(?:一下)?(?:我|我们|我們)"
_CHINESE = re.compile(
    rf"(?:请|請)?(?:当|當|每当|每當|如果|要是|一旦|只要).+{_TELL}|.+(?:时|時|时候|時候|的话|的話)[,，]?\s*{_TELL}"
)


def is_watch_request(text: str) -> bool:
    """Whether the text, one sentence that does not break off, asks for that."""
    sentence = text.strip()
    if len(_SENTENCE_END.split(sentence)) > 1 or sentence.endswith(_BROKEN_OFF):
        return False
    words = " ".join(plain_words(text)).replace("’", "'")
    return (bool(_ENGLISH.match(words)) and not _PAST.search(words)) or bool(_CHINESE.match(sentence))
