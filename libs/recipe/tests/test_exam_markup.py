"""What report pages are made of: numbers and tables, with everything escaped that is not ours."""

from __future__ import annotations

import pytest

from vigil_recipe.exam.report.markup import Cell, number, table, whole_page


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "0"), (12_345, "12,345"), (0.12345, "0.123"), (1.0, "1.000"), ("all", "all"), (True, "True")],
)
def test_numbers(value: Cell, shown: str) -> None:
    assert number(value) == shown


def test_a_table_escapes_its_cells() -> None:
    made = table(("a", "<b>"), [("1", "x & y"), ("2", "")])
    assert "<tr><th>a</th><th>&lt;b&gt;</th></tr>" in made
    assert "<tr><td>1</td><td>x &amp; y</td></tr><tr><td>2</td><td></td></tr>" in made


def test_a_page_needs_nothing_else() -> None:
    page = whole_page("Exam <1>", ["<p>one</p>", "<p>two</p>"])
    assert page.startswith("<!doctype html>\n")
    assert "<title>Exam &lt;1&gt;</title><style>" in page
    assert "<p>one</p>\n<p>two</p>" in page
    assert "http" not in page
