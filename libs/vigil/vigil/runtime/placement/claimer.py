"""The claimer: claims sessions for a worker, runs each of them, and stops those whose lease is lost.

It looks for work three times a second, and at once when the bus announces a change in any session's life. When it
cannot reach Redis for as long as a lease lasts, it stops its sessions: another worker may hold them now.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable

from prometheus_client import Counter, Gauge

from vigil.contract import subjects
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusUnavailable, FenceLost, StoreCorrupt, StoreError, StoreNewer
from vigil.runtime.placement.leases import LEASE_S, Claim, Offer, Placement
from vigil.runtime.process.backoff import Backoff
from vigil.runtime.process.logs import get_log, session_logs

log = get_log()

_SWEEP_S = 0.3
_WAKE_GAP_S = 0.05
_RETRY_S = 0.5
_BACKOFF = Backoff(first_s=1.0, most_s=5.0, jitter=0.5, steady_s=30.0)
# A draining worker runs its sessions until others are at work on them: at most this long, looking this often. A full
# worker that is the only other one takes them after its patience, and opens what it needs on a machine that is busy.
HAND_OVER_S = 10.0
_LINGER_S = 0.2
# A worker that measured that it is full takes only sessions that nobody else has taken for this long.
_PATIENCE_S = 2.0
# A session of a form that this release cannot read is left to other workers for so long; so many are remembered.
_LEFT_S = 60.0
_MOST_LEFT = 1_024

HELD = Gauge("vigil_claims_held", "Sessions that this worker holds", ["role"])
CLAIMED = Counter("vigil_claims_total", "Sessions that this worker has claimed", ["role"])
LOST = Counter("vigil_claims_lost_total", "Sessions that another worker has taken over or that were closed", ["role"])
RESTARTS = Counter("vigil_session_restarts_total", "Runs of a session that failed and were started again", ["role"])

Run = Callable[[Claim], Awaitable[None]]
Offers = Callable[[int], Offer]
Relieved = Callable[[Claim], Awaitable[bool]]


class Claimer:
    """Keeps up to `capacity` sessions of `role` running in this process.

    `run(claim)` works on one session until it is cancelled: when the lease is lost, when the session is closed, or on
    drain. If it returns or raises before that, it is run again after a jittered back-off of 0.5 to 5 s.
    A session that cannot be read is told of once for each claim, and tried again every 5 s until somebody ends it. One
    that a newer release wrote is given up at once and left to workers of that release for a minute.

    `offer(held)` says with each heartbeat what the worker offers, at most `capacity`; without it that is `capacity`.
    New sessions are admitted by what is offered. A session whose worker died needs a worker in any case: when it
    exceeds the offer it is left to other workers for two seconds, and taken when none of them took it.

    A draining worker runs each session until another worker has taken it and `relieved(claim)` is true, because the
    other worker may need time to listen or to open a camera; without `relieved` it is true at once. Then it goes on for
    one look more, so that what came before the other worker listened is not lost on its way out. It stops after
    `hand_over_s` in any case.
    """

    def __init__(
        self,
        placement: Placement,
        bus: Bus,
        *,
        role: Role,
        worker: str,
        capacity: int,
        run: Run,
        offer: Offers | None = None,
        relieved: Relieved | None = None,
        hand_over_s: float = HAND_OVER_S,
    ) -> None:
        self._placement = placement
        self._bus = bus
        self._role = role
        self._worker = worker
        self._capacity = capacity
        self._run = run
        self._offer = offer or (lambda _: Offer(capacity))
        self._relieved = relieved
        self._hand_over_s = hand_over_s
        self._leases: dict[SessionKey, Claim] = {}
        self._tasks: dict[SessionKey, asyncio.Task[None]] = {}  # also those that are still stopping
        self._left: dict[SessionKey, float] = {}  # sessions of a newer form, and until when they are passed over
        self._wake = asyncio.Event()
        self._renewed_at = time.monotonic()
        self._fault = ""

    @property
    def held(self) -> tuple[Claim, ...]:
        """The claims that this worker holds now."""
        return tuple(self._leases.values())

    async def run(self) -> None:
        """Claim and hold until cancelled; then hand the sessions over, and stop those that nobody took."""
        async with asyncio.TaskGroup() as sessions:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._listen(), name=f"{self._role} wake-ups")
                    group.create_task(self._keep(sessions), name=f"{self._role} leases")
            finally:
                await self._hand_over()

    async def _keep(self, sessions: asyncio.TaskGroup) -> None:
        """Renew, claim, wait, again and again."""
        while True:
            self._wake.clear()
            await self._turn(sessions)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SWEEP_S * random.uniform(0.75, 1.25)):
                    await self._wake.wait()
                    await asyncio.sleep(_WAKE_GAP_S)  # many changes at once need one look

    async def _turn(self, sessions: asyncio.TaskGroup) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._placement.lease_s / 2):
                lost = await self._placement.renew(self._role, self._worker, self.held)
                self._renewed_at = started
                self._stop(lost, "lost or closed")
                offer = self._offer(len(self._leases))
                await self._placement.heartbeat(self._role, self._worker, offer)
                for claim in await self._claim(offer):
                    self._start(sessions, claim)
            self._report("")
        except (StoreError, TimeoutError) as error:
            self._report(str(error) or "Redis did not answer in time")
            if time.monotonic() - self._renewed_at > self._placement.lease_s:
                self._stop(list(self._leases), "the lease could not be renewed")
        HELD.labels(self._role).set(len(self._leases))

    async def _claim(self, offer: Offer) -> list[Claim]:
        """Claim what fits into the offer, else sessions that no other worker has taken."""
        now = time.monotonic()
        self._left = {key: until for key, until in self._left.items() if until > now}
        room, patience_s = min(offer.capacity, self._capacity) - len(self._tasks), 0.0
        if room <= 0:
            room, patience_s = self._capacity - len(self._tasks), _PATIENCE_S
        return await self._placement.claim(
            self._role, self._worker, room, patience_s=patience_s, passing_over=self._left
        )

    def _start(self, sessions: asyncio.TaskGroup, claim: Claim) -> None:
        """Run a session. Waits for an earlier run of it that is still stopping: a session never runs twice."""
        CLAIMED.labels(self._role).inc()
        self._leases[claim.key] = claim
        hold = self._hold(claim, self._tasks.get(claim.key))
        self._tasks[claim.key] = sessions.create_task(hold, name=f"{self._role} {claim.key}")

    def _stop(self, keys: list[SessionKey], reason: str) -> None:
        for key in keys:
            if self._leases.pop(key, None) is not None:
                LOST.labels(self._role).inc()
                log.info("session released", tenant=key.tenant, session=key.session, role=self._role, reason=reason)
                if (task := self._tasks.get(key)) is not None:
                    task.cancel()

    async def _hold(self, claim: Claim, before: asyncio.Task[None] | None) -> None:
        """Run a session, again whenever its run ends, until cancelled."""
        try:
            if before is not None:
                await asyncio.wait({before})
            with session_logs(claim.key):
                await self._run_again_and_again(claim)
        finally:
            if self._tasks.get(claim.key) is asyncio.current_task():
                del self._tasks[claim.key]
                if before is not None and not before.done():
                    self._tasks[claim.key] = before

    async def _run_again_and_again(self, claim: Claim) -> None:
        failures, is_unreadable = 0, False
        # A task group in the run may report a failure and forget a cancellation: check that the lease is still held.
        while self._leases.get(claim.key) == claim:
            started = time.monotonic()
            try:
                await self._run(claim)
                log.info("session run ended", role=self._role)
            except FenceLost:
                log.info("session taken over by another worker", role=self._role)
            except StoreNewer as error:
                log.error("session left to a newer release", role=self._role, error=str(error))
                await self._leave(claim)
                return
            except StoreCorrupt as error:  # no run can mend it: the session waits for its end
                if not is_unreadable:  # once for each claim
                    log.error("session not read", role=self._role, error=str(error))
                is_unreadable = True
                await asyncio.sleep(_BACKOFF.most_s)
                continue
            except Exception as error:  # one session's failure must not touch the others
                RESTARTS.labels(self._role).inc()
                log.warning("session run failed", role=self._role, error=repr(error), exc_info=True)
            failures = _BACKOFF.failures_after(failures, time.monotonic() - started)
            await asyncio.sleep(_BACKOFF.delay_s(failures, random.random()))

    async def _leave(self, claim: Claim) -> None:
        """Give a session up that another release has to run, so that one of its workers finds it at once."""
        self._leases.pop(claim.key, None)
        if len(self._left) < _MOST_LEFT:
            self._left[claim.key] = time.monotonic() + _LEFT_S
        with contextlib.suppress(StoreError):  # then the lease runs out by itself
            await self._placement.release(self._role, self._worker, [claim])

    async def _listen(self) -> None:
        """Wake up when the bus announces a change of a session; without the bus the next sweep finds it."""
        while True:
            try:
                async with self._bus.keep_latest(subjects.ALL_LIFECYCLE) as changes:
                    async for _ in changes:
                        self._wake.set()
            except BusUnavailable:
                await asyncio.sleep(_RETRY_S)

    async def _hand_over(self) -> None:
        """Give the leases up while the sessions still run, and stop each session once another worker runs it.

        Meanwhile both workers may see a frame; the fence makes sure that it counts once. Without another worker nothing
        is waited for; one that was there and misses its heartbeats is waited for as long as a lease lasts. When Redis
        does not answer, the leases run out by themselves.
        """
        others_until_s = 0.0
        try:
            async with asyncio.timeout(self._hand_over_s):
                await self._placement.retire(self._role, self._worker)
                relieved: list[SessionKey] = []
                while self._leases:
                    taken = await self._placement.release(self._role, self._worker, self.held)
                    if (await self._placement.capacity(self._role)).workers:
                        others_until_s = time.monotonic() + LEASE_S
                    elif time.monotonic() > others_until_s:
                        break
                    self._stop(relieved, "handed over")
                    relieved = [key for key in taken if await self._is_relieved(key)]
                    await asyncio.sleep(_LINGER_S)
        except (StoreError, TimeoutError) as error:
            log.warning("sessions not handed over", role=self._role, reason=str(error) or "nobody took them")
        finally:
            self._leases.clear()  # from now on a run that fails is not started again
        HELD.labels(self._role).set(0)

    async def _is_relieved(self, key: SessionKey) -> bool:
        return self._relieved is None or key not in self._leases or await self._relieved(self._leases[key])

    def _report(self, fault: str) -> None:
        """Log a fault when it begins and when it ends, not each time that it repeats."""
        if fault != self._fault:
            self._fault = fault
            if fault:
                log.warning("leases not renewed", role=self._role, reason=fault)
            else:
                log.info("leases renewed again", role=self._role)
