"""What becomes of a remark once its words are known. Pure.

Recognizers make words up where nobody speaks, the session hears its own voice, and people speak to each other. None of
that may become a question or a watch.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from vigil.core.hearing import Became, Hearing, TurnTaking
from vigil_asr.watch_request import is_watch_request
from vigil_asr.words import plain_words

LEAST_CERTAINTY = 0.6  # mean probability of speech, by the detector, below which it was noise
SURE_CERTAINTY = 0.8  # and from which on even a likely invention is taken for speech
SURE_SPEECH_MS = 350
ECHO_SHARE = 0.7  # of the words that were heard
ECHO_WORDS = (
    150  # of a remark, and twice as many of what was spoken: more than 28 s hold, but for an engine that repeats
)

# Said by recognizers of the Whisper family over silence, noise and music. In earnest they are said, too: they are left
# out only where the sound hardly was speech.
_INVENTED = frozenset(
    {
        "you",
        "thank you",
        "thanks",
        "thank you very much",
        "thank you so much",
        "thanks for watching",
        "thank you for watching",
        "please subscribe",
        "bye",
        "bye bye",
        "okay",
        "ok",
        "so",
        "oh",
        "yeah",
        "the end",
        "i'm sorry",
        "silence",
        "music",
        "applause",
        "foreign",
    }
)
_HESITATIONS = frozenset({"uh", "um", "uhm", "er", "erm", "ah", "eh", "hm", "hmm", "mm", "mhm", "huh", "shh"})
_DESCRIBED = re.compile(r"[\[(*♪][^\])*♪]*[\])*♪]?|♪")  # [Music], (upbeat music), *sighs*
_SUBTITLES = re.compile(r"\b(subtitles|captions|transcription) (by|from)\b|\bamara\.org\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Remark:
    """What was heard. `certainty` and `speech_ms` are the detector's, `confidence` the engine's (0 to 1; None where it
    tells none). `is_addressed`: the speaker held the button. `may_watch`: whoever may speak there may add watches."""

    text: str
    certainty: float
    speech_ms: int
    confidence: float | None = None
    is_addressed: bool = False
    may_watch: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of it; of a question or watch `text` is what is asked, of anything else what was heard."""

    became: Became
    text: str


def judged(remark: Remark, hearing: Hearing, spoken: Sequence[str] = (), least_confidence: float = 0.0) -> Verdict:
    """What becomes of a remark. `spoken` are the sentences that the session itself spoke meanwhile or just
    before."""
    text = " ".join(_DESCRIBED.sub(" ", remark.text).split())
    words = plain_words(text)
    if not words or remark.certainty < LEAST_CERTAINTY or _is_unsure(remark, least_confidence):
        return Verdict(Became.NOISE, remark.text.strip())
    if is_filler(text, remark):
        return Verdict(Became.FILLER, text)
    if is_echo(words, spoken):
        return Verdict(Became.ECHO, text)
    verdict = _addressed(text, remark, hearing)
    is_watch = verdict.became is Became.QUERY and remark.may_watch and is_watch_request(verdict.text)
    return replace(verdict, became=Became.WATCH) if is_watch else verdict


def is_filler(text: str, remark: Remark) -> bool:
    """Whether these words say nothing, or are words that recognizers make up and the sound hardly was speech."""
    words = plain_words(text)
    if all(word in _HESITATIONS for word in words):
        return True
    is_invention = " ".join(words) in _INVENTED or bool(_SUBTITLES.search(text))
    is_speech = remark.certainty >= SURE_CERTAINTY and remark.speech_ms >= SURE_SPEECH_MS
    return is_invention and not is_speech


def is_echo(words: Sequence[str], spoken: Sequence[str]) -> bool:
    """Whether most of the words were spoken by the session itself, in their order. One word alone is an echo only of a
    sentence of one word: "stop" is what people say to a voice that speaks."""
    said = [word for sentence in spoken for word in plain_words(sentence)]
    words, said = words[:ECHO_WORDS], said[-2 * ECHO_WORDS :]
    if len(words) == 1:
        return any(plain_words(sentence) == tuple(words) for sentence in spoken)
    matches = SequenceMatcher(None, words, said, autojunk=False).get_matching_blocks()
    return sum(match.size for match in matches) >= ECHO_SHARE * len(words)


def _is_unsure(remark: Remark, least_confidence: float) -> bool:
    return remark.confidence is not None and remark.confidence < least_confidence


def _addressed(text: str, remark: Remark, hearing: Hearing) -> Verdict:
    match hearing.turn_taking:
        case TurnTaking.PUSH:
            return Verdict(Became.QUERY if remark.is_addressed else Became.NOT_ADDRESSED, text)
        case TurnTaking.WAKE:
            question = without_phrase(text, hearing.wake_phrase)
            return Verdict(Became.QUERY, question) if question else Verdict(Became.NOT_ADDRESSED, text)
    return Verdict(Became.QUERY, text)


def without_phrase(text: str, phrase: str) -> str:
    """What follows the wake phrase at the beginning of `text`, whatever its case and punctuation; empty when it does
    not begin with it, or nothing follows."""
    wanted = list(plain_words(phrase))
    rest = text.split()
    while wanted and rest:
        found = plain_words(rest.pop(0))
        if found and found[0] != wanted.pop(0):
            return ""
    question = " ".join(rest)
    return question[:1].upper() + question[1:] if not wanted and plain_words(question) else ""
