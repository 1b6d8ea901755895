"""Which modules a session hears."""

import pytest

from vigil.core.errors import InvalidSpec, InvalidToken
from vigil.core.modules import MAX_NAMES, Modules


@pytest.mark.parametrize(
    ("modules", "heard"),
    [
        (Modules(), {"faces", "zones"}),
        (Modules(names=("zones",)), {"zones"}),
        (Modules(is_on=False), set()),
        (Modules(is_on=False, names=("zones",)), set()),
    ],
)
def test_all_are_heard_or_those_that_are_named(modules: Modules, heard: set[str]) -> None:
    assert {name for name in ("faces", "zones") if modules.hears(name)} == heard


def test_names_are_tokens_and_few() -> None:
    assert Modules(names=("m",) * MAX_NAMES).hears("m")
    with pytest.raises(InvalidSpec, match=r"modules\.names has 17 names: give at most 16, or none for all"):
        Modules(names=("m",) * (MAX_NAMES + 1))
    with pytest.raises(InvalidToken, match="module 'two words'"):
        Modules(names=("two words",))
