"""Sessions whose pictures are pushed through the gateway: begun by their first turn, one turn at a time.

No ingestion worker holds such a session: the gateway publishes its frames, with the time at which they arrived. A turn
is published once, when its codec and its interaction worker listen, and its answer is the decision of that very time.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decode_decision
from vigil.contract.frames import Frame, FrameGroup, encode_group
from vigil.core.command import Ask, Command
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Source, SourceKind
from vigil.runtime.errors import AlreadyExists, BusUnavailable, SessionEnded, UnknownSession
from vigil.runtime.store.sessions import Look
from vigil_gateway.http.errors import NoSuchSession
from vigil_gateway.live.picture import Picture
from vigil_gateway.openai.errors import NotPushed, TimeNotLater, TurnInFlight, TurnLate, TurnSuperseded
from vigil_gateway.openai.turn import may_begin
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.commands import submit
from vigil_gateway.sessions.lifecycle import begin

LISTEN_S = 0.05  # how often a new session, or one that moves, is asked whether its workers listen


@contextmanager
def in_turn(busy: set[SessionKey], key: SessionKey) -> Iterator[None]:
    """Hold the session's only turn for as long as the block runs, or raise `TurnInFlight`."""
    if key in busy:
        raise TurnInFlight("the session's last call is still being answered")
    busy.add(key)
    try:
        yield
    finally:
        busy.discard(key)


async def found(ports: Ports, key: SessionKey) -> Look | None:
    """The session as it is; None when this turn is to begin it. Raises `NoSuchSession`, `SessionEnded`, `NotPushed`."""
    try:
        look = await ports.store.look(key)
    except UnknownSession:
        if not may_begin(key.session):
            raise NoSuchSession(key.session) from None
        return None
    if look.ended is not None:
        raise SessionEnded(key, f"session {key.session} has ended: {look.ended.reason}")
    if look.spec.source.kind is not SourceKind.PUSHED:
        raise NotPushed(f"session {key.session} has a camera of its own")
    return look


def new_spec(ports: Ports, key: SessionKey, model: str) -> SessionSpec:
    """A session that a first turn begins, with the gateway's defaults. Its alerts are under its own id."""
    return SessionSpec(
        tenant=key.tenant,
        session=key.session,
        source=Source(key.session, SourceKind.PUSHED),
        profile=ports.settings.profile,
        model=model,
        created_us=time.time_ns() // 1_000,
    )


async def begin_pushed(ports: Ports, spec: SessionSpec, commands: Sequence[Command]) -> None:
    """Make the session with what its first turn is to show. Raises `NoWorker`, `CapacityFull`."""
    try:
        await begin(ports, spec, commands)
    except AlreadyExists as error:  # another gateway began it meanwhile
        for command in commands:
            await submit(ports, error.key, command)


async def ask(ports: Ports, key: SessionKey, waiting: Sequence[Command], question: Ask) -> Ask:
    """Leave a question for the next turn; one that waits already, from a call that failed, is not left twice."""
    for command in waiting:
        if isinstance(command, Ask) and command.text == question.text:
            return command
    await submit(ports, key, question)
    return question


async def turn(
    ports: Ports, key: SessionKey, pictures: tuple[Picture, ...], question: Ask | None, time_ms: int | None = None
) -> StoredDecision:
    """Show `pictures` to the model and await what it decides on them. `time_ms` is their model time by the client's
    clock, None when they are of now.

    Raises `TimeNotLater`, `TurnLate`, `TurnSuperseded`. A question that no turn has shown by then waits for the
    session's next one.
    """
    deadline_s = ports.settings.turn_deadline_s
    try:
        async with asyncio.timeout(deadline_s):
            decision = await _decided(ports, key, pictures, time_ms)
            if question is not None and question in await ports.store.commands(key):
                # Its nudge was overtaken by the frame, or lost: the turn did not show it, the next one does.
                decision = await _decided(ports, key, pictures, None if time_ms is None else time_ms + 1)
            return decision
    except TimeoutError:
        raise TurnLate(f"the session's workers did not decide within {deadline_s:g} s") from None


async def _decided(
    ports: Ports, key: SessionKey, pictures: tuple[Picture, ...], given_ms: int | None
) -> StoredDecision:
    """Publish the pictures once and wait for the decision of their time."""
    async with ports.bus.subscribe(subjects.decision(key), capacity=64) as decisions:
        time_ms = await _show(ports, key, pictures, given_ms)
        async for message in decisions:
            decision = decode_decision(message.payload)
            if decision.time_ms == time_ms:
                return decision
            if decision.time_ms > time_ms:
                raise TurnSuperseded("a newer picture was shown to the model before this one")
    raise BusUnavailable("the decision cannot be heard: the subscription ended")


async def _show(ports: Ports, key: SessionKey, pictures: tuple[Picture, ...], given_ms: int | None) -> int:
    """Publish the pictures as soon as somebody codes and decides; returns their model time.

    Their capture time is that of their arrival also when the client keeps the clock: latencies are counted from it.
    """
    capture_us = time.time_ns() // 1_000
    origin_us = await ports.store.set_origin(key, capture_us)
    watched_us = await ports.store.watched_until_us(key)
    last_ms = (watched_us - origin_us) // 1_000 if watched_us else -1
    if given_ms is None:
        # Our own clock may have been set back, or be behind the client's: after the last picture all the same.
        time_ms = await ports.pushed.shows(key, max((capture_us - origin_us) // 1_000, last_ms + 1))
    else:
        time_ms = _later(given_ms, last_ms)
        await ports.pushed.shows(key, time_ms)
    frames = tuple(Frame(one.jpeg, one.width, one.height, capture_us) for one in pictures)
    group = encode_group(FrameGroup(key, time_ms, time_ms, frames, fence=0))  # one publisher, that holds no lease
    while not await _heard(ports, key, group):  # noqa: ASYNC110  NATS tells nobody that a subscription has come
        await asyncio.sleep(LISTEN_S)
    return time_ms


def _later(time_ms: int, last_ms: int) -> int:
    """`time_ms` when it is after the session's last turn, else `TimeNotLater`: no worker would decide on it."""
    if time_ms <= last_ms:
        raise TimeNotLater(
            f"the session has been watched up to {last_ms / 1_000:g} s, the picture is of {time_ms / 1_000:g} s"
        )
    return time_ms


async def _heard(ports: Ports, key: SessionKey, group: bytes) -> bool:
    """Whether the group was published to somebody. The interaction worker is asked first: a frame that is coded while
    nobody decides would be lost."""
    if not await ports.bus.is_heard(subjects.coded_frames(key)):
        return False
    return await ports.bus.publish_heard(subjects.raw_frames(key), group)
