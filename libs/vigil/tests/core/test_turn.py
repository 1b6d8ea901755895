"""Dialogue memory forgets the oldest."""

from hypothesis import given
from hypothesis import strategies as st

from vigil.core.turn import MAX_DIALOGUE, Exchange, remember


@given(st.integers(0, 100))
def test_dialogue_keeps_the_newest(count: int) -> None:
    dialogue: tuple[Exchange, ...] = ()
    asked = [Exchange(f"question {number}", number * 1_000) for number in range(count)]
    for exchange in asked:
        dialogue = remember(dialogue, exchange)
    assert dialogue == tuple(asked[-MAX_DIALOGUE:])
