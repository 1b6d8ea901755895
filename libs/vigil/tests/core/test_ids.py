"""Names that may be subject tokens."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import CoreError, InvalidToken
from vigil.core.ids import SessionKey, token


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_a_good_token_comes_back(value: str) -> None:
    assert token(value, "tenant") == value


@pytest.mark.parametrize("value", ["", "a.b", "a b", "a*", ">", "é", "٣", "a\n", "{a}", "a/b", "x" * 65])
def test_a_bad_token_is_named(value: str) -> None:
    with pytest.raises(InvalidToken, match=re.escape(f"source id {value!r} is not allowed: use 1 to 64 letters")):
        token(value, "source id")


@given(st.text())
def test_nothing_that_means_something_to_the_bus_or_the_store_passes(value: str) -> None:
    try:
        passed = token(value, "tenant")
    except InvalidToken:
        return
    assert passed
    assert not set(passed) & set(" .*>{}:/\n")


def test_a_long_bad_token_is_cut_in_the_message() -> None:
    with pytest.raises(InvalidToken) as refused:
        token("." * 1_000_000, "tenant")
    assert len(str(refused.value)) < 200


def test_a_session_key_has_a_tenant_and_prints_both() -> None:
    assert str(SessionKey("demo", "s-1")) == "demo/s-1"
    assert sorted([SessionKey("b", "a"), SessionKey("a", "b")]) == [SessionKey("a", "b"), SessionKey("b", "a")]
    with pytest.raises(CoreError, match="tenant ''"):
        SessionKey("", "s-1")
    with pytest.raises(CoreError, match=r"session 's\.1'"):
        SessionKey("demo", "s.1")
