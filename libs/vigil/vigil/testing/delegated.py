"""Delegated questions of a session of the tenant demo, as the session and a brain leave them in the store."""

from vigil.contract.artefacts import artefact_object
from vigil.core.ids import SessionKey
from vigil.core.session import Chunk, SessionState
from vigil.core.task import Artefact, TaskRequest, TaskState
from vigil.core.turn import FrameRef, Result, Task, Turn
from vigil.runtime.bus.client import Bus
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.runtime.store.tasks import Ending, TaskStore

OPENED_US = 1_700_000_004_000_000
QUESTION = "Which flower is it?"
NOTE = "Let me see."
DIGEST = "An iris."
FENCE = 1


def task_id(session: str, sequence: int = 4) -> str:
    """The id of the task that this turn of the session opened."""
    return f"{session}-{sequence}"


async def delegate(store: SessionStore, session: str, *sequences: int) -> None:
    """Commit a turn after which the tasks of these turns are open, as an interaction worker does."""
    key = SessionKey("demo", session)
    tasks = tuple(
        Task(task_id(session, number), QUESTION, NOTE, number * 1_000, number * 1_000 + 120_000)
        for number in sequences or (4,)
    )
    turn = Turn(4, 4_000, (FrameRef("f-4", 160, 96),), f"</delegation> {NOTE}")
    await store.take(key, FENCE)
    state = SessionState(5, 4_000, Chunk(turns=(turn,)), tasks=tasks)
    await store.commit(key, FENCE, Commit(state, turn, frames=(("f-4", b"jpeg"),)))


def request_of(session: str, sequence: int = 4) -> TaskRequest:
    """The task as it comes to a brain."""
    return TaskRequest(
        tenant="demo",
        session=session,
        source_id="lobby",
        task=task_id(session, sequence),
        question=QUESTION,
        note=NOTE,
        sequence=sequence,
        time_ms=sequence * 1_000,
        deadline_ms=sequence * 1_000 + 120_000,
        opened_at_us=OPENED_US,
    )


async def take(tasks: TaskStore, session: str, sequence: int = 4, brain: str = "big") -> int:
    """What a worker does first: the task is in its hands; returns its fence."""
    await tasks.queued(request_of(session, sequence))
    fence = await tasks.take(SessionKey("demo", session), task_id(session, sequence), "brain-1", 60.0, brain)
    assert fence, "the task is taken by its first worker"
    return fence


async def answer(tasks: TaskStore, bus: Bus, session: str, *files: tuple[str, str, bytes]) -> tuple[Artefact, ...]:
    """Take the first task and end it with an answer and these files (name, media type, bytes), which are returned."""
    key, task = SessionKey("demo", session), task_id(session)
    fence = await take(tasks, session)
    artefacts: list[Artefact] = []
    for number, (name, media_type, content) in enumerate(files):
        artefacts.append(Artefact(name, media_type, len(content), artefact_object("demo", task, number)))
        await bus.put_artefact(artefacts[-1].object, content)
    ending = Ending(TaskState.READY, DIGEST, artefacts=tuple(artefacts), result=Result(task, DIGEST))
    await tasks.finish(key, task, fence, ending)
    return ending.artefacts
