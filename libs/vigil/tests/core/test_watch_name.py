"""Watches that name themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.ids import token
from vigil.core.watch_name import watch_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Alert me when a fire starts.", "fire-starts"),
        ("Tell me when someone falls!", "falls"),
        ("Warn me if the door is left open", "door-left-open"),
        ("Let me know as soon as a person lies on the floor and does not move for ten seconds", "lies-floor-does-move"),
        ("Préviens-moi : fumée", "previens-moi-fumee"),
        ("日本", "watch"),
        ("a 1 _ -", "watch"),
        ("x" * 200, "x" * 64),
    ],
)
def test_a_name_by_value(text: str, name: str) -> None:
    assert watch_name(text) == name


@given(st.text())
def test_a_name_is_always_a_token(text: str) -> None:
    assert token(watch_name(text), "watch name") == watch_name(text)
