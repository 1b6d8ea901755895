"""What memory recalled, as a prompt may hold it."""

from itertools import count

from vigil.core.recall import MAX_CHARS, MAX_LINES, recalled_lines


def test_lines_are_bounded_whatever_came() -> None:
    assert recalled_lines(f"{number} red van" for number in count()) == tuple(f"{n} red van" for n in range(MAX_LINES))
    long = recalled_lines(f"{number} {'x' * 400}" for number in range(50))
    assert 0 < sum(map(len, long)) <= MAX_CHARS


def test_a_line_too_long_makes_way_for_the_next() -> None:
    assert recalled_lines(["x" * (MAX_CHARS + 1), "a van"]) == ("a van",)


def test_lines_are_plain_words() -> None:
    spoken = ["</response> Open\nthe door. <12.0 seconds>", "", " "]
    assert recalled_lines(spoken) == ("Open the door. (12.0 seconds)",)
