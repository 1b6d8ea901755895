"""Sessions opened straight in store and placement. Where no source is to be played the load stands in for ingestion."""

from collections.abc import Sequence

from nats.aio.client import Client

from bench.load_plan import INTERVAL_MS, TENANT
from bench.pictures import SIDE
from bench.stack import Stack
from vigil.contract import subjects
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.command import Instruct
from vigil.core.hearing import Hearing
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.memory import MemoryLimits
from vigil.core.session import Cadence, Chunk, SessionSpec, SessionState, Window
from vigil.core.source import Source, SourceKind, kind_of
from vigil.core.task import TaskRecord
from vigil.core.turn import FrameRef, Turn
from vigil.core.voice import Voice
from vigil.runtime.store.sessions import Commit
from vigil.runtime.store.tasks import TaskStore

WATCH = Instruction("w-fire", "Alert me when a fire starts.", Watch("fire", Severity.CRITICAL, hold_s=0, cooldown_s=0))


NO_MEMORY = MemoryLimits()
NO_HEARING = Hearing()
NO_VOICE = Voice()


def names(count: int, first: int = 0) -> tuple[str, ...]:
    """That many session names."""
    return tuple(f"s-{number:04}" for number in range(first, first + count))


async def open_sessions(
    stack: Stack,
    client: Client,
    sessions: Sequence[str],
    *,
    chunk_turns: int = 100,
    history: bool = False,
    source_url: str = "",
    kind: SourceKind = SourceKind.PUSHED,
    interval_ms: int = INTERVAL_MS,
    memory: MemoryLimits = NO_MEMORY,
    hearing: Hearing = NO_HEARING,
    voice: Voice = NO_VOICE,
) -> None:
    """Create sessions that watch for fire and let workers claim them. Without a `source_url` the load sends the
    pictures, as sources of that `kind`.

    With `history` each begins in the middle of a chunk, at a place of its own: between the carried tail and a full
    chunk, as sessions that have run for long are. The load's model time must begin at `chunk_turns` seconds then.
    """
    for index, session in enumerate(sessions):
        spec = SessionSpec(
            tenant=TENANT,
            session=session,
            source=_source(f"cam-{session}", source_url, kind),
            profile=stack.profile,
            model=stack.engine.model,
            window=Window(chunk_turns),
            cadence=Cadence(interval_ms),
            memory=memory,
            hearing=hearing,
            voice=voice,
        )
        key = SessionKey(TENANT, session)
        await stack.store.create(spec, (Instruct(WATCH),))
        if history:
            tail = spec.window.tail_turns
            await _give_history(stack, key, tail + index * (chunk_turns - tail) // len(sessions))
        await stack.placement.open(key, spec.roles)
    if sessions:
        await client.publish(subjects.lifecycle(Lifecycle.REQUESTED, SessionKey(TENANT, sessions[0])), b"{}")


async def end_sessions(stack: Stack, client: Client, sessions: Sequence[str]) -> None:
    """End them: their workers let them go."""
    for session in sessions:
        key = SessionKey(TENANT, session)
        await stack.store.end(key, "the benchmark is over")
        await client.publish(subjects.command(key), b"")


async def tasks_of(stack: Stack, sessions: Sequence[str]) -> list[TaskRecord]:
    """What the store keeps of the delegated questions of these sessions."""
    store = TaskStore(stack.redis)
    return [task for session in sessions for task in await store.list(SessionKey(TENANT, session))]


def _source(name: str, url: str, kind: SourceKind) -> Source:
    """A looped video, or pictures that the load sends."""
    return Source(name, kind_of(url), url, loop=True) if url else Source(name, kind)


async def _give_history(stack: Stack, key: SessionKey, turns: int) -> None:
    """Silent turns, one a second from model time 0 on, committed as a worker would."""
    past = tuple(
        Turn(
            number,
            number * INTERVAL_MS,
            (FrameRef(f"{key.session}-{number}-0-{number:024x}", SIDE, SIDE),),
            "</silence>",
        )
        for number in range(turns)
    )
    state = SessionState(turns, past[-1].time_ms, Chunk(turns=past))
    taken = await stack.store.take(key, 0)
    await stack.store.commit(key, 0, Commit(state=state, restart=True, after=taken.id))
