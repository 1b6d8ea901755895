"""Who may import whom: read from every import statement of the libraries, the services and their tests."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest
from distributions import by_package, installed_with, normal
from reference.code import ROOT

# What each part of the repository may import of ours, by the beginning of a module's name. The first row that fits a
# module holds.
ALLOWED = {
    "vigil.core": ("vigil.core",),
    "vigil.contract": ("vigil.core", "vigil.contract", "vigil.v1"),
    "vigil.runtime": ("vigil.core", "vigil.contract", "vigil.runtime", "vigil.v1"),
    "vigil.testing": ("vigil",),
    "vigil.v1": ("vigil.v1",),
    "vigil_client": ("vigil_client",),
    "vigil_provision.testing": ("vigil", "vigil_client", "vigil_provision"),
    "vigil_provision.commands.streams": ("vigil.runtime", "vigil_client", "vigil_provision"),
    "vigil_provision": ("vigil.core", "vigil.contract", "vigil_client", "vigil_provision"),
    "vigil_local.testing": ("vigil", "vigil_client", "vigil_provision", "vigil_local"),
    "vigil_local": (
        "vigil.core",
        "vigil.contract",
        "vigil.runtime.process.output",
        "vigil_client",
        "vigil_provision",
        "vigil_local",
    ),
    "vigil_gateway.testing": ("vigil", "vigil_gateway"),
    "vigil_recipe.exam": ("vigil", "vigil_client", "vigil_local", "vigil_recipe"),
    "vigil_recipe": ("vigil", "vigil_recipe"),
    "vigil_": ("vigil.core", "vigil.contract", "vigil.runtime", "vigil.v1"),  # a service, beside itself
}
# What the tests of a distribution may import beside it.
ALLOWED_TO_TESTS = {
    "vigil": ("vigil",),
    "vigil_client": ("vigil", "vigil_client"),
    "vigil_provision": ("vigil", "vigil_client", "vigil_provision"),
    "vigil_local": ("vigil", "vigil_client", "vigil_provision", "vigil_local"),
    "vigil_recipe": ("vigil", "vigil_client", "vigil_local", "vigil_recipe"),
    "vigil_": ("vigil", "vigil_client"),
}
WITHOUT_IO = ("asyncio", "socket", "threading", "subprocess", "aiohttp", "grpc", "nats", "redis", "os", "time")
# The engine and the embedded brain have environments of their own: what runs there is no dependency of the workspace.
OF_THE_ENGINE = {"torch", "transformers", "tokenizers", "safetensors", "huggingface_hub", "accelerate"}
OF_THE_EMBEDDED_BRAIN = {"xllamacpp"}
OF_THE_EMBEDDED_RECOGNIZER = {  # and its own modules, which it finds beside it
    *("ctranslate2", "faster_whisper", "numpy"),
    *("decoder", "form", "peer", "repeats", "turns"),
}
OF_THE_JUDGE_OF_PAUSES = {*("onnxruntime", "numpy"), *("features", "turn_model")}
OF_THE_EMBEDDED_VOICE = {"hibari"}


class Home(NamedTuple):
    """A distribution: its folder and its import package."""

    folder: Path
    package: str


class Import(NamedTuple):
    """A module, or a name in it, that a file imports."""

    file: Path
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.target}"


HOMES = tuple(
    Home(folder, next(path.parent.name for path in sorted(folder.glob("vigil*/__init__.py"))))
    for parent in ("libs", "services")
    for folder in sorted((ROOT / parent).iterdir())
    if (folder / "pyproject.toml").is_file()
)
BY_PACKAGE = pytest.mark.parametrize("home", HOMES, ids=lambda home: home.package)
GENERATED = ROOT / "libs/vigil/vigil/v1"


@cache
def imports(file: Path) -> tuple[Import, ...]:
    """Every import of a file, wherever it stands in it."""
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [Import(file, node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [Import(file, node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return tuple(found)


def sources(home: Home) -> Iterator[Path]:
    return (path for path in sorted((home.folder / home.package).rglob("*.py")) if GENERATED not in path.parents)


def module_of(file: Path, home: Home) -> str:
    parts = file.relative_to(home.folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(name: str, prefixes: Iterable[str]) -> bool:
    """Whether a module's name is one of these or below one of these."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def is_ours(name: str) -> bool:
    return bool(re.match(r"vigil(_[a-z]+)?(\.|$)", name))


