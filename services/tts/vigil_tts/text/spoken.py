"""A sentence as a voice is to read it: no markup, and numbers, times, units and short forms in words.

English and Chinese are written out. Of other languages only the markup goes: their engines know their numbers better.
"""

import re

from vigil_tts.text.chinese import written_out as chinese
from vigil_tts.text.english import written_out as english

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+?(?=[.,;:!?)]*(?:\s|$))")
_TAG = re.compile(r"<\|[^<>|]*\|>|</?[A-Za-z!?][^<>]*>")  # of SSML, HTML and engines: no text commands a voice
_MARKUP = re.compile(r"^\s*(?:#{1,6}|>|[-*•]|\d+[.)])\s+|\*{1,3}|_{2,3}|`{1,3}|~~|\|")
_PICTOGRAPH = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d\u20e3]")
_UNSAID = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters, halves of characters
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SPEAKABLE = re.compile(r"\w")


def spoken(text: str, language: str = "") -> str:
    """What the engine is given for a sentence; empty when there is nothing to be said in it. `language` is a BCP 47
    tag; without one it is Chinese where it has Chinese characters, else English."""
    text = _TAG.sub(" ", _UNSAID.sub(" ", text))
    text = _LINK.sub(r"\1", text)
    text = _ADDRESS.sub("链接" if _CHINESE.search(text) else "a link", text)
    text = _PICTOGRAPH.sub(" ", _TAG.sub(" ", _MARKUP.sub("", text)))  # less markup may leave a tag
    primary = language.partition("-")[0].lower() or ("zh" if _CHINESE.search(text) else "en")
    if primary in ("zh", "cmn"):
        text = chinese(text)
    elif primary == "en":
        text = english(text)
    text = " ".join(text.split())
    return text if _SPEAKABLE.search(text) else ""
