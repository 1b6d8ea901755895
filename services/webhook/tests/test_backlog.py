"""What is tried next when a receiver is away, and when it cannot take one event: on a clock of the test's own."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from vigil_webhook.backlog import Backlog
from vigil_webhook.verdict import MAX_RETRY_AFTER_S, Fate, Outcome, Patience

PATIENCE = Patience(tries=1_500, refusals=20, first_s=1.0, most_s=60.0)
TAKEN, AWAY, BROKEN = Outcome(204), Outcome(error="it cannot be reached"), Outcome(500)
Receiver = Callable[[int, float], Outcome]


def play(receiver: Receiver, events: dict[int, str], until_s: float, came_s: float = 0.0) -> list[tuple[int, float]]:
    """Which event was delivered when (0 at once, then as time goes by); event n comes at n times `came_s`."""
    backlog, now_s, delivered, coming = Backlog(PATIENCE), 0.0, [], dict(sorted(events.items()))
    while now_s < until_s:
        for number in [number for number in coming if number * came_s <= now_s]:
            backlog.add(number, coming.pop(number))
        due = backlog.next(now_s)
        if due is not None:
            outcome = receiver(due, now_s)
            now_s += 10.0 if outcome.error else 0.01  # one that hangs takes the whole time-out
            if backlog.tried(due, outcome, now_s, 0.0).fate is Fate.DELIVERED:
                delivered.append((due, now_s))
            continue
        wakes = [number * came_s for number in coming]
        due_s = backlog.due_in_s(now_s)
        wakes += [] if due_s is None else [now_s + max(due_s, 0.01)]
        if not wakes:
            break
        now_s = max(min(wakes), now_s + 0.01)
    return delivered


def alerts(count: int) -> dict[int, str]:
    return {number: f"a-{number}" for number in range(count)}


def test_a_receiver_that_takes_all_gets_all_in_order() -> None:
    assert [number for number, _ in play(lambda *_: TAKEN, alerts(50), 60)] == list(range(50))


def test_one_event_that_hangs_for_ever_holds_up_the_others_for_less_than_a_minute() -> None:
    delivered = play(lambda number, _: AWAY if number == 0 else TAKEN, alerts(20), 3_600)
    assert [number for number, _ in delivered] == list(range(1, 20))
    assert delivered[-1][1] < 60


def test_one_event_that_is_answered_503_holds_up_no_steady_stream() -> None:
    busy = Outcome(503)
    delivered = play(lambda number, _: busy if number == 0 else TAKEN, alerts(300), 4_000, came_s=10.0)
    waited = [at_s - number * 10.0 for number, at_s in delivered]
    assert len(delivered) == 299
    assert max(waited[1:]) < 15, "after the first trial of the next event only that event is suspected"


def test_an_event_that_fails_while_others_are_delivered_is_dead_after_as_many_tries_as_a_refusal() -> None:
    backlog, now_s = Backlog(PATIENCE), 0.0
    backlog.add(0, "poison")
    fate, number, added = Fate.RETRY, 0, 1
    while fate is not Fate.DEAD and now_s < 10_000:
        now_s += 1.0
        backlog.add(added, f"a-{added}")
        added += 1
        while (found := backlog.next(now_s)) is not None:
            number = found
            verdict = backlog.tried(number, Outcome(503) if number == 0 else TAKEN, now_s, 0.0)
            fate = verdict.fate if number == 0 else fate
            if fate is Fate.DEAD:
                break
    assert (number, fate) == (0, Fate.DEAD)
    assert now_s < 3_600, "not for hours"


def test_a_receiver_that_is_away_is_tried_ever_more_rarely_and_then_gets_all_in_order() -> None:
    tried: list[float] = []

    def receiver(_: int, now_s: float) -> Outcome:
        tried.append(now_s)
        return TAKEN if now_s > 7_200 else Outcome(503)

    delivered = play(receiver, alerts(40), 20_000)
    assert sorted(number for number, _ in delivered) == list(range(40))
    assert len([at_s for at_s in tried if at_s <= 7_200]) < 7_200 / 50, "once a minute, however much waits"
    assert delivered[-1][1] < 7_200 + 62
    rest = [number for number, _ in delivered[1:]]
    assert rest == sorted(rest), "behind the one that found it back, in order"


def test_an_alert_is_closed_after_it_was_opened_also_when_the_opening_is_refused_at_first() -> None:
    events = {0: "a-1", 1: "a-2", 2: "a-1", 3: "a-2"}
    refusals = iter([BROKEN, BROKEN])
    delivered = play(lambda number, _: next(refusals, TAKEN) if number == 0 else TAKEN, events, 60)
    assert [number for number, _ in delivered] == [1, 3, 0, 2]


def test_a_wait_that_the_receiver_asks_for_is_capped() -> None:
    backlog = Backlog(PATIENCE)
    backlog.add(0, "a")
    verdict = backlog.tried(0, Outcome(503, retry_after_s=86_400), 0.0, 0.0)
    assert verdict.delay_s == MAX_RETRY_AFTER_S == 300
    assert backlog.next(299.9) is None
    assert backlog.next(300.0) == 0


outcomes = st.sampled_from([TAKEN, AWAY, BROKEN, Outcome(503), Outcome(429, retry_after_s=30), Outcome(410)])


@given(st.lists(st.tuples(st.integers(0, 3), outcomes), max_size=60))
def test_no_group_is_ever_out_of_order_and_what_waits_always_comes_up(steps: list[tuple[int, Outcome]]) -> None:
    backlog, now_s, done = Backlog(Patience(5, 3, 1.0, 60.0)), 0.0, []
    groups = {}
    for number, (group, outcome) in enumerate(steps):
        backlog.add(number, f"g{group}")
        groups[number] = group
        if (due_s := backlog.due_in_s(now_s)) is not None:
            now_s += due_s
            found = backlog.next(now_s)
            assert found is not None, "it is due"
            if backlog.tried(found, outcome, now_s, 0.5).fate is not Fate.RETRY:
                done.append(found)
    for group in range(4):
        of_group = [number for number in done if groups[number] == group]
        assert of_group == sorted(of_group)
