"""What has come and gone, by value, and what holds whatever is seen."""

from hypothesis import given
from hypothesis import strategies as st
from kept import Kept
from presence import MOST_THINGS, Changes, Patience, Presence, look

PATIENCE = Patience(come_looks=2, gone_s=5.0)
S = 1_000_000


def looks(*seen: tuple[int, set[str]]) -> list[Changes]:
    """What each look changed; a look is its time in seconds, and what it showed."""
    presence, changes = Presence(), []
    for at_s, things in seen:
        presence, change = look(presence, sorted(things), at_s * S, PATIENCE)
        changes.append(change)
    return changes


def test_a_thing_comes_once_it_was_seen_twice_in_a_row() -> None:
    assert looks((1, {"a"}), (2, {"a"}), (3, {"a"})) == [Changes(), Changes(came=("a",)), Changes()]


def test_a_thing_that_flickers_does_not_come() -> None:
    assert looks((1, {"a"}), (2, set()), (3, {"a"}), (4, set())) == [Changes()] * 4


def test_a_thing_goes_once_it_was_unseen_for_long_enough() -> None:
    unseen = [(at_s, set[str]()) for at_s in (3, 6, 7, 8)]
    assert looks((1, {"a"}), (2, {"a"}), *unseen)[2:] == [Changes(), Changes(), Changes(went=("a",)), Changes()]


def test_who_is_seen_again_in_time_has_not_gone() -> None:
    assert looks((1, {"a"}), (2, {"a"}), (6, set()), (7, {"a"}), (11, set()), (12, set()))[2:] == [
        *[Changes()] * 3,
        Changes(went=("a",)),
    ]


def test_pictures_that_come_seldom_do_not_make_things_go() -> None:
    assert looks((0 + 1, {"a"}), (61, {"a"}), (121, {"a"}))[1:] == [Changes(came=("a",)), Changes()]


def test_a_picture_from_the_past_changes_nothing() -> None:
    presence, _ = look(Presence(), ["a"], 5 * S, PATIENCE)
    assert look(presence, ["a", "b"], 5 * S, PATIENCE) == (presence, Changes())


def test_things_are_told_in_the_order_in_which_they_were_seen() -> None:
    presence, _ = look(Presence(), ["b", "a"], 1 * S, PATIENCE)
    presence, changes = look(presence, ["c", "a", "b"], 2 * S, PATIENCE)
    assert changes.came == ("b", "a")
    assert presence.there == ("b", "a")


@given(st.lists(st.frozensets(st.sampled_from("abcd")), max_size=30))
def test_nothing_comes_twice_without_going_between(seen: list[frozenset[str]]) -> None:
    presence, there = Presence(), set[str]()
    for number, things in enumerate(seen, 1):
        presence, changes = look(presence, sorted(things), number * S, PATIENCE)
        assert not there & set(changes.came)
        assert set(changes.went) <= there
        there = (there | set(changes.came)) - set(changes.went)
        assert there == set(presence.there)


def test_no_more_things_are_followed_than_there_is_room_for() -> None:
    presence, _ = look(Presence(), [str(number) for number in range(10 * MOST_THINGS)], S, PATIENCE)
    assert len(presence.sightings) == MOST_THINGS


def test_the_session_that_was_put_least_recently_is_forgotten() -> None:
    kept = Kept[int](most=2)
    for session, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        kept.put(session, value)
    assert [kept.get(session, 0) for session in "abc"] == [3, 0, 4]
    assert len(kept) == 2
