"""The table of timeouts is true: every number of it is the one in the code."""

import importlib
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel

TABLE = Path(__file__).parent.parent / "docs" / "timeouts.md"
ROW = re.compile(r"^\| (?P<channel>[\w ]+) \|.*\| (?P<seconds>[\d.]+) \| `(?P<where>[\w.:]+)` \|$", re.MULTILINE)
ROWS = [(row["where"], float(row["seconds"])) for row in ROW.finditer(TABLE.read_text())]


def value_of(where: str) -> float:
    """The constant, the setting's default or the field's default that a row names."""
    module, _, name = where.partition(":")
    owner, _, attribute = name.partition(".")
    found = getattr(importlib.import_module(module), owner)
    if not attribute:
        return float(found)
    if isinstance(found, type) and issubclass(found, BaseModel):
        return float(found.model_fields[attribute].default)
    assert is_dataclass(found), f"{where} is neither a constant, a setting nor a field"
    default: object = next(one.default for one in fields(found) if one.name == attribute)
    assert isinstance(default, int | float)
    return float(default)


def test_every_row_is_read() -> None:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")]
    assert len(ROWS) == len(lines) - 2 > 20


@pytest.mark.parametrize(("where", "seconds"), ROWS)
def test_the_number_is_the_one_in_the_code(where: str, seconds: float) -> None:
    assert value_of(where) == seconds
