"""One stream of sound: where somebody speaks in it, and the sound of each remark. No I/O and no clock: times are
those that the sound was captured at, in microseconds since the epoch."""

from collections import deque
from dataclasses import dataclass, replace

from vigil.core.sound import length_us
from vigil_asr.endpoint import FRAME_BYTES, FRAME_MS, QUIET, Endpoint, EndpointRules, Mark, heard
from vigil_asr.pauses import Pause, PauseOutcome, judgement_of
from vigil_asr.sound import RemarkSound
from vigil_asr.voice_activity import Detector

BEFORE_FRAMES = 10  # of sound before the first speech that go with a remark: 320 ms
GAP_US = 250_000  # sound that is missing, or a clock that was set, for longer: what follows is something else
_FRAME_US = FRAME_MS * 1_000


@dataclass(frozen=True, slots=True)
class Stirred:
    """Perhaps somebody begins to speak."""

    time_us: int


@dataclass(frozen=True, slots=True)
class FalseStart:
    """It was none."""

    time_us: int


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody speaks, since `begin_us`. `sound` grows until he stops."""

    begin_us: int
    sound: RemarkSound


@dataclass(frozen=True, slots=True)
class Ended:
    """He spoke until `end_us`. `certainty` and `speech_ms` tell how much of that was speech; `is_cut`: he speaks on."""

    end_us: int
    speech_ms: int
    certainty: float
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Paused:
    """He pauses: whether he has finished may be asked, about `sound` up to now. Tell the ear by `judged`."""

    number: int
    sound: RemarkSound


@dataclass(frozen=True, slots=True)
class PauseOver:
    """What came of the pause; what is said of it from now on does not matter."""

    outcome: PauseOutcome


EarEvent = Stirred | FalseStart | Began | Ended | Paused | PauseOver


class Ear:
    """`hear` sound as it comes; `finish` when no more does. Where the rules have pauses judged, each is told once as
    `Paused` and once as `PauseOver`."""

    def __init__(self, detector: Detector, rules: EndpointRules) -> None:
        self._detector = detector
        self._rules = rules
        self._endpoint: Endpoint = QUIET
        self._rest = b""  # less than a frame
        self._next_us = 0  # when what comes next was captured, if nothing is missing
        self._before: deque[bytes] = deque(maxlen=BEFORE_FRAMES)
        self._stirring: list[tuple[bytes, bool]] = []  # from the first speech until it is a remark: 2 s at most
        self._begin_us = 0
        self._voiced_us = 0  # the end of the last speech
        self._sound: RemarkSound | None = None
        self._pause: Pause | None = None
        self._pauses = 0

    @property
    def is_attentive(self) -> bool:
        """Whether somebody speaks, or perhaps does."""
        return self._endpoint is not QUIET

    def hear(self, pcm: bytes, time_us: int) -> list[EarEvent]:
        """What so much sound, captured at `time_us`, brought about."""
        events: list[EarEvent] = []
        if self._next_us and abs(time_us - self._next_us) > GAP_US:
            events += self.finish()
        begin_us = time_us - length_us(len(self._rest))
        data = self._rest + pcm
        whole = len(data) // FRAME_BYTES * FRAME_BYTES
        for number, start in enumerate(range(0, whole, FRAME_BYTES)):
            events += self._frame(data[start : start + FRAME_BYTES], begin_us + number * _FRAME_US)
        self._rest = data[whole:]
        self._next_us = time_us + length_us(len(pcm))
        return events

    def judged(self, number: int, probability: float | None) -> None:
        """How probable it is that the speaker has finished who made this pause; None: that could not be found out. Said
        of a pause that is over, it changes nothing."""
        if self._pause is None or self._pause.number != number:
            return
        self._pause = replace(self._pause, judgement=judgement_of(probability, self._rules.complete_from))
        self._endpoint = replace(self._endpoint, is_incomplete=self._pause.is_incomplete)

    def finish(self) -> list[EarEvent]:
        """End what is being said: nothing more of it comes, or what comes does not follow it."""
        events = self._over(is_cut=False) if self._sound is not None else self._false_start()
        self._detector.forget()
        self._rest, self._next_us = b"", 0
        self._before.clear()
        return events

    def _frame(self, frame: bytes, time_us: int) -> list[EarEvent]:
        was_quiet, silence_ms = self._endpoint is QUIET, self._endpoint.silence_ms
        self._endpoint, mark = heard(self._endpoint, self._detector.probability(frame), self._rules)
        is_speech = self._endpoint.speech_ms > 0 and self._endpoint.silence_ms == 0
        if is_speech:
            self._voiced_us = time_us + _FRAME_US
            self._begin_us = time_us if was_quiet else self._begin_us
        self._keep(frame, is_speech)
        resumed = self._pause_over(silence_ms, is_resumed=True) if is_speech else []
        return resumed + self._marked(mark)

    def _marked(self, mark: Mark | None) -> list[EarEvent]:
        match mark:
            case Mark.STIRRED:
                return [Stirred(self._begin_us)]
            case Mark.BEGAN:
                return [self._began()]
            case Mark.PAUSED:
                return [self._paused()]
            case Mark.FALSE_START:
                return self._false_start()
            case Mark.ENDED | Mark.CUT:
                return self._over(is_cut=mark is Mark.CUT)
        return []

    def _keep(self, frame: bytes, is_speech: bool) -> None:
        if self._sound is not None:
            self._sound.add(frame, is_speech=is_speech)
        elif self._endpoint is QUIET:
            self._before.append(frame)
        else:
            self._stirring.append((frame, is_speech))

    def _began(self) -> Began:
        self._sound = RemarkSound()
        for frame in self._before:
            self._sound.add(frame, is_speech=False)
        for frame, is_speech in self._stirring:
            self._sound.add(frame, is_speech=is_speech)
        self._before.clear()
        self._stirring.clear()
        return Began(self._begin_us, self._sound)

    def _paused(self) -> Paused:
        assert self._sound is not None  # noqa: S101  a remark pauses
        self._pauses += 1
        self._pause = Pause(self._pauses)
        return Paused(self._pauses, self._sound)

    def _pause_over(self, silence_ms: int, *, is_resumed: bool) -> list[EarEvent]:
        pause, self._pause = self._pause, None
        if pause is None:
            return []
        would_end = silence_ms >= self._rules.end_silence_ms
        return [PauseOver(pause.outcome(would_end=would_end, is_resumed=is_resumed))]

    def _false_start(self) -> list[EarEvent]:
        """A sound that never stirred is not told of."""
        did_stir = self._endpoint.speech_ms >= self._rules.stir_ms
        self._before.extend(frame for frame, _ in self._stirring)
        self._stirring.clear()
        self._endpoint = QUIET
        return [FalseStart(self._begin_us)] if did_stir else []

    def _over(self, *, is_cut: bool) -> list[EarEvent]:
        endpoint, sound = self._endpoint, self._sound
        self._endpoint, self._sound = QUIET, None
        if sound is not None:
            sound.end()
        over = self._pause_over(endpoint.silence_ms, is_resumed=False)
        return [*over, Ended(self._voiced_us, endpoint.speech_ms, endpoint.certainty, is_cut)]
