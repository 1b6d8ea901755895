"""Watching a source: a session is made, its events are followed, and it is ended whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vigil_client.api import Client
from vigil_client.errors import ClientError
from vigil_client.events import Event
from vigil_client.monitor import Monitor, Outcome
from vigil_client.options import NewSession
from vigil_client.values import Session

END_S = 5.0

Show = Callable[[Monitor, Event | None], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop by itself: after `duration_s`, or once an alert has opened and closed; None and False: never."""

    duration_s: float | None = None
    until_closed: bool = False

    @property
    def judged(self) -> bool:
        """Whether success means that an alert opened and closed."""
        return self.until_closed or self.duration_s is not None


@asynccontextmanager
async def watched(client: Client, new: NewSession) -> AsyncIterator[Session]:
    """A session for the length of the block. That it cannot be ended is not an error: nothing answers any more."""
    session = await client.create_session(new)
    try:
        yield session
    finally:
        try:
            async with asyncio.timeout(END_S):
                await client.end_session(session.id)
        except (ClientError, TimeoutError):
            pass


async def follow(client: Client, session_id: str, monitor: Monitor, limits: Limits, show: Show) -> None:
    """Feed the session's events to `monitor` and `show` until a limit is reached or the session has ended."""
    try:
        async with asyncio.timeout(limits.duration_s):
            async for event in client.events(session_id):
                monitor.take(event)
                show(monitor, event)
                if monitor.ended or (limits.until_closed and monitor.completed):
                    return
    except TimeoutError:
        return


def verdict(outcome: Outcome, limits: Limits) -> tuple[bool, str]:
    """Whether that is a success, and a sentence that says why."""
    if outcome.completed:
        return True, f"{outcome.completed} of {outcome.opened} alerts opened and closed"
    if not limits.judged:
        return True, "an alert is still open" if outcome.opened else "no alert"
    if outcome.opened:
        return False, "an alert opened but did not close in time: watch for longer (--duration) or shorten --hold"
    if outcome.ticks:
        return False, f"no alert in {outcome.ticks} decisions: the model saw nothing that it was asked to watch for"
    return False, "not one decision was made: `vigil doctor` and the logs of the services say why"
