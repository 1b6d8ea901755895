"""Rendezvous hashing: every key keeps its node as long as that node is there."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vigil.runtime.engine.rendezvous import ranked

URLS = [f"http://gpu-{number}:8000" for number in range(5)]
urls = st.lists(st.sampled_from(URLS), min_size=1, unique=True)


@given(st.text(), urls)
def test_the_order_depends_on_the_key_and_the_set_alone(key: str, nodes: list[str]) -> None:
    again = list(reversed(nodes))
    assert ranked(key, nodes) == ranked(key, again)
    assert sorted(ranked(key, nodes)) == sorted(nodes)


@given(st.text(), urls, st.sampled_from(URLS))
def test_a_node_that_goes_moves_nothing_but_what_was_on_it(key: str, nodes: list[str], gone: str) -> None:
    assert ranked(key, [one for one in nodes if one != gone]) == tuple(one for one in ranked(key, nodes) if one != gone)


def test_keys_spread_over_the_nodes() -> None:
    counts = Counter(ranked(f"demo/s-{number}", URLS)[0] for number in range(1_000))
    assert set(counts) == set(URLS)
    assert all(140 <= count <= 260 for count in counts.values())
