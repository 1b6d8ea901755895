"""What an endpoint has not taken yet, and what is tried next. Pure: sequences and clocks in, decisions out.

Events are tried in the order of their streams. Two failures are told apart. A receiver that is *away* takes nothing:
all waits, and one event is tried now and then. A receiver that *refuses* one event, or fails at it each time while it
takes others, fails at that event: the event waits beside the stream, and those behind it are delivered.

What belongs together (the events of one alert) keeps its order: none is tried while an earlier one waits.
"""

from dataclasses import dataclass, field

from vigil_webhook.verdict import Fate, Outcome, Patience, Verdict, is_refusal, judge

# After so many failed tries of the first event the next ones are tried too: the first event itself may be the cause.
SUSPICIOUS = 3


@dataclass(slots=True)
class Waiting:
    """An event that waits. `tries` and `refusals` count this process's attempts; `due_s` is when the next may be made.

    `is_passed`: another event was delivered after its last attempt, so that the next failure is its own. `was_passed`:
    that has happened at least once.
    """

    number: int
    group: str
    tries: int = 0
    refusals: int = 0
    due_s: float = 0.0
    is_passed: bool = False
    was_passed: bool = False


@dataclass(slots=True)
class Backlog:
    """The waiting events of one endpoint in order. `failures` counts the attempts in a row at which it was away."""

    patience: Patience
    failures: int = 0
    resting_until_s: float = 0.0
    _waiting: dict[int, Waiting] = field(default_factory=dict)
    _last: int = -1  # the event that was tried last
    _rests_for: int = -1  # the one at which the receiver was away last

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, number: int, group: str) -> None:
        """An event came; `number` is its place in the stream. `group` names what it belongs to. One that waits already
        changes nothing."""
        self._waiting.setdefault(number, Waiting(number, group))

    def next(self, now_s: float) -> int | None:
        """The event to try now; None when none is due."""
        if now_s < self.resting_until_s:
            return None
        due = [waiting for waiting in self._free() if waiting.due_s <= now_s]
        if self.failures >= SUSPICIOUS:  # let each of them show whether it can be taken
            due.sort(key=lambda waiting: (waiting.number <= self._last, waiting.number))
        elif self.failures and self._rests_for in self._waiting:  # the one that failed goes before those behind it
            due = [waiting for waiting in due if waiting.number == self._rests_for]
        return due[0].number if due else None

    def due_in_s(self, now_s: float) -> float | None:
        """Seconds until `next` may have one; None while nothing waits."""
        times = [waiting.due_s for waiting in self._free()]
        return None if not times else max(0.0, self.resting_until_s - now_s, min(times) - now_s)

    def tried(self, number: int, outcome: Outcome, now_s: float, uniform: float) -> Verdict:
        """What becomes of an event after an attempt; one that is delivered or dead waits no longer."""
        waiting = self._waiting[number]
        self._last = number
        waiting.tries += 1
        is_own = waiting.is_passed and not outcome.is_taken
        waiting.is_passed = False
        waiting.refusals += is_own or is_refusal(outcome)
        verdict = judge(outcome, waiting.tries, waiting.refusals, self.patience, uniform, is_own=is_own)
        if verdict.fate is not Fate.RETRY:
            del self._waiting[number]
        if verdict.fate is Fate.DELIVERED:
            self._delivered(now_s)
        elif verdict.fate is Fate.RETRY:
            waiting.due_s = now_s + verdict.delay_s
            if is_refusal(outcome):
                self.failures, self.resting_until_s = 0, 0.0  # it is there
            elif not is_own:
                self._rest(waiting, outcome, now_s, uniform)
        return verdict

    def _rest(self, waiting: Waiting, outcome: Outcome, now_s: float, uniform: float) -> None:
        """The receiver seems to be away: nothing is tried for a while."""
        self.failures += 1
        self._rests_for = waiting.number
        rest_s = max(self.patience.delay_s(self.failures, uniform), self.patience.asked_s(outcome))
        self.resting_until_s = now_s + rest_s
        if self.failures < SUSPICIOUS:
            waiting.due_s = self.resting_until_s

    def _delivered(self, now_s: float) -> None:
        """The receiver is there: what failed while it seemed away is tried at once."""
        self.failures, self.resting_until_s = 0, 0.0
        for waiting in self._waiting.values():
            if waiting.tries:
                waiting.is_passed = True
                if not waiting.was_passed and not waiting.refusals:
                    waiting.was_passed, waiting.due_s = True, now_s

    def _free(self) -> list[Waiting]:
        """The first event of each group, in order."""
        first: dict[str, Waiting] = {}
        for number in sorted(self._waiting):
            first.setdefault(self._waiting[number].group, self._waiting[number])
        return list(first.values())
