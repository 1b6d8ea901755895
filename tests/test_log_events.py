"""One logging idiom: `log = get_log()`, and events as "noun verb" in the past, in plain words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for folder in ("libs/vigil/vigil", "services")
    for path in (ROOT / folder).rglob("*.py")
    if "tests" not in path.parts and ".venv" not in path.parts
)
LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
PLAIN = re.compile(r"[A-Za-z-]+( [A-Za-z-]+)+")
IRREGULAR_PASTS = frozenset(
    {
        "became",
        "began",
        "came",
        "cut",
        "fell",
        "forgotten",
        "found",
        "kept",
        "left",
        "lost",
        "read",
        "taken",
        "undone",
        "went",
        "written",
    }
)


def events(tree: ast.AST) -> Iterator[str]:
    """The first argument of every call of `log.<level>`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "log"
        ):
            event = node.args[0]
            assert isinstance(event, ast.Constant), f"line {node.lineno}: an event is a literal; figures are fields"
            yield str(event.value)


def is_in_the_past(event: str) -> bool:
    return any(word.endswith("ed") or word in IRREGULAR_PASTS for word in event.split())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_logs_in_the_one_idiom(path: Path) -> None:
    text = path.read_text()
    if path.name != "logs.py":
        assert "structlog.get_logger" not in text, "use `log = get_log()` of vigil.runtime.process.logs"
        assert not re.search(r"^(?!log\b)\w+ = get_log\(\)", text, re.MULTILINE), "a module's logger is called `log`"
    for event in events(ast.parse(text)):
        assert PLAIN.fullmatch(event), f"{event!r}: plain words, no underscore, comma or figure"
        assert is_in_the_past(event), f"{event!r}: say what happened, as noun and verb in the past"


def test_the_events_are_found() -> None:
    found = {event for path in SOURCES for event in events(ast.parse(path.read_text()))}
    assert len(found) > 40
    assert {"session ended", "turn dropped", "engine went down"} <= found
