"""What of the code the pages are made from: the services, their modules and what those import."""

import ast
import importlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "libs" / "vigil"
_GENERATED = LIBRARY / "vigil" / "v1"


def services() -> list[str]:
    """The names of the services, as their folders are called."""
    return sorted(path.name for path in (ROOT / "services").iterdir() if (path / f"vigil_{path.name}").is_dir())


@cache
def modules() -> dict[str, Path]:
    """Every module of `libs/vigil` and of the services, by its dotted name."""
    homes = [LIBRARY, *(ROOT / "services" / name for name in services())]
    packages = [LIBRARY / "vigil", *(ROOT / "services" / name / f"vigil_{name}" for name in services())]
    found = {}
    for home, package in zip(homes, packages, strict=True):
        for path in sorted(package.rglob("*.py")):
            if not path.is_relative_to(_GENERATED):
                parts = path.relative_to(home).with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imported_by(module: str) -> frozenset[str]:
    """The modules among `modules()` that `module` imports itself."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(modules()[module].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return frozenset(found & modules().keys())


def modules_of_service(service: str) -> frozenset[str]:
    """Every module that the process of `service` loads: `main` and all that it imports, directly or not."""
    reached: set[str] = set()
    waiting = [f"vigil_{service}.main"]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting.extend(imported_by(module))
    return frozenset(reached)


def constants(module: str) -> dict[str, object]:
    """The names that `module` holds once it is imported."""
    return vars(importlib.import_module(module))
