"""A message that is stored only behind the one that was read last."""

import asyncio

import pytest

from vigil.contract import subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.streams import ALERTS
from vigil.contract.subject_tokens import AlertAction
from vigil.core.alert import AlertState
from vigil.runtime.bus.client import Bus, Place
from vigil.runtime.errors import StreamMovedOn

LOBBY = subjects.alerts_of("demo", "lobby")


def message(identity: str, event: AlertState | AlertAction = AlertState.UPDATED, source: str = "lobby") -> Outgoing:
    return Outgoing(subjects.alert("demo", source, event), f"demo.{identity}", identity.encode(), CLOUDEVENT)


async def test_it_is_stored_behind_what_was_read_and_not_behind_anything_newer(bus: Bus) -> None:
    first = await bus.publish_stored(message("a", AlertState.OPENED), Place(LOBBY, 0))
    second = await bus.publish_stored(message("b", AlertAction.ACKNOWLEDGED), Place(LOBBY, first.sequence))
    for sequence in (0, first.sequence, second.sequence + 1):
        with pytest.raises(StreamMovedOn):
            await bus.publish_stored(message(f"late-{sequence}", AlertAction.MUTED), Place(LOBBY, sequence))
    stored = (await bus.stored(ALERTS, LOBBY, 1, 10)).messages
    assert [message.payload for message in stored] == [b"a", b"b"]


async def test_what_is_stored_elsewhere_changes_nothing(bus: Bus) -> None:
    first = await bus.publish_stored(message("a", AlertState.OPENED))
    await bus.publish_stored(message("b", AlertState.OPENED, source="yard"))
    assert (await bus.publish_stored(message("c"), Place(LOBBY, first.sequence))).sequence == first.sequence + 2


async def test_of_many_that_were_decided_on_the_same_one_is_stored(bus: Bus) -> None:
    first = await bus.publish_stored(message("a", AlertState.OPENED))
    tries = [bus.publish_stored(message(f"try-{number}"), Place(LOBBY, first.sequence)) for number in range(20)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, StreamMovedOn) for outcome in found) == 19


async def test_whoever_says_the_same_again_is_told_to_read_again(bus: Bus) -> None:
    first = await bus.publish_stored(message("a", AlertState.OPENED))
    place = Place(LOBBY, first.sequence)
    stored = await bus.publish_stored(message("b"), place)
    with pytest.raises(StreamMovedOn):
        await bus.publish_stored(message("b"), place)
    again = await bus.publish_stored(message("b"), Place(LOBBY, stored.sequence))
    assert (again.sequence, again.duplicate) == (stored.sequence, True)
