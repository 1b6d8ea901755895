"""A client that is there, silent, away, and not waited for any longer."""

from vigil.core.ids import SessionKey
from vigil_ingestion.webrtc.presence import Presence, State
from vigil_ingestion.webrtc.rate import Rate
from vigil_ingestion.webrtc.room import Room

AWAITED = Presence(silent_s=5, grace_s=30, until_s=60)


def test_a_client_that_never_comes_is_not_waited_for_for_ever() -> None:
    assert (AWAITED.state(59.9), AWAITED.due_in_s(59)) == (State.AWAITED, 1)
    assert (AWAITED.state(60), AWAITED.due_in_s(61)) == (State.OVER, 0)


def test_silence_is_a_loss_and_the_grace_counts_from_the_last_picture() -> None:
    showing = AWAITED.seen(100)
    assert (showing.state(104.9), showing.state(105), showing.due_in_s(102)) == (State.SHOWING, State.SILENT, 3)
    lost = showing.silent()
    assert (lost.state(129.9), lost.state(130), lost.due_in_s(120)) == (State.AWAITED, State.OVER, 10)


def test_a_connection_that_ends_is_a_loss_at_once() -> None:
    lost = AWAITED.seen(100).gone(103)
    assert (lost.state(103), lost.state(132.9), lost.state(133)) == (State.AWAITED, State.AWAITED, State.OVER)
    assert lost.seen(120).state(120) is State.SHOWING


def test_a_connection_without_pictures_gains_no_time_by_ending() -> None:
    assert AWAITED.gone(50) == AWAITED


def test_an_offer_gets_the_time_that_its_connection_needs() -> None:
    assert AWAITED.offered(55, 15).state(69.9) is State.AWAITED
    assert AWAITED.offered(10, 15) == AWAITED


def test_a_session_that_an_offer_brought_waits_for_that_client_alone() -> None:
    brought = Presence(silent_s=5, grace_s=30, until_s=600).offered(10, 15, brings_session=True)
    assert (brought.state(54.9), brought.state(55)) == (State.AWAITED, State.OVER)


def test_a_session_that_another_worker_had_waits_anew() -> None:
    assert AWAITED.seen(100).awaited(200, 30) == Presence(5, 30, until_s=230)


def test_the_rate_is_measured_once() -> None:
    rate = Rate()
    for count in range(100):
        rate = rate.step(count * 40_000)
        assert rate.per_s == (25.0 if count >= 100 else rate.per_s)
    assert rate.per_s == 0
    rate = rate.step(4_000_000)
    assert rate.per_s == 25.0
    assert rate.step(90_000_000) == rate


def test_room_is_for_sessions_and_not_for_connections() -> None:
    room, one, two = Room(1), SessionKey("demo", "s-1"), SessionKey("demo", "s-2")
    assert room.enter(one)
    assert room.enter(one)
    assert not room.enter(two)
    room.leave(one)
    room.leave(one)
    assert room.enter(two)
    room.leave(two)
