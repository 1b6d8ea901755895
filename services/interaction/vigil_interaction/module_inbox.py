"""What modules tell one session, until a turn shows it. Bounded in every way, and never waited for.

A module is a stranger: it may flood, lie, send rubbish or die. What it says beyond its rate is counted and not even
read, what cannot be read is refused, and of the rest the newest of each text is held. It lives for seconds, so it is
held here alone: a worker that takes the session over begins with nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from vigil.contract import subjects
from vigil.contract.errors import ObservationRefused
from vigil.contract.events.observations import read_observation
from vigil.core.ids import SessionKey
from vigil.core.modules import Modules
from vigil.core.observation import Observation
from vigil.core.observed import Observed, Told, Unshown
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.bus.hearing import hear
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil_interaction import metrics

log = get_log()

MAX_HELD = 32
MAX_MODULES = 16
PER_SECOND = 20.0  # of one module; it may save up as many

_Slot = tuple[str, str, str]
_DETAILS = {Unshown.FUTURE: "its time is ahead of the pictures: give the frame's capture time, or set the clock right"}


@dataclass(frozen=True, slots=True)
class Heard:
    """What waits for the turn, and what the prompt is known to tell already."""

    observations: tuple[Observation, ...] = ()
    known: tuple[Told, ...] = ()


NOTHING = Heard()


class ModuleInbox:
    """The observations of one session that wait for a turn."""

    def __init__(self, key: SessionKey, modules: Modules, monotonic: Callable[[], float]) -> None:
        self._key = key
        self._modules = modules
        self._pace = Pace(monotonic)
        self._held: dict[_Slot, Observation] = {}
        self._known: tuple[Told, ...] = ()
        self._told_of: set[tuple[str, str]] = set()
        self._switched = asyncio.Event()

    @property
    def heard(self) -> Heard:
        """What the next turn is made of."""
        return Heard(tuple(self._held.values()), self._known)

    async def listen(self, bus: Bus) -> NoReturn:
        """Hear what modules say, as long as the session is to be told of it."""
        while True:
            self._switched.clear()
            if self._modules.is_on:
                heard = hear(bus, [subjects.observations_of(self._key)], self.receive, "observations")
                await first_to_end(heard, self._switched.wait())
            else:
                await self._switched.wait()

    def follow(self, modules: Modules) -> None:
        """Go by these options from now on."""
        if modules == self._modules:
            return
        if modules.is_on != self._modules.is_on:
            self._switched.set()
        self._modules = modules
        self._held = {slot: kept for slot, kept in self._held.items() if modules.hears(kept.module)}

    def receive(self, message: Message) -> None:
        """Hold what a module said, or count why not. Never raises."""
        metrics.OBSERVATIONS_RECEIVED.inc()
        module = message.subject.rpartition(".")[2]
        if not self._modules.hears(module):
            self._refuse(module, "not_heard")
        elif (why := self._pace.refuses(module)) is not None:
            self._refuse(module, why, "more than a session takes in")
        else:
            self._read(module, message)

    def committed(self, observed: Observed) -> None:
        """A turn that told this was committed: nothing of it waits any more."""
        self._known = observed.known
        self._give_up(observed)
        metrics.OBSERVATIONS_SHOWN.inc(len(observed.lines))
        metrics.OBSERVATIONS_FOLDED.inc(observed.folded)
        for observation, why in observed.unshown:
            self._refuse(observation.module, why, _DETAILS.get(why, ""))

    def refused(self, observed: Observed) -> None:
        """The engine refused a prompt that told this. It may be the cause, so it goes with no other turn."""
        self._give_up(observed)
        if observed.given:
            metrics.OBSERVATIONS_REFUSED.labels("engine").inc(len(observed.given))

    def _read(self, module: str, message: Message) -> None:
        try:
            _, observation = read_observation(message.subject, message.payload)
        except ObservationRefused as refused:
            self._refuse(module, refused.why, str(refused))
        else:
            self._hold(observation)

    def _hold(self, observation: Observation) -> None:
        """The newest of a text takes the place of the older one. A full inbox lets go of the oldest that the module
        has told which has most in it."""
        slot = observation.module, observation.kind, observation.text
        older = self._held.pop(slot, observation)
        self._held[slot] = max(older, observation, key=lambda each: each.capture_time_us)
        if older is not observation:
            metrics.OBSERVATIONS_FOLDED.inc()
        if len(self._held) > MAX_HELD:
            ((most, _),) = Counter(module for module, _, _ in self._held).most_common(1)
            del self._held[next(held for held in self._held if held[0] == most)]
            self._refuse(most, "crowded")

    def _give_up(self, observed: Observed) -> None:
        """What came while the turn was on its way stays, also where it says the same."""
        for given in observed.given:
            slot = given.module, given.kind, given.text
            if self._held.get(slot) is given:
                del self._held[slot]

    def _refuse(self, module: str, why: str, detail: str = "") -> None:
        """Count it. With a `detail` it is also logged: once for each module and reason, not for each message."""
        metrics.OBSERVATIONS_REFUSED.labels(why).inc()
        told_of = module, why
        if detail and told_of not in self._told_of and len(self._told_of) < 2 * MAX_MODULES:
            self._told_of.add(told_of)
            log.warning("observation refused", session=self._key.session, module=module[:64], reason=detail)


class Pace:
    """How much each module may say: `PER_SECOND`, of `MAX_MODULES` at once."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left: dict[str, tuple[float, float]] = {}  # what is left at a time

    def refuses(self, module: str) -> str | None:
        """Why this message is not read; None when it is, which uses the module's share."""
        now = self._monotonic()
        left, at = self._left.pop(module, (PER_SECOND, now))
        left = min(PER_SECOND, left + (now - at) * PER_SECOND)
        if len(self._left) >= MAX_MODULES and not self._forget_one(now):
            return "too_many_modules"
        self._left[module] = (left - 1 if left >= 1 else left), now
        return None if left >= 1 else "too_fast"

    def _forget_one(self, now: float) -> bool:
        """Make room by the module that has said nothing for longest, if it has its whole share again."""
        module, (left, at) = next(iter(self._left.items()))
        if left + (now - at) * PER_SECOND < PER_SECOND:
            return False
        del self._left[module]
        return True
