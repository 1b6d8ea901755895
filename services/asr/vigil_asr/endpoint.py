"""Where a remark begins and ends, from the probability of speech in each frame of sound. Pure.

A voice stirs at the first `stir_ms` of speech: who speaks to the user should pause. It is a remark once
`least_speech_ms` of it were heard, and a false start when `give_up_ms` of silence come before that. A remark
ends after `end_silence_ms` of silence, or when it is `longest_ms` long: then the next one may begin at once.

Where pauses are judged (`longest_silence_ms` is set), a remark pauses after `pause_ms` of silence. If it is judged
incomplete before `end_silence_ms`, it ends after `longest_silence_ms` instead; speech before that continues it.
Nothing that a judge says ends a remark earlier.
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
    PAUSED = "paused"  # and pauses: perhaps he has finished
    ENDED = "ended"  # and is silent again
    CUT = "cut"  # and speaks on: what was said so far is as long as a remark may be


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """Times are in milliseconds. A frame is speech from `threshold` on, within speech already from a little less on. A
    turn is complete from the probability `complete_from` on. `longest_silence_ms`: None where pauses are not judged."""

    threshold: float = 0.5
    stir_ms: int = 64
    least_speech_ms: int = 250
    give_up_ms: int = 224
    end_silence_ms: int = 500
    longest_ms: int = 28_000
    pause_ms: int = 200
    longest_silence_ms: int | None = None
    complete_from: float = 0.7

    @property
    def least_probability(self) -> float:
        """From which a frame after speech is still speech."""
        return max(0.05, self.threshold - 0.15)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What was heard since a voice stirred: all of it, its speech, and the silence at its end, in milliseconds;
    `certainty_ms` sums the probability of its speech over time. `marked` is the last mark that changed its state; None:
    nobody speaks. `is_incomplete`: the silence at its end was judged to be a pause within a turn."""

    marked: Mark | None = None
    total_ms: int = 0
    speech_ms: int = 0
    silence_ms: int = 0
    certainty_ms: float = 0.0
    is_incomplete: bool = False

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
        is_incomplete=endpoint.is_incomplete and not is_speech,
    )
    mark = _speaking(after, rules) if after.is_speaking else _beginning(after, rules)
    return (replace(after, marked=mark) if mark and mark is not Mark.PAUSED else after), mark


def _speaking(endpoint: Endpoint, rules: EndpointRules) -> Mark | None:
    is_too_long = endpoint.total_ms >= rules.longest_ms
    if endpoint.silence_ms >= rules.end_silence_ms and (is_too_long or endpoint.silence_ms >= _end_ms(endpoint, rules)):
        return Mark.ENDED
    if is_too_long:
        return Mark.CUT
    is_pause = endpoint.silence_ms - FRAME_MS < rules.pause_ms <= endpoint.silence_ms
    return Mark.PAUSED if is_pause and rules.longest_silence_ms is not None else None


def _end_ms(endpoint: Endpoint, rules: EndpointRules) -> int:
    """How much silence ends it."""
    if not endpoint.is_incomplete or rules.longest_silence_ms is None:
        return rules.end_silence_ms
    return max(rules.end_silence_ms, rules.longest_silence_ms)


def _beginning(endpoint: Endpoint, rules: EndpointRules) -> Mark | None:
    """A voice that stirs when speech has been heard for long enough begins the moment after: one mark a frame."""
    if endpoint.silence_ms >= rules.give_up_ms:
        return Mark.FALSE_START
    if endpoint.marked is None:
        return Mark.STIRRED if endpoint.speech_ms >= rules.stir_ms else None
    return Mark.BEGAN if endpoint.speech_ms >= rules.least_speech_ms else None
