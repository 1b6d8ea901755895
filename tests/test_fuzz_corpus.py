"""Inputs that fuzzing has found, or begins with: each is refused or taken by its door, in a moment."""

from pathlib import Path

import pytest
from fuzz.doors import DOORS

CORPUS = Path(__file__).parent / "fuzz" / "corpus"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.timeout(60)
def test_a_door_takes_or_refuses_every_input_of_its_corpus(door: str) -> None:
    inputs = sorted((CORPUS / door).iterdir())
    assert inputs, "a door without inputs is not tried"
    for path in inputs:
        try:
            DOORS[door](path.read_bytes())
        except Exception as error:
            error.add_note(f"the input is {path}")
            raise
