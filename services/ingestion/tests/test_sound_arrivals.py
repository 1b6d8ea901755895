"""The sound of a live source is of when it was heard, also where the network held it up."""

from vigil_ingestion.sound.arrivals import LATE_US, Arrivals

T0 = 1_767_225_600_000_000
MS = 1_000


def test_sound_that_was_held_up_is_of_when_it_was_heard() -> None:
    arrivals, packet_us = Arrivals(), 20 * MS
    for number in range(100):
        end_us = T0 + (number + 1) * packet_us
        assert arrivals.heard_us(end_us, number * packet_us, packet_us) == end_us - packet_us
    now_us = T0 + 100 * packet_us + 1_000 * MS  # the network stood still for a second
    heard = [arrivals.heard_us(now_us, number * packet_us, packet_us) for number in range(100, 150)]
    assert heard == [T0 + number * packet_us for number in range(100, 150)]


def test_sound_that_is_too_old_is_let_go_and_what_follows_is_heard() -> None:
    arrivals, packet_us = Arrivals(), 20 * MS
    for number in range(100):
        arrivals.heard_us(T0 + (number + 1) * packet_us, number * packet_us, packet_us)
    now_us = T0 + 100 * packet_us + 2 * LATE_US
    heard = [arrivals.heard_us(now_us, number * packet_us, packet_us) for number in range(100, 300)]
    assert heard[0] is None
    assert heard[-1] == T0 + 299 * packet_us


def test_sound_without_stamps_is_of_when_it_came() -> None:
    assert Arrivals().heard_us(T0, None, 20 * MS) == T0 - 20 * MS
