"""What a judge of turns makes of a pause, and what came of it. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Judgement(StrEnum):
    """Whether the speaker has finished."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"  # nobody knows


class PauseOutcome(StrEnum):
    """What came of a pause that was judged."""

    COMPLETE = "complete"  # the remark ended after the usual silence: the speaker had finished
    WAITED = "waited"  # judged incomplete, and nothing more was said
    RESUMED = "resumed"  # judged incomplete, and the remark went on where it would have ended
    LATE = "late"  # the remark ended after the usual silence, for no answer had come
    FAILED = "failed"  # the remark ended after the usual silence, for there was no answer to be had
    SHORT = "short"  # it was over before the remark could have ended: the answer did not matter


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause within a remark. `judgement` is None until it is known."""

    number: int
    judgement: Judgement | None = None

    @property
    def is_incomplete(self) -> bool:
        """Whether the remark is to wait for more."""
        return self.judgement is Judgement.INCOMPLETE

    def outcome(self, *, would_end: bool, is_resumed: bool) -> PauseOutcome:
        """What came of it. `would_end`: the silence was long enough to end the remark; `is_resumed`: speech ended the
        pause."""
        if not would_end:
            return PauseOutcome.SHORT
        match self.judgement:
            case Judgement.COMPLETE:
                return PauseOutcome.COMPLETE
            case Judgement.INCOMPLETE:
                return PauseOutcome.RESUMED if is_resumed else PauseOutcome.WAITED
            case Judgement.FAILED:
                return PauseOutcome.FAILED
        return PauseOutcome.LATE


def judgement_of(probability: float | None, complete_from: float) -> Judgement:
    """By the probability that the turn is complete; None: it could not be found out."""
    if probability is None:
        return Judgement.FAILED
    return Judgement.COMPLETE if probability >= complete_from else Judgement.INCOMPLETE
