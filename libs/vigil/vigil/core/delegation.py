"""Delegated questions: a task opens when the model delegates, and closes with its result or at its deadline. Pure.

The exchange of a delegated question stays open meanwhile and keeps the task with the model's holding reply. Questions
that are on their way never count as unanswered to the tick: they take no words from a watch.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from vigil.core.control import plain
from vigil.core.duplicate import normalised
from vigil.core.instruction import Severity
from vigil.core.message import Text
from vigil.core.observed import spread, timed
from vigil.core.session import SessionSpec, SessionState
from vigil.core.task import KeyFrame, TaskRequest
from vigil.core.turn import Exchange, Result, Task, Turn

TASK_DEADLINE_S = 120.0
MAX_TASKS = 8
KEY_FRAMES = 8
MEMORY_CHARS = 8_000
NOTICED = "What other programs noticed:"

# Which task a brain works on first: what a critical watch found, what somebody waits for, the rest.
PRIORITY_ASKED = 5
_PRIORITY_OF_WATCH = {Severity.CRITICAL: 8, Severity.WARNING: 4, Severity.INFO: 3}
_PRIORITY_OF_INSTRUCTION = 2
_PRIORITY_UNPROMPTED = 1


class TaskOutcome(StrEnum):
    """How a task closed."""

    ANSWERED = "answered"
    FAILED = "failed"  # its result says why nothing was found
    EXPIRED = "expired"  # no result came before its deadline
    DISPLACED = "displaced"  # the oldest of more than `MAX_TASKS`
    FORGOTTEN = "forgotten"  # the session was reset, or ended


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """A task that closed in a turn, with its result if one came."""

    task: Task
    outcome: TaskOutcome
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What a turn's results led to: the tasks that they closed, and the results of tasks that are not open."""

    state: SessionState
    ends: tuple[TaskEnd, ...] = ()
    unknown: tuple[Result, ...] = ()


def overdue(state: SessionState, time_ms: int) -> tuple[Task, ...]:
    """The open tasks whose deadline has come."""
    return tuple(task for task in state.tasks if task.deadline_ms <= time_ms)


def expire(state: SessionState, time_ms: int) -> tuple[SessionState, tuple[TaskEnd, ...]]:
    """Close the tasks whose deadline has come: their exchanges stay unanswered."""
    late = overdue(state, time_ms)
    return _unanswered(state, late, time_ms), tuple(TaskEnd(task, TaskOutcome.EXPIRED) for task in late)


def give(state: SessionState, results: Sequence[Result], time_ms: int) -> Given:
    """Close the tasks of these results, and answer their exchanges with what was found. What the model says of a
    result in its own words takes the place of that later, see `decide`.

    What a worker writes is not trusted: from here on a result is plain words, see `control.plain`."""
    ends: list[TaskEnd] = []
    unknown: list[Result] = []
    for result in map(_plain, results):
        task = next((task for task in state.tasks if task.id == result.task), None)
        if task is None:
            unknown.append(result)
        elif result.is_ok:
            state = _closed(state, {task.id})
            dialogue = tuple(
                exchange.answered(result.text, time_ms) if waits_for(exchange, task.id) else exchange
                for exchange in state.dialogue
            )
            state = replace(state, dialogue=dialogue)
            ends.append(TaskEnd(task, TaskOutcome.ANSWERED, result))
        else:
            state = _unanswered(state, (task,), time_ms)
            ends.append(TaskEnd(task, TaskOutcome.FAILED, result))
    return Given(state, tuple(ends), tuple(unknown))


def delegate(state: SessionState, task: Task, exchange: int) -> tuple[SessionState, Task, tuple[TaskEnd, ...]]:
    """Open `task`, for the exchange at that place of the dialogue (-1: for none). Returns the task that is open now: a
    question that is on its way already is not asked twice. Above `MAX_TASKS` a task makes way: the oldest of those that
    no question of the user waits for, else the oldest. Words in a picture thus displace no question of a user."""
    words = normalised(task.question)
    same = next((known for known in state.tasks if normalised(known.question) == words), None)
    opened = task if same is None else replace(task, id=same.id, deadline_ms=same.deadline_ms)
    displaced: tuple[Task, ...] = ()
    if same is None:
        displaced = _surplus(state)
        state = replace(state, tasks=(*state.tasks, task))
    if exchange >= 0:
        asked = state.dialogue[exchange].delegated(opened)
        state = replace(state, dialogue=(*state.dialogue[:exchange], asked, *state.dialogue[exchange + 1 :]))
    ends = tuple(TaskEnd(old, TaskOutcome.DISPLACED) for old in displaced)
    return _unanswered(state, displaced, task.opened_ms), opened, ends


