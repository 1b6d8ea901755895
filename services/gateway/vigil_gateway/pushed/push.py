"""Sessions whose pictures are pushed through the gateway: begun by their first turn, one turn at a time.

No ingestion worker holds such a session: the gateway publishes its frames, with the time at which they arrived. A turn
is published when its codec and its interaction worker listen, once more when another worker takes the session over, and
its answer is the decision on these very
pictures, or the reason for which there is none.
Whoever serves a call holds the session's turn (`turn_lease`) from before it looks at the session until it has answered.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from vigil.contract import spans, subjects
from vigil.contract.decision import StoredDecision
from vigil.contract.frames import Frame, FrameGroup, encode_group
from vigil.core.command import Ask, Command
from vigil.core.ids import SessionKey
from vigil.core.source import SourceKind
from vigil.runtime.errors import SessionEnded, TimePassed, TurnTaken, UnknownSession
from vigil.runtime.process.trace import AttributeValue, span
from vigil.runtime.session.inbox import submit
from vigil.runtime.store.sessions import Look
from vigil.runtime.store.turn_lease import Shown, TurnLease
from vigil_gateway.api.errors import NoSuchSession
from vigil_gateway.api.turn_errors import NotPushed, TimeNotLater, TurnInFlight
from vigil_gateway.ports import Ports
from vigil_gateway.pushed.deadline import Deadline
from vigil_gateway.pushed.outcome import outcomes
from vigil_gateway.pushed.picture import Picture
from vigil_gateway.pushed.repeat import Sent, recognised
from vigil_gateway.sessions.session_id import may_begin

LISTEN_S = 0.05  # how often a new session, or one that moves, is asked whether its workers listen


async def found(ports: Ports, key: SessionKey) -> Look | None:
    """The session as it is, outside of a turn. Returns and raises what `checked` does."""
    try:
        return checked(key, await ports.store.look(key))
    except UnknownSession:
        return checked(key, None)


def checked(key: SessionKey, look: Look | None) -> Look | None:
    """The session that pictures may be pushed into; None when a call may begin it. Raises `NoSuchSession`,
    `SessionEnded`, `NotPushed`."""
    if look is None:
        if not may_begin(key.session):
            raise NoSuchSession(key.session)
        return None
    if look.ended is not None:
        raise SessionEnded.because(key, look.ended.reason)
    if look.spec.source.kind is not SourceKind.PUSHED:
        raise NotPushed(f"session {key.session} has a camera of its own")
    return look


async def ask(ports: Ports, key: SessionKey, waiting: Sequence[Command], question: Ask) -> Ask:
    """Leave a question for the next turn; one that waits already, from a call that failed, is not left twice."""
    for command in waiting:
        if isinstance(command, Ask) and command.text == question.text:
            return command
    await submit(ports, key, question)
    return question


async def turn(
    ports: Ports, lease: TurnLease, pictures: tuple[Picture, ...], question: Ask | None, sent: Sent, deadline: Deadline
) -> StoredDecision:
    """Show `pictures` to the model and await what it decides on them. What was shown before, and dropped, keeps its
    model time and its capture time.

    Raises a `TurnError` as soon as it is known that there is no decision, `TurnLate` at the deadline, `SessionEnded`. A
    question that no turn has shown by then waits for the session's next one.
    """
    before = recognised(lease, sent)
    capture_us, given_ms = (before.capture_us, before.time_ms) if before else (sent.arrived_us, sent.time_ms)
    showing = _Showing(pictures, capture_us, given_ms, sent.mark)
    attributes: dict[str, AttributeValue] = {
        spans.TENANT: lease.key.tenant,
        spans.SESSION: lease.key.session,
        spans.PICTURES: len(pictures),
    }
    try:
        with span(spans.PUSH, attributes):
            async with deadline.timeout():
                return await _with_question(ports, lease, showing, question)
    except TimeoutError:
        await found(ports, lease.key)  # nobody decides on a session that has ended meanwhile
        raise deadline.passed("the session's workers did not decide") from None


async def _with_question(ports: Ports, lease: TurnLease, showing: "_Showing", question: Ask | None) -> StoredDecision:
    decision = await _decided(ports, lease, showing)
    if question is not None and question in await ports.store.commands(lease.key):
        # Its nudge was overtaken by the frame, or lost: the turn did not show it. The same picture shows it a
        # moment later by the session's clock: it is not of now any more.
        decision = await _decided(ports, lease, replace(showing, given_ms=decision.time_ms + 1))
    return decision


@dataclass(frozen=True, slots=True)
class _Showing:
    """Pictures, when they were captured, the model time that they are to have (None: that of their capture), and the
    mark by which a repeat of them is recognised.

    The capture time is that of their arrival also when the client keeps the clock: latencies are counted from it.
    """

    pictures: tuple[Picture, ...]
    capture_us: int
    given_ms: int | None
    mark: str


async def _decided(ports: Ports, lease: TurnLease, showing: _Showing) -> StoredDecision:
    """Publish the pictures once and wait for what becomes of them."""
    async with outcomes(ports.bus, lease.key) as heard:
        shown, group = await _show(ports, lease, showing)
        return await heard.of(shown, partial(ports.bus.publish, subjects.raw_frames(lease.key), group))


async def _show(ports: Ports, lease: TurnLease, showing: _Showing) -> tuple[Shown, bytes]:
    """Publish the pictures as soon as somebody codes and decides; returns what was published, too."""
    key = lease.key
    shown = await _timed(ports, lease, showing)
    frames = tuple(Frame(picture.jpeg, picture.width, picture.height, shown.capture_us) for picture in showing.pictures)
    # One publisher, that holds no lease.
    group = encode_group(FrameGroup(key, shown.time_ms, shown.time_ms, frames, fence=0))
    while not await _heard(ports, key, group):  # noqa: ASYNC110  NATS tells nobody that a subscription has come
        await asyncio.sleep(LISTEN_S)
    return shown, group


async def _timed(ports: Ports, lease: TurnLease, showing: _Showing) -> Shown:
    """The pictures with their model time. Raises `TimeNotLater`: no worker would decide on what is not newer."""
    try:
        return await ports.turns.show(lease, showing.capture_us, showing.given_ms, showing.mark)
    except TimePassed as error:
        raise TimeNotLater(
            f"the session has decided up to {error.last_ms / 1_000:g} s, "
            f"the picture is of {(showing.given_ms or 0) / 1_000:g} s"
        ) from None
    except TurnTaken as error:
        raise TurnInFlight(str(error)) from None


async def _heard(ports: Ports, key: SessionKey, group: bytes) -> bool:
    """Whether the group was published to workers. A frame that is coded while nobody decides would be lost, so both
    are asked before it is published."""
    is_heard = ports.bus.is_heard
    if not (await is_heard(subjects.coded_frames(key)) and await is_heard(subjects.raw_frames(key))):
        return False
    await ports.bus.publish(subjects.raw_frames(key), group)
    return True
