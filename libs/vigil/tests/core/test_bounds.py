import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.bounds import Bounds
from vigil.core.errors import InvalidSpec


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_a_value_is_refused_exactly_when_it_is_out_of_bounds(value: float) -> None:
    bounds = Bounds(1, 8)
    if 1 <= value <= 8:
        bounds.check("frames", value)
    else:
        assert not bounds.allows(value)
        with pytest.raises(InvalidSpec, match=f"frames is {value}: give 1 to 8".replace("+", r"\+")):
            bounds.check("frames", value)


@pytest.mark.parametrize("value", [0, -1, 61, math.nan, math.inf])
def test_an_exclusive_bound_is_not_allowed_itself(value: float) -> None:
    with pytest.raises(InvalidSpec, match=f"pause is {value}: give more than 0 and at most 60 seconds"):
        Bounds(0, 60, "seconds", exclusive=True).check("pause", value)


def test_both_bounds_are_allowed_and_so_is_what_is_just_above_an_exclusive_one() -> None:
    assert Bounds(2, 250).allows(2)
    assert Bounds(2, 250).allows(250)
    assert Bounds(0, 60, exclusive=True).allows(5e-324)
