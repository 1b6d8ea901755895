"""What a pool thinks of an engine, by property: it is up only when it answered, and hangs only when it hung."""

from hypothesis import given
from hypothesis import strategies as st

from vigil.runtime.engine.health import MAX_TIMEOUTS, EngineHealth

EVENTS = ("checked", "answered", "unreachable", "timed_out")


def moved(health: EngineHealth, event: str, now_s: float) -> EngineHealth:
    match event:
        case "checked":
            return health.checked({"small": 0}, now_s)
        case "answered":
            return health.answered(now_s)
        case "unreachable":
            return health.unreachable("refused")
        case _:
            return health.timed_out("late")


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_the_last_check_or_failure_decides(events: list[str]) -> None:
    health, row, up, since = EngineHealth(), 0, False, 0.0
    for now_s, event in enumerate(events, start=1):
        health = moved(health, event, now_s)
        row = row + 1 if event == "timed_out" else 0 if event != "checked" or not up else row
        if event in ("checked", "answered"):
            since = since if up else now_s
            up = True
        elif event == "unreachable" or row >= MAX_TIMEOUTS:
            up, row = False, 0
        assert health.up is up
        assert health.timeouts == row
        assert not up or health.up_since_s == since
        assert not (health.up and health.hung)


def test_an_engine_that_never_answered_may_serve_anything() -> None:
    assert EngineHealth().may_serve("small")
    assert not EngineHealth().checked({"large": 0}, 1.0).may_serve("small")
    assert not EngineHealth().checked({"large": 0}, 1.0).unreachable("refused").may_serve("small")


def test_one_answer_in_between_is_no_hang() -> None:
    health = EngineHealth().checked({"small": 0}, 1.0)
    for _ in range(MAX_TIMEOUTS * 3):
        health = health.timed_out("late").answered(2.0)
    assert health.up
    for _ in range(MAX_TIMEOUTS):
        health = health.timed_out("late")
    assert (health.up, health.hung, health.fault) == (False, True, "late")
    assert health.unreachable("refused").hung, "a restart is not seen here: a trial has to clear it"
    assert not health.checked({"small": 0}, 9.0).hung
