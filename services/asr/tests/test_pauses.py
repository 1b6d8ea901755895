"""What a judge of turns may change about a remark: its end comes later, and never sooner."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_asr.ear import Began, Ear, EarEvent, Ended, Paused, PauseOver
from vigil_asr.endpoint import FRAME_BYTES, FRAME_MS, EndpointRules
from vigil_asr.pauses import Judgement, Pause, PauseOutcome, judgement_of
from vigil_asr.testing.loudness import LoudnessDetector, loud, still

RULES = EndpointRules(longest_silence_ms=1_500)
START_US = 1_700_000_000_000_000
NEVER = 10_000


@dataclass(slots=True)
class Judged:
    """An ear, and a judge that says `answers` of one pause after the other, each so many frames after it is asked."""

    answers: list[tuple[float | None, int]]
    rules: EndpointRules = RULES
    events: list[EarEvent] = field(default_factory=list)
    ends_ms: list[int] = field(default_factory=list)  # from the last speech to each end

    def hear(self, *pieces: bytes) -> "Judged":
        """Hear it all, frame by frame, and that no more comes."""
        ear, pcm = Ear(LoudnessDetector(), self.rules), b"".join(pieces)
        waiting: list[tuple[int, int, float | None]] = []
        for number, at in enumerate(range(0, len(pcm) // FRAME_BYTES * FRAME_BYTES, FRAME_BYTES)):
            for pause in [pause for pause in waiting if pause[0] <= number]:
                waiting.remove(pause)
                ear.judged(pause[1], pause[2])
            time_us = START_US + number * FRAME_MS * 1_000
            for event in ear.hear(pcm[at : at + FRAME_BYTES], time_us):
                self.events.append(event)
                if isinstance(event, Paused):
                    probability, frames = self.answers.pop(0) if self.answers else (None, NEVER)
                    waiting.append((number + frames, event.number, probability))
                if isinstance(event, Ended) and not event.is_cut:
                    self.ends_ms.append((time_us - event.end_us) // 1_000 + FRAME_MS)
        self.events += ear.finish()
        return self

    @property
    def outcomes(self) -> list[str]:
        return [str(event.outcome) for event in self.events if isinstance(event, PauseOver)]

    @property
    def remarks(self) -> list[EarEvent]:
        """What an ear without a judge would tell, too."""
        return [event for event in self.events if not isinstance(event, Paused | PauseOver)]


SENTENCE = (loud(640), still(2_016))


@pytest.mark.parametrize(
    ("answer", "outcome", "end_ms"),
    [
        ((0.7, 2), "complete", 512),
        ((0.69, 2), "waited", 1_504),
        ((0.0, 9), "waited", 1_504),
        ((0.0, 10), "late", 512),
        ((0.0, NEVER), "late", 512),
        ((None, 2), "failed", 512),
    ],
)
def test_a_remark_ends_by_what_is_judged_in_time(answer: tuple[float | None, int], outcome: str, end_ms: int) -> None:
    judged = Judged([answer]).hear(*SENTENCE)
    assert (judged.outcomes, judged.ends_ms) == ([outcome], [end_ms])


def test_who_had_not_finished_goes_on_in_the_same_remark() -> None:
    judged = Judged([(0.1, 2), (0.9, 2)]).hear(loud(640), still(960), loud(640), still(1_024))
    assert judged.outcomes == ["resumed", "complete"]
    assert judged.ends_ms == [512]
    [began] = [event for event in judged.events if isinstance(event, Began)]
    assert began.sound.voiced_bytes == len(loud(640) + still(960) + loud(640))


def test_a_short_pause_is_judged_for_nothing() -> None:
    judged = Judged([(0.1, 2), (0.9, 2)]).hear(loud(640), still(320), loud(640), still(1_024))
    assert (judged.outcomes, judged.ends_ms) == (["short", "complete"], [512])


def test_what_is_judged_of_one_pause_does_not_hold_for_the_next() -> None:
    judged = Judged([(0.1, 20)]).hear(loud(640), still(320), loud(640), still(1_024))
    assert (judged.outcomes, judged.ends_ms) == (["short", "late"], [512])


def test_sound_that_stops_coming_and_the_longest_remark_end_a_pause() -> None:
    assert Judged([(0.1, 2)]).hear(loud(640), still(960)).outcomes == ["waited"]
    assert Judged([(0.1, 2)]).hear(loud(640), still(320)).outcomes == ["short"]
    too_long = Judged([(0.1, 2)], EndpointRules(longest_silence_ms=1_500, longest_ms=2_000)).hear(
        loud(1_280), still(960)
    )
    assert (too_long.outcomes, too_long.ends_ms) == (["waited"], [736])


def test_where_nobody_judges_no_pause_is_told() -> None:
    assert Judged([], EndpointRules()).hear(*SENTENCE).outcomes == []


def test_every_judgement_has_an_outcome() -> None:
    found = {
        Pause(1, judgement).outcome(would_end=would_end, is_resumed=is_resumed)
        for judgement in (None, *Judgement)
        for would_end in (False, True)
        for is_resumed in (False, True)
    }
    assert found == set(PauseOutcome)
    assert judgement_of(None, 0.7) is Judgement.FAILED


SOUND = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 70)), min_size=1, max_size=6)
ANSWERS = st.lists(st.tuples(st.one_of(st.none(), st.floats(0, 1)), st.integers(1, 60)), max_size=8)


def pieces(sound: list[tuple[int, int]]) -> list[bytes]:
    return [part for speech, silence in sound for part in (loud(speech * FRAME_MS), still(silence * FRAME_MS))]


@given(SOUND, ANSWERS)
def test_no_remark_ends_sooner_than_by_silence_or_after_the_longest_one(
    sound: list[tuple[int, int]], answers: list[tuple[float | None, int]]
) -> None:
    judged = Judged(list(answers)).hear(*pieces(sound))
    assert set(judged.ends_ms) <= {512, 1_504}
    assert len(judged.outcomes) == sum(isinstance(event, Paused) for event in judged.events)
    plain = Judged([], EndpointRules()).hear(*pieces(sound))
    spoken = [sum(event.speech_ms for event in heard.events if isinstance(event, Ended)) for heard in (judged, plain)]
    assert spoken[0] >= spoken[1], "nothing that was a remark is left out"


@given(SOUND, ANSWERS)
def test_whatever_is_not_judged_incomplete_in_time_changes_nothing(
    sound: list[tuple[int, int]], answers: list[tuple[float | None, int]]
) -> None:
    harmless = [
        (probability, frames if probability is None or probability >= RULES.complete_from else frames + 9)
        for probability, frames in answers
    ]
    judged = Judged(harmless).hear(*pieces(sound)).remarks
    plain = Judged([], EndpointRules()).hear(*pieces(sound)).remarks
    assert [_told(event) for event in judged] == [_told(event) for event in plain]


def _told(event: EarEvent) -> object:
    return (event.begin_us, event.sound.read()) if isinstance(event, Began) else event
