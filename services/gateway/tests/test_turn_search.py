"""A turn's place in its stream is found with few looks, whatever lies between."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_gateway.turns.search import Place, place_of


class Decisions:
    """The decisions of one session in a stream: turn number `first` + n lies at `places`[n]."""

    def __init__(self, places: list[int], first: int) -> None:
        self.places = places
        self.first = first
        self.looks = 0

    def at(self, index: int) -> Place:
        return Place(self.places[index], self.first + index)

    async def look(self, begin: int) -> Place | None:
        self.looks += 1
        index = bisect_left(self.places, begin)
        return self.at(index) if index < len(self.places) else None


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60, unique=True), st.integers(0, 50), st.data())
async def test_it_is_found_wherever_it_lies(places: list[int], first: int, data: st.DataObject) -> None:
    stream = Decisions(sorted(places), first)
    index = data.draw(st.integers(0, len(places) - 1))
    begin = await place_of(stream.look, first + index, stream.at(0), stream.at(len(places) - 1))
    assert bisect_left(stream.places, begin) == index, "from there on lies this turn, and none before it"
    assert stream.looks <= 42


@pytest.mark.parametrize("wanted", [0, 1, 4_321, 86_300, 86_399])
async def test_a_day_of_a_steady_session_takes_a_few_looks(wanted: int) -> None:
    stream = Decisions([turn * 100 + turn % 7 + 1 for turn in range(86_400)], 0)
    assert await place_of(stream.look, wanted, stream.at(0), stream.at(-1 % 86_400)) >= 0
    assert stream.looks <= 8


async def test_a_stream_that_is_emptied_meanwhile_ends_the_search() -> None:
    async def look(begin: int) -> Place | None:
        return None

    assert await place_of(look, 5, Place(1, 0), Place(100, 9)) == 100
