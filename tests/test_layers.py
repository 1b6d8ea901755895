"""Who may import whom, as `docs/design.md` §13 says: a library never imports what is above it, a service no service."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from reference.code import ROOT, services

# Folder → what may be imported there from this repository, as the beginning of a dotted name.
LIBRARIES = {
    "libs/vigil/vigil/core": {"vigil.core"},
    "libs/vigil/vigil/contract": {"vigil.core", "vigil.contract", "vigil.v1"},
    "libs/vigil/vigil/runtime": {"vigil.core", "vigil.contract", "vigil.runtime", "vigil.v1"},
    "libs/vigil/vigil/testing": {"vigil"},
    "libs/client/vigil_client": {"vigil_client"},
    "libs/local/vigil_local": {"vigil_client", "vigil_local"},
    "libs/recipe/vigil_recipe": {"vigil", "vigil_client", "vigil_local", "vigil_recipe"},
}
SERVICES = {f"services/{name}/vigil_{name}": {"vigil", f"vigil_{name}"} for name in services()}
FOLDERS = LIBRARIES | SERVICES


def imports_of_ours(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every import of a package of this repository."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    modules = [alias.name for alias in names]
                case ast.ImportFrom(module=str(module)):
                    modules = [module]
                case _:
                    continue
            yield from ((path, module) for module in modules if module.split(".")[0].startswith("vigil"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_only_what_lies_below_it(folder: str) -> None:
    found = list(imports_of_ours(ROOT / folder))
    assert found
    for path, module in found:
        allowed = any(module == start or module.startswith(f"{start}.") for start in FOLDERS[folder])
        assert allowed, f"{path.relative_to(ROOT)} imports {module}: it may import {sorted(FOLDERS[folder])}"


def test_no_folder_is_left_out() -> None:
    packages = {path.parent.relative_to(ROOT) for path in ROOT.glob("libs/*/vigil*/__init__.py")}
    named = {Path(folder) for folder in FOLDERS}
    assert all(package in named or any(package in folder.parents for folder in named) for package in packages)
