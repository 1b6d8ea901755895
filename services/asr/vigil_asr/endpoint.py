"""Where a remark begins and ends, from the probability of speech in each frame of sound. Pure.

A voice stirs at the first `stir_ms` of speech: who speaks to the user should pause. It is a remark once
`least_speech_ms` of it were heard, and a false start when `give_up_ms` of silence come before that. A remark
ends after `end_silence_ms` of silence, or when it is `longest_ms` long: then the next one may begin at once.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from vigil.core.sound import SAMPLE_BYTES

FRAME_SAMPLES = 512
FRAME_MS = 32
FRAME_BYTES = FRAME_SAMPLES * SAMPLE_BYTES


class Mark(StrEnum):
    """What a frame of sound brought about."""

    STIRRED = "stirred"  # perhaps somebody begins to speak
    FALSE_START = "false_start"  # it was none, or too short to be a word
    BEGAN = "began"  # somebody speaks
    ENDED = "ended"  # and is silent again
    CUT = "cut"  # and speaks on: what was said so far is as long as a remark may be


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """Times are in milliseconds. A frame is speech from `threshold` on, within speech already from a little less on."""

    threshold: float = 0.5
    stir_ms: int = 64
    least_speech_ms: int = 250
    give_up_ms: int = 224
    end_silence_ms: int = 500
    longest_ms: int = 28_000

    @property
    def least_probability(self) -> float:
        """From which a frame after speech is still speech."""
        return max(0.05, self.threshold - 0.15)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What was heard since a voice stirred: all of it, its speech, and the silence at its end, in milliseconds;
    `certainty_ms` sums the probability of its speech over time. `marked` is the last mark; None: nobody speaks."""

    marked: Mark | None = None
    total_ms: int = 0
    speech_ms: int = 0
    silence_ms: int = 0
    certainty_ms: float = 0.0

    @property
    def is_speaking(self) -> bool:
        """Whether a remark has begun and not ended."""
        return self.marked is Mark.BEGAN

    @property
    def certainty(self) -> float:
        """Mean probability of what counts as speech."""
        return self.certainty_ms / self.speech_ms if self.speech_ms else 0.0


QUIET = Endpoint()


def heard(endpoint: Endpoint, probability: float, rules: EndpointRules) -> tuple[Endpoint, Mark | None]:
    """The state after one more frame, and what it brought about. At `ENDED`, `CUT` and `FALSE_START` the state still
    says what there was; go on from `QUIET`."""
    is_speech = probability >= (rules.least_probability if endpoint.speech_ms else rules.threshold)
    if not is_speech and not endpoint.speech_ms:
        return QUIET, None
    after = replace(
        endpoint,
        total_ms=endpoint.total_ms + FRAME_MS,
        speech_ms=endpoint.speech_ms + (FRAME_MS if is_speech else 0),
        silence_ms=0 if is_speech else endpoint.silence_ms + FRAME_MS,
        certainty_ms=endpoint.certainty_ms + (probability * FRAME_MS if is_speech else 0.0),
    )
    mark = _speaking(after, rules) if after.is_speaking else _beginning(after, rules)
    return (replace(after, marked=mark) if mark else after), mark


def _speaking(endpoint: Endpoint, rules: EndpointRules) -> Mark | None:
    if endpoint.silence_ms >= rules.end_silence_ms:
        return Mark.ENDED
    return Mark.CUT if endpoint.total_ms >= rules.longest_ms else None


def _beginning(endpoint: Endpoint, rules: EndpointRules) -> Mark | None:
    """A voice that stirs when speech has been heard for long enough begins the moment after: one mark a frame."""
    if endpoint.silence_ms >= rules.give_up_ms:
        return Mark.FALSE_START
    if endpoint.marked is None:
        return Mark.STIRRED if endpoint.speech_ms >= rules.stir_ms else None
    return Mark.BEGAN if endpoint.speech_ms >= rules.least_speech_ms else None
