"""The life of an alert: one id from opened over updated to closed, in capture time."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.alert import MAX_ALERTS, Alert, AlertEvent, AlertState, Moment, advance, close_all
from vigil.core.attribution import hear
from vigil.core.instruction import Instruction, Severity, Watch

FIRE = Instruction("fire", "Alert me when a fire starts.", Watch("fire", hold_s=5, cooldown_s=30))
FALL = Instruction("fall", "Alert me when someone falls.", Watch("fall", hold_s=5, cooldown_s=30))
BURNS = "A fire has started."
FALLS = "A person has fallen."


@dataclass
class Session:
    """Drives `advance` second by second and keeps every event."""

    instructions: tuple[Instruction, ...] = (FIRE,)
    alerts: tuple[Alert, ...] = ()
    sequence: int = 0
    heard: list[tuple[float, AlertEvent]] = field(default_factory=list)

    def at(self, time_s: float, spoken: str = "") -> list[tuple[AlertState, str]]:
        self.alerts, events = advance(
            self.alerts, self.instructions, self._moment(time_s), hear(spoken, self.instructions, asked=False).words
        )
        self.sequence += 1
        return self._keep(time_s, events)

    def close(self, time_s: float, reason: str) -> list[tuple[AlertState, str]]:
        self.alerts, events = close_all(self.alerts, self._moment(time_s), reason)
        return self._keep(time_s, events)

    def _moment(self, time_s: float) -> Moment:
        return Moment("s-1", self.sequence, round(time_s * 1000), 1_000_000 + round(time_s * 1_000_000))

    def _keep(self, time_s: float, events: tuple[AlertEvent, ...]) -> list[tuple[AlertState, str]]:
        self.heard += [(time_s, event) for event in events]
        return [(event.state, event.reason) for event in events]

    @property
    def ids(self) -> list[str]:
        return [event.alert.id for _, event in self.heard]


OPENED = (AlertState.OPENED, "the model spoke")


def test_one_alert_from_opened_to_closed() -> None:
    session = Session()
    assert session.at(0) == []
    assert session.at(1, BURNS) == [OPENED]
    assert session.at(2, BURNS) == []
    assert session.at(3, "The fire grows.") == [(AlertState.UPDATED, "new words")]
    assert [session.at(second) for second in (4, 5, 6, 7)] == [[], [], [], []]
    assert session.at(8) == [(AlertState.CLOSED, "quiet for 5 s")]
    assert session.at(9) == []
    assert session.ids == ["s-1-fire-1"] * 3
    assert [event.number for _, event in session.heard] == [0, 1, 2]
    assert [event.text for _, event in session.heard] == [BURNS, "The fire grows.", "The fire grows."]
    assert {event.alert.opened_capture_us for _, event in session.heard} == {2_000_000}


def test_a_slip_opens_nothing_where_words_must_be_confirmed() -> None:
    session = Session((replace(FIRE, watch=Watch("fire", hold_s=2, cooldown_s=0, confirm_s=1)),))
    assert session.at(0, BURNS) == []
    assert [one.is_open for one in session.alerts] == [False]
    assert session.at(1) == []
    assert session.alerts == ()
    assert session.at(2, BURNS) == []
    assert session.at(3, BURNS) == [(AlertState.OPENED, "the model spoke for 1 s")]
    assert [session.at(second) for second in (4, 5)] == [[], [(AlertState.CLOSED, "quiet for 2 s")]]
    assert session.at(6, BURNS) == []
    assert session.at(8.5, "The fire grows.") == [(AlertState.OPENED, "the model spoke for 2.5 s")]
    assert [event.number for _, event in session.heard] == [0, 1, 0]
    assert session.ids == ["s-1-fire-2", "s-1-fire-2", "s-1-fire-6"]
    assert [event.alert.opened_capture_us for _, event in session.heard] == [4_000_000, 4_000_000, 9_500_000]


def test_what_is_not_confirmed_is_nothing_to_close() -> None:
    watch = Watch("fire", confirm_s=3, cooldown_s=0)
    session = Session((replace(FIRE, watch=watch),))
    session.at(0, BURNS)
    session.at(1, BURNS)
    assert session.close(2, "the session ended") == []
    session.instructions = ()
    assert session.at(2) == []
    assert session.alerts == ()


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 4))
def test_alerts_open_where_words_went_on_for_long_enough(spoken: list[bool], confirm_s: int) -> None:
    session = Session((replace(FIRE, watch=Watch("fire", hold_s=0, cooldown_s=0, confirm_s=confirm_s)),))
    run, expected = 0, []
    for second, says in enumerate(spoken):
        session.at(second, BURNS if says else "")
        run = run + 1 if says else 0
        expected += [second] if run == confirm_s + 1 else []
    assert [time_s for time_s, event in session.heard if event.state is AlertState.OPENED] == expected


def test_quiet_shorter_than_the_hold_closes_nothing() -> None:
    session = Session()
    for second in range(60):
        session.at(second, BURNS if second % 5 == 0 else "")
    assert [event.state for _, event in session.heard if event.state is not AlertState.UPDATED] == [AlertState.OPENED]


def test_a_hold_of_nothing_closes_on_the_first_quiet_turn() -> None:
    session = Session((replace(FIRE, watch=Watch("fire", hold_s=0)),))
    assert session.at(0, BURNS) == [OPENED]
    assert session.at(1, BURNS) == []
    assert session.at(2) == [(AlertState.CLOSED, "quiet for 0 s")]


def test_words_within_the_cooldown_continue_the_same_alert() -> None:
    session = Session()
    session.at(0, BURNS)
    session.at(5)
    assert session.at(35, BURNS) == [(AlertState.UPDATED, "spoken again within the cooldown")]
    assert session.alerts[0].is_open
    assert session.at(40) == [(AlertState.CLOSED, "quiet for 5 s")]
    assert session.ids == ["s-1-fire-0"] * 4
    assert [event.number for _, event in session.heard] == [0, 1, 2, 3]


def test_words_after_the_cooldown_open_a_new_alert() -> None:
    session = Session()
    session.at(0, BURNS)
    session.at(5)
    session.at(35.5)
    assert session.alerts == ()
    assert session.at(36, BURNS) == [OPENED]
    assert session.ids == ["s-1-fire-0", "s-1-fire-0", "s-1-fire-3"]


def test_the_same_words_for_300_seconds_do_not_storm() -> None:
    session = Session()
    for second in range(300):
        session.at(second, BURNS)
    states = [event.state for _, event in session.heard]
    assert states == [AlertState.OPENED] + [AlertState.UPDATED] * 29
    assert [time_s for time_s, _ in session.heard] == [10 * number for number in range(30)]
    assert {event.reason for _, event in session.heard[1:]} == {"still going on"}


def test_new_words_every_second_for_300_seconds_do_not_storm() -> None:
    session = Session()
    for second in range(300):
        session.at(second, f"The fire is {second} m wide.")
    heard = [time_s for time_s, _ in session.heard]
    assert [event.state for _, event in session.heard] == [AlertState.OPENED] + [AlertState.UPDATED] * 34
    assert heard[:6] == [0, 1, 3, 6, 10, 15]
    assert {after - before for before, after in pairwise(heard[10:])} == {10}
    assert session.heard[-1][1].text == f"The fire is {heard[-1]} m wide.", "an update has the newest words"


def test_words_that_came_too_soon_are_told_with_the_next_update() -> None:
    session = Session()
    session.at(0, BURNS)
    assert session.at(1, "The fire grows.") == [(AlertState.UPDATED, "new words")]
    assert session.at(2, "The fire shrinks.") == []
    assert session.at(5, "The fire shrinks.") == []
    assert session.at(11, "The fire shrinks.") == [(AlertState.UPDATED, "still going on")]
    assert session.heard[-1][1].text == "The fire shrinks."


def test_a_new_severity_is_an_update_at_once() -> None:
    session = Session()
    session.at(0, BURNS)
    session.instructions = (replace(FIRE, watch=Watch("fire", Severity.CRITICAL)),)
    assert session.at(1, BURNS) == [(AlertState.UPDATED, "severity changed from warning")]
    assert [event.severity for _, event in session.heard] == [Severity.WARNING, Severity.CRITICAL]
    assert session.at(2, BURNS) == []


def test_a_changed_watch_counts_for_an_alert_that_is_quiet() -> None:
    session = Session()
    session.instructions = (replace(FIRE, watch=Watch("fire", hold_s=600)),)
    session.at(0, BURNS)
    assert session.at(1, "") == []
    session.instructions = (replace(FIRE, watch=Watch("fire", Severity.CRITICAL, hold_s=5)),)
    assert session.at(2, "") == [(AlertState.UPDATED, "severity changed from warning")]
    assert session.at(4, "") == []
    assert session.at(5, "") == [(AlertState.CLOSED, "quiet for 5 s")]
    assert [event.severity for _, event in session.heard] == [Severity.WARNING, Severity.CRITICAL, Severity.CRITICAL]
    assert [event.number for _, event in session.heard] == [0, 1, 2]


@pytest.mark.parametrize(
    "left",
    [(), (FALL,), (Instruction("fire", FIRE.text),), (replace(FIRE, watch=Watch("smoke")),)],
    ids=["no instruction", "another", "no longer a watch", "renamed"],
)
def test_a_cleared_watch_closes_its_alert_at_once(left: tuple[Instruction, ...]) -> None:
    session = Session()
    session.at(0, BURNS)
    session.instructions = left
    assert session.at(1) == [(AlertState.CLOSED, "the watch was cleared")]
    assert session.at(2) == []


def test_a_renamed_watch_that_speaks_opens_its_own_alert() -> None:
    session = Session()
    session.at(0, BURNS)
    session.instructions = (replace(FIRE, watch=Watch("smoke")),)
    assert session.at(1, BURNS) == [OPENED, (AlertState.CLOSED, "the watch was cleared")]
    assert session.ids == ["s-1-fire-0", "s-1-fire-1", "s-1-fire-0"]


def test_only_watches_raise_alerts() -> None:
    session = Session((Instruction("fire", FIRE.text),))
    assert session.at(0, BURNS) == []
    assert Session(()).at(0, BURNS) == []


def test_two_watches_have_their_own_alerts_and_words() -> None:
    session = Session((FIRE, FALL))
    session.at(0, f"{BURNS} {FALLS}")
    session.at(5, FALLS)
    assert [(event.alert.watch.name, event.state, event.text) for _, event in session.heard] == [
        ("fire", AlertState.OPENED, BURNS),
        ("fall", AlertState.OPENED, FALLS),
        ("fire", AlertState.CLOSED, BURNS),
    ]


def test_watches_of_one_name_do_not_share_an_alert() -> None:
    session = Session((FIRE, replace(FALL, watch=FIRE.watch)))
    session.at(0, f"{BURNS} {FALLS}")
    assert sorted(session.ids) == ["s-1-fall-0", "s-1-fire-0"]


def test_without_turns_nothing_closes() -> None:
    session = Session()
    session.at(0, BURNS)
    assert session.at(3_600, BURNS) == [(AlertState.UPDATED, "still going on")]  # the camera was dead for an hour
    assert session.at(3_604) == []


def test_a_session_that_ends_closes_what_is_open_once() -> None:
    session = Session((FIRE, FALL))
    session.at(0, BURNS)
    session.at(5, FALLS)
    assert session.close(6, "the session ended") == [(AlertState.CLOSED, "the session ended")]
    assert session.close(6, "the session ended") == []
    assert session.heard[-1][1].alert.watch.name == "fall"


def test_what_is_remembered_is_bounded_and_never_loses_an_open_alert() -> None:
    session = Session()
    session.at(0, BURNS)
    for number in range(1, 3 * MAX_ALERTS):
        other = Instruction(f"n{number}", "Alert me when someone falls.", Watch("fall", hold_s=0, cooldown_s=86_400))
        session.instructions = (FIRE, other)
        session.at(number, f"{BURNS} {FALLS}")
        assert len(session.alerts) <= MAX_ALERTS
    assert session.alerts[0].id == "s-1-fire-0"
    assert session.alerts[0].is_open
    assert session.alerts[1].id == f"s-1-n{2 * MAX_ALERTS + 1}-{2 * MAX_ALERTS + 1}"  # the oldest closed ones are gone


watches = st.builds(
    Watch,
    st.sampled_from(["fire", "fall"]),
    st.sampled_from(Severity),
    hold_s=st.sampled_from([0.0, 2.0, 5.0]),
    cooldown_s=st.sampled_from([0.0, 3.0, 30.0]),
    update_interval_s=st.sampled_from([1.0, 10.0]),
)
standing = st.lists(
    st.builds(
        Instruction, st.sampled_from("abc"), st.sampled_from([FIRE.text, FALL.text]), st.one_of(st.none(), watches)
    ),
    max_size=3,
    unique_by=lambda one: one.id,
).map(tuple)
seconds = st.tuples(
    st.sampled_from([0.2, 1.0, 1.0, 4.0, 40.0]),
    st.sampled_from(["", "", BURNS, FALLS, f"{BURNS} {FALLS}", "Hello."]),
    st.one_of(st.none(), standing),
    st.booleans(),
)


@given(standing, st.lists(seconds, max_size=40))
def test_any_run_of_events_is_a_valid_life(
    first: tuple[Instruction, ...], run: list[tuple[float, str, tuple[Instruction, ...] | None, bool]]
) -> None:
    session, time_s = Session(first), 0.0
    for step_s, spoken, changed, reset in run:
        session.instructions = session.instructions if changed is None else changed
        time_s += step_s
        if reset:
            session.close(time_s, "the session was reset")
        session.at(time_s, spoken)
        assert_valid_lives([event for _, event in session.heard])
        watched = {one.id for one in session.instructions if one.watch}
        open_now = [one for one in session.alerts if one.is_open]
        assert {one.instruction_id for one in open_now} <= watched
        assert len({one.id for one in session.alerts}) == len(session.alerts) <= MAX_ALERTS
        assert {one.id for one in open_now} == still_open([event for _, event in session.heard])


def assert_valid_lives(events: list[AlertEvent]) -> None:
    """Opened once and first; closed only when open; after closing only an update within the cooldown; no gaps."""
    lives: dict[str, list[AlertEvent]] = {}
    for event in events:
        lives.setdefault(event.alert.id, []).append(event)
    for life in lives.values():
        assert [event.number for event in life] == list(range(len(life)))
        states = [event.state for event in life]
        assert states[0] is AlertState.OPENED
        assert AlertState.OPENED not in states[1:]
        assert (AlertState.CLOSED, AlertState.CLOSED) not in list(pairwise(states))
        assert [event.alert.is_open for event in life] == [state is not AlertState.CLOSED for state in states]
        assert all(event.reason and event.text and event.alert.events == event.number + 1 for event in life)


def still_open(events: list[AlertEvent]) -> set[str]:
    last = {event.alert.id: event.state for event in events}
    return {alert_id for alert_id, state in last.items() if state is not AlertState.CLOSED}
