"""What waits at a worker, by value: what is due first runs first, and a failed try holds up nobody."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vigil.core.memory import MemoryRequest, RequestKind
from vigil_memory.backlog import Backlog, Limits

REQUEST = MemoryRequest(RequestKind.SUMMARY, "demo", "s-1", "lobby", "0-1000-0", 0, 0, 1_000, "joyai", "m")


def request(session: str, due_us: int = 0) -> MemoryRequest:
    return replace(REQUEST, session=session, due_us=due_us)


def test_what_is_due_first_runs_first_and_places_are_bounded() -> None:
    backlog: Backlog[str] = Backlog(Limits(running=2))
    for session, due_us in (("a", 30), ("b", 10), ("c", 20)):
        assert backlog.add(request(session, due_us), session) is None
    running = [backlog.next(0), backlog.next(0)]
    assert [entry.item for entry in running if entry is not None] == ["b", "c"]
    assert backlog.next(0) is None
    assert (backlog.waiting, backlog.running, backlog.wake_us()) == (1, 2, None)
    assert running[0] is not None
    backlog.remove(running[0].place)
    last = backlog.next(0)
    assert last is not None
    assert last.item == "a"


def test_a_failed_try_waits_and_lets_others_pass() -> None:
    backlog: Backlog[str] = Backlog(Limits(running=1))
    backlog.add(request("a", 10), "a")
    backlog.add(request("b", 20), "b")
    first = backlog.next(0)
    assert first is not None
    backlog.defer(first.place, 500, failed=True)
    second = backlog.next(100)
    assert second is not None
    assert second.item == "b"
    backlog.remove(second.place)
    assert backlog.next(100) is None
    assert backlog.wake_us() == 500
    again = backlog.next(500)
    assert again is not None
    assert (again.item, again.failures) == ("a", 1)


def test_a_delay_that_is_no_failure_does_not_count() -> None:
    backlog: Backlog[str] = Backlog()
    backlog.add(request("a"), "a")
    entry = backlog.next(0)
    assert entry is not None
    backlog.defer(entry.place, 0, failed=False)
    again = backlog.next(0)
    assert again is not None
    assert again.failures == 0


def test_of_too_many_the_one_that_is_due_last_makes_way() -> None:
    backlog: Backlog[str] = Backlog(Limits(waiting=2))
    backlog.add(request("a", 10), "a")
    backlog.add(request("b", 30), "b")
    displaced = backlog.add(request("c", 20), "c")
    assert displaced is not None
    assert displaced.item == "b"
    displaced = backlog.add(request("d", 99), "d")
    assert displaced is not None
    assert displaced.item == "d"


def test_a_request_that_was_removed_while_it_ran_does_not_come_back() -> None:
    backlog: Backlog[str] = Backlog()
    backlog.add(request("a"), "a")
    entry = backlog.next(0)
    assert entry is not None
    backlog.remove(entry.place)
    assert backlog.defer(entry.place, 0, failed=True) is None
    assert list(backlog) == []


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 99)), max_size=30), st.integers(1, 4))
def test_it_never_holds_more_than_its_bounds(requests: list[tuple[str, int]], bound: int) -> None:
    backlog: Backlog[int] = Backlog(Limits(waiting=bound, running=bound))
    for number, (session, due_us) in enumerate(requests):
        if backlog.find((request(session).key, REQUEST.id)) is None:
            backlog.add(request(session, due_us), number)
        backlog.next(0)
        assert backlog.waiting <= bound
        assert backlog.running <= bound
        places = [entry.place for entry in backlog]
        assert len(set(places)) == len(places)
