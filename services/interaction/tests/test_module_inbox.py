"""What is held of what modules say, and what is refused: by value, with a clock of its own."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from vigil.contract import subjects
from vigil.contract.events.observations import observation_outgoing
from vigil.core.ids import SessionKey
from vigil.core.modules import Modules
from vigil.core.observation import Observation
from vigil.core.observed import Observed, Told, Unshown
from vigil.runtime.bus.client import Message
from vigil_interaction.module_inbox import MAX_HELD, MAX_MODULES, PER_SECOND, ModuleInbox, Pace

KEY = SessionKey("demo", "s-1")
NOON_US = 1_790_000_000_000_000


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def noticed(text: str = "Anna", at_s: float = 0.0, **changes: Any) -> Observation:
    values: dict[str, Any] = {"module": "faces", "kind": "face", "id": "o-1", **changes}
    return Observation(text=text, capture_time_us=NOON_US + round(at_s * 1e6), **values)


def said(observation: Observation) -> Message:
    outgoing = observation_outgoing(KEY, observation, NOON_US)
    return Message(outgoing.subject, outgoing.payload)


def texts(inbox: ModuleInbox) -> list[str]:
    return [observation.text for observation in inbox.heard.observations]


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("vigil_observations_refused_total", {"reason": reason}) or 0.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(clock: Clock) -> ModuleInbox:
    return ModuleInbox(KEY, Modules(), clock)


def test_what_is_said_waits_for_the_turn(inbox: ModuleInbox) -> None:
    inbox.receive(said(noticed("Anna")))
    inbox.receive(said(noticed("Bob", 1.0)))
    assert inbox.heard.observations == (noticed("Anna"), noticed("Bob", 1.0))


def test_of_the_same_text_the_newest_is_held_however_they_come(inbox: ModuleInbox) -> None:
    for at_s in (1.0, 3.0, 2.0):
        inbox.receive(said(noticed("Anna", at_s)))
    assert inbox.heard.observations == (noticed("Anna", 3.0),)


def test_a_committed_turn_takes_what_it_was_given_and_nothing_that_came_meanwhile(inbox: ModuleInbox) -> None:
    inbox.receive(said(noticed("Anna")))
    inbox.receive(said(noticed("Bob")))
    given = inbox.heard.observations
    inbox.receive(said(noticed("Anna", 1.0)))
    known = (Told("faces", "face", "Anna", 0),)
    inbox.committed(Observed(("faces (face): Anna", "faces (face): Bob"), given, known=known))
    assert inbox.heard.observations == (noticed("Anna", 1.0),)
    assert inbox.heard.known == known


def test_what_was_not_told_is_counted_by_its_reason(inbox: ModuleInbox) -> None:
    before = {why: refused(why) for why in Unshown}
    given = (noticed("Anna"), noticed("Bob"))
    inbox.committed(Observed((), given, unshown=((given[0], Unshown.FUTURE), (given[1], Unshown.STALE))))
    after = {why: refused(why) - before[why] for why in Unshown}
    assert after == {Unshown.FUTURE: 1, Unshown.STALE: 1, Unshown.EMPTY: 0, Unshown.NO_ROOM: 0}


def test_what_the_engine_refused_goes_with_no_other_turn(inbox: ModuleInbox) -> None:
    before = refused("engine")
    inbox.receive(said(noticed("Anna")))
    inbox.refused(Observed(given=inbox.heard.observations))
    inbox.refused(Observed())
    assert (texts(inbox), refused("engine") - before) == ([], 1)


def test_a_flood_is_not_even_read(inbox: ModuleInbox, clock: Clock) -> None:
    before, rubbish = refused("too_fast"), refused("unreadable")
    for _ in range(8):
        for _ in range(125):
            inbox.receive(Message(subjects.observation(KEY, "faces"), b"rubbish"))
        clock.now += 0.125
    read = refused("unreadable") - rubbish
    assert read == PER_SECOND + int(0.875 * PER_SECOND), "its savings, then its rate"
    assert refused("too_fast") - before == 1_000 - read
    inbox.receive(said(noticed("22 degrees", module="mqtt")))
    assert texts(inbox) == ["22 degrees"], "another module has its own share"


def test_a_full_inbox_lets_go_of_the_oldest_of_whoever_fills_it(inbox: ModuleInbox, clock: Clock) -> None:
    before = refused("crowded")
    inbox.receive(said(noticed("Anna")))
    for number in range(MAX_HELD + 10):
        clock.now += 1.0
        inbox.receive(said(noticed(f"text {number}", module="flood", kind=f"k{number}")))
    assert len(inbox.heard.observations) == MAX_HELD
    assert texts(inbox)[:2] == ["Anna", "text 11"]
    assert refused("crowded") - before == 11


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message(subjects.observation(KEY, "faces"), b"x" * 10_000_000), "too_large"),
        (Message(subjects.observation(KEY, "faces"), b"{}"), "unreadable"),
        (Message(subjects.observation(KEY, "faces"), b"\xff\x00"), "unreadable"),
        (Message(subjects.observation(KEY, "zones"), said(noticed()).payload), "foreign"),
    ],
)
def test_what_is_no_observation_is_refused(inbox: ModuleInbox, message: Message, reason: str) -> None:
    before = refused(reason)
    inbox.receive(message)
    assert (texts(inbox), refused(reason) - before) == ([], 1)


def test_only_so_many_modules_are_heard_at_once(clock: Clock) -> None:
    pace = Pace(clock)
    assert [pace.refuses(f"m{number}") for number in range(MAX_MODULES)] == [None] * MAX_MODULES
    assert pace.refuses("one-more") == "too_many_modules"
    assert pace.refuses("m0") is None
    clock.now += 0.06  # m1 has been quiet for long enough
    assert pace.refuses("one-more") is None
    assert [pace.refuses(f"m{number}") for number in (0, 2, 3)] == [None] * 3


def test_options_say_which_modules_are_heard(inbox: ModuleInbox) -> None:
    before = refused("not_heard")
    inbox.receive(said(noticed("Anna")))
    inbox.receive(said(noticed("22 degrees", module="mqtt")))
    inbox.follow(Modules(names=("mqtt",)))
    inbox.receive(said(noticed("Bob")))
    assert (texts(inbox), refused("not_heard") - before) == (["22 degrees"], 1)
    inbox.follow(Modules(is_on=False))
    assert texts(inbox) == []