def assignment(state: SessionState, exchange: int, said: Container[str]) -> tuple[str, int]:
    """Who answers a question that is delegated now, and how urgent it is: the brain that was named with the question of
    that exchange, or with the instruction whose words the holding reply is (`said` has the ids); empty where none was.
    """
    if exchange >= 0:
        return state.dialogue[exchange].brain, PRIORITY_ASKED
    under = [instruction for instruction in state.instructions if instruction.id in said]
    brain = next((instruction.brain for instruction in under if instruction.brain), "")
    priorities = (
        _PRIORITY_OF_WATCH[instruction.watch.severity] if instruction.watch else _PRIORITY_OF_INSTRUCTION
        for instruction in under
    )
    return brain, max(priorities, default=_PRIORITY_UNPROMPTED)


def request(spec: SessionSpec, state: SessionState, task: Task, opened_at_us: int) -> TaskRequest:
    """The task as work for a brain. The evidence is cut off at the turn that opened it, the newest of `state`; of the
    turns before it there are ever fewer pictures the older they are (1, 2, 4, 8… turns ago). What modules noticed in
    turns of the chunk goes along with the memory."""
    chunk = state.chunk
    noticed = spread(timed(chunk.turns))
    told = ["\n".join((NOTICED, *noticed))] if noticed else []
    memory = "\n\n".join([*(part.text for part in chunk.prefix if isinstance(part, Text)), *told])
    return TaskRequest(
        tenant=spec.tenant,
        session=spec.session,
        source_id=spec.source.id,
        task=task.id,
        question=task.question,
        note=task.note,
        brain=task.brain,
        sequence=state.next_sequence - 1,
        time_ms=task.opened_ms,
        deadline_ms=task.deadline_ms,
        opened_at_us=opened_at_us,
        ttl_s=(task.deadline_ms - task.opened_ms) / 1_000,
        priority=task.priority,
        frames=key_frames(chunk.turns),
        memory=memory[-MEMORY_CHARS:],
        instructions=tuple(instruction.text for instruction in state.instructions),
    )


def key_frames(turns: Sequence[Turn], most: int = KEY_FRAMES) -> tuple[KeyFrame, ...]:
    """The last picture of the newest turn and of those 1, 2, 4, 8… turns before it: at most `most`, oldest first."""
    ages = (0, *(1 << power for power in range(most - 1)))
    shown = [turns[-1 - age] for age in ages if age < len(turns)]
    return tuple(KeyFrame(turn.frames[-1].uuid, turn.time_ms) for turn in reversed(shown) if turn.frames)


def forget(state: SessionState, time_ms: int) -> tuple[SessionState, tuple[TaskEnd, ...]]:
    """Close all tasks, because the session was reset or has ended: their exchanges stay unanswered."""
    ends = tuple(TaskEnd(task, TaskOutcome.FORGOTTEN) for task in state.tasks)
    return _unanswered(state, state.tasks, time_ms), ends


def _plain(result: Result) -> Result:
    """The result in plain words. One that has none says so, and answers nothing."""
    words = plain(result.text)
    return replace(result, text=words) if words else replace(result, text="The result had no words.", is_ok=False)


def waits_for(exchange: Exchange, task: str) -> bool:
    """Whether the exchange is open and its answer is to come from this task."""
    return exchange.is_delegated and exchange.task is not None and exchange.task.id == task


def _surplus(state: SessionState) -> tuple[Task, ...]:
    """The tasks that make way for one more."""
    awaited = {exchange.task.id for exchange in state.dialogue if exchange.is_delegated and exchange.task is not None}
    by_need = sorted(state.tasks, key=lambda task: task.id in awaited)  # stable: the oldest first among equals
    return tuple(by_need[: max(0, len(state.tasks) + 1 - MAX_TASKS)])


def _unanswered(state: SessionState, tasks: Sequence[Task], time_ms: int) -> SessionState:
    """Close the tasks; nothing answers their exchanges."""
    if not tasks:
        return state
    gone = {task.id for task in tasks}
    dialogue = tuple(
        replace(exchange, closed_ms=time_ms) if any(waits_for(exchange, task) for task in gone) else exchange
        for exchange in state.dialogue
    )
    return _closed(replace(state, dialogue=dialogue), gone)


def _closed(state: SessionState, gone: Container[str]) -> SessionState:
    return replace(state, tasks=tuple(task for task in state.tasks if task.id not in gone))
