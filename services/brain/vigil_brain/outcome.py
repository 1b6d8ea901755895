"""What came of asking a brain, and what is told of it. Pure."""

from dataclasses import dataclass, field

from vigil.contract.events.tasks import TaskNews
from vigil.contract.subject_tokens import DelegationEvent
from vigil.core.task import TaskRecord, TaskState
from vigil.core.turn import Result
from vigil.runtime.store.tasks import OVER, WITHDRAWN, Ending, Finished
from vigil_brain.artefacts import Kept

_EVENTS = {
    TaskState.READY: DelegationEvent.READY,
    TaskState.ERROR: DelegationEvent.ERROR,
    TaskState.CANCELLED: DelegationEvent.CANCELLED,
}
LATE = "the answer would come too late: nobody waits for it any more"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended at this worker: `text` is the digest, or why there is none."""

    state: TaskState
    text: str
    brain: str = ""
    kept: Kept = field(default_factory=Kept)

    def ending(self, task: str) -> Ending:
        """What the store writes. A cancelled task gives the session nothing: it does not wait for it."""
        if self.state is TaskState.READY:
            return Ending(self.state, self.text, artefacts=self.kept.artefacts, result=Result(task, self.text))
        result = Result(task, self.text, is_ok=False) if self.state is TaskState.ERROR else None
        return Ending(self.state, error=self.text, result=result)

    def news(self, finished: Finished, at_us: int) -> TaskNews:
        """What is told of it, given what came of finishing it."""
        match finished:
            case Finished.OVER:
                return TaskNews(DelegationEvent.CANCELLED, TaskState.CANCELLED, at_us, self.brain, OVER)
            case Finished.WITHDRAWN:
                text = self.text if self.state is TaskState.CANCELLED else WITHDRAWN
                return TaskNews(DelegationEvent.CANCELLED, TaskState.CANCELLED, at_us, self.brain, text)
        return TaskNews(_EVENTS[self.state], self.state, at_us, self.brain, self.text, self.kept.artefacts)


def failed(text: str, brain: str = "") -> Outcome:
    """There is no answer."""
    return Outcome(TaskState.ERROR, text, brain)


def withdrawn(text: str, brain: str = "") -> Outcome:
    """Nobody wants the answer."""
    return Outcome(TaskState.CANCELLED, text, brain)


def news_of(record: TaskRecord, at_us: int) -> TaskNews:
    """What is told of a task that had ended before: told again it has the same id, and is stored once."""
    text = record.digest if record.state is TaskState.READY else record.error
    return TaskNews(_EVENTS[record.state], record.state, at_us, record.brain, text, record.artefacts)
