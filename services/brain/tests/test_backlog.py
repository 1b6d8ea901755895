"""Which task comes first, and what becomes of one too many."""

from hypothesis import given
from hypothesis import strategies as st

from vigil.core.ids import SessionKey
from vigil.core.task import TaskRequest
from vigil_brain.backlog import Backlog, Limits, Verdict

ROOMY = Limits(waiting=100, running=100, of_tenant=100, of_session=100)


def request(
    number: int, priority: int = 5, opened_s: int = 0, session: str = "s-1", tenant: str = "demo"
) -> TaskRequest:
    return TaskRequest(
        tenant, session, "lobby", f"{session}-{number}", "What?", opened_at_us=opened_s * 1_000_000, priority=priority
    )


def order(backlog: Backlog[int]) -> list[int]:
    """The numbers of what waits, as it comes to run."""
    found = []
    while (entry := backlog.next()) is not None:
        found.append(entry.item)
    return found


def test_the_urgent_come_first_then_those_whose_time_is_up_sooner_then_those_that_came_first() -> None:
    backlog: Backlog[int] = Backlog(ROOMY)
    for number, (priority, opened_s) in enumerate([(5, 9), (5, 3), (8, 9), (1, 0), (5, 3)]):
        backlog.add(request(number, priority, opened_s), number)
    assert order(backlog) == [2, 1, 4, 0, 3]


def test_no_more_run_than_there_are_places() -> None:
    backlog: Backlog[int] = Backlog(Limits(running=2))
    for number in range(4):
        backlog.add(request(number), number)
    assert order(backlog) == [0, 1]
    assert (backlog.running, backlog.waiting) == (2, 2)
    backlog.remove(SessionKey("demo", "s-1"), "s-1-0")
    assert order(backlog) == [2]


def test_of_too_many_that_wait_the_least_urgent_goes_back() -> None:
    backlog: Backlog[int] = Backlog(Limits(waiting=2, of_session=10))
    assert backlog.add(request(0, 5), 0).displaced is None
    assert backlog.add(request(1, 3), 1).displaced is None
    added = backlog.add(request(2, 8), 2)
    assert (added.verdict, added.displaced and added.displaced.item) == (Verdict.WAITS, 1)
    itself = backlog.add(request(3, 1), 3)
    assert itself.displaced is not None
    assert itself.displaced.item == 3
    assert order(backlog) == [2, 0]


def test_a_session_and_a_tenant_have_bounds_of_their_own() -> None:
    backlog: Backlog[int] = Backlog(Limits(of_tenant=3, of_session=2))
    assert backlog.add(request(0), 0).verdict is Verdict.WAITS
    assert backlog.add(request(1), 1).verdict is Verdict.WAITS
    assert backlog.add(request(2), 2).verdict is Verdict.SESSION_FULL
    assert backlog.next() is not None, "what runs counts, too"
    assert backlog.add(request(2), 2).verdict is Verdict.SESSION_FULL
    assert backlog.add(request(0, session="s-2"), 3).verdict is Verdict.WAITS
    assert backlog.add(request(0, session="s-3"), 4).verdict is Verdict.TENANT_FULL
    assert backlog.add(request(0, session="s-3", tenant="acme"), 5).verdict is Verdict.WAITS


def test_a_task_is_found_wherever_it_is() -> None:
    backlog: Backlog[int] = Backlog(Limits(running=1))
    key = SessionKey("demo", "s-1")
    for number in range(2):
        backlog.add(request(number), number)
    backlog.next()
    assert (backlog.is_running(key, "s-1-0"), backlog.is_running(key, "s-1-1")) == (True, False)
    assert [entry.item for entry in backlog.of(key)] == [0, 1]
    assert backlog.find(key, "s-1-7") is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99), st.integers(0, 5)), max_size=80))
def test_it_never_holds_more_than_its_bounds_and_keeps_the_most_urgent(tasks: list[tuple[int, int, int]]) -> None:
    limits = Limits(waiting=7, running=0, of_tenant=100, of_session=100)
    backlog: Backlog[int] = Backlog(limits)
    requests = [
        request(number, priority, opened_s, f"s-{session}")
        for number, (priority, opened_s, session) in enumerate(tasks)
    ]
    for number, task in enumerate(requests):
        backlog.add(task, number)
    assert backlog.waiting <= limits.waiting
    kept = [entry.item for entry in backlog]
    best = sorted(range(len(tasks)), key=lambda n: (-requests[n].priority, requests[n].expires_us, n))[:7]
    assert kept == best