def rule(module: str, rules: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The first rule that fits; that of services fits every package that has none of its own."""
    for prefix, allowed in rules.items():
        if within(module, [prefix]):
            return allowed
    return (*rules["vigil_"], module.partition(".")[0])


def forbidden(files: Iterable[tuple[Path, tuple[str, ...]]]) -> list[str]:
    """The imports of ours that their file's rule does not allow."""
    return [
        str(imported)
        for file, allowed in files
        for imported in imports(file)
        if is_ours(imported.target) and not within(imported.target, allowed)
    ]


@BY_PACKAGE
def test_a_package_imports_only_what_is_below_it(home: Home) -> None:
    assert forbidden((file, rule(module_of(file, home), ALLOWED)) for file in sources(home)) == []


@BY_PACKAGE
def test_tests_import_what_their_package_may_and_test_support(home: Home) -> None:
    allowed = rule(home.package, ALLOWED_TO_TESTS)
    assert forbidden((file, allowed) for file in sorted((home.folder / "tests").rglob("*.py"))) == []


def test_the_core_does_no_input_or_output() -> None:
    files = sorted((ROOT / "libs/vigil/vigil/core").rglob("*.py"))
    assert len(files) > 20
    assert [str(found) for file in files for found in imports(file) if within(found.target, WITHOUT_IO)] == []


def test_the_libraries_form_no_circle() -> None:
    """No module imports itself by way of others."""
    files = {module_of(file, home): file for home in HOMES for file in sources(home)}
    graph = {module: set(_imported(file, files)) - {module} for module, file in files.items()}
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' → '.join(error.args[1])}")
    assert set(order) == set(files)


@pytest.mark.parametrize(
    ("parent", "packages"),
    [
        ("vigil.runtime", {"bus", "engine", "placement", "process", "session", "store"}),
        ("vigil_gateway", {"api", "http", "live", "openai", "pushed", "rpc", "sessions", "websocket"}),
    ],
)
def test_the_packages_of_a_package_form_no_circle(parent: str, packages: set[str]) -> None:
    """`store` knows nothing of `session`, `bus` nothing of `store`: each package can be read without those above it."""
    graph: dict[str, set[str]] = {}
    for file, home in ((file, place) for place in HOMES for file in sources(place)):
        if (package := _package(module_of(file, home), parent)) in packages:
            used = {_package(imported.target, parent) for imported in imports(file)} & packages
            graph.setdefault(str(package), set()).update({str(name) for name in used} - {package})
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' → '.join(error.args[1])}")
    assert set(order) == packages


def _package(name: str, parent: str) -> str | None:
    """`store` for a module of `vigil.runtime.store`, or for a name in one, when the parent is `vigil.runtime`."""
    return name[len(parent) + 1 :].split(".")[0] if within(name, [parent]) and name != parent else None


def _imported(file: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules among `known` that a file imports: `from a.b import c` is `a.b.c` when that is a module."""
    for imported in imports(file):
        parent = imported.target.rpartition(".")[0]
        yield from (name for name in (imported.target, parent) if name in known and known[name].stem != "__init__")


@BY_PACKAGE
def test_what_a_package_imports_is_installed_with_it(home: Home) -> None:
    """Test support is left out: only tests import it, in an environment that has everything. What an extra brings is
    there for the modules that are loaded only with it."""
    there = installed_with(home.package, extras=True)
    missing = [
        str(imported)
        for file in sources(home)
        if ".testing" not in module_of(file, home)
        for imported in imports(file)
        if not _is_there(imported.target.partition(".")[0], there)
    ]
    assert missing == []


def _is_there(package: str, distributions: frozenset[str]) -> bool:
    speech = {*OF_THE_EMBEDDED_RECOGNIZER, *OF_THE_JUDGE_OF_PAUSES, *OF_THE_EMBEDDED_VOICE}
    embedded = {*OF_THE_EMBEDDED_BRAIN, *speech}
    if package in {*sys.stdlib_module_names, *OF_THE_ENGINE, *embedded}:
        return True
    if is_ours(package):
        return normal(package) in distributions
    return bool(by_package().get(package, frozenset()) & distributions)
