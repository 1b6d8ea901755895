"""One running Vigil for all tests of the whole system: real vLLM, the shipped model, every service a process."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from system import ROOT, System, running

from vigil.testing.ports import free_port
from vigil_recipe.exam.players.stand_in import StandIn


@pytest.fixture(scope="session")
def brain_port() -> int:
    """Where the running system looks for its brain: a test that needs one answers there."""
    return free_port()


@pytest.fixture(scope="session")
def vigil(tmp_path_factory: pytest.TempPathFactory, brain_port: int) -> Iterator[System]:
    """`vigil up`, started once. What it delegates goes to the stand-in, and what names it to the embedded brain."""
    folder = tmp_path_factory.mktemp("vigil")
    stand_in = StandIn()
    stand_in.url = f"http://127.0.0.1:{brain_port}/v1"
    brains = stand_in.write_brains_file(folder / "brains.json")
    known = json.loads(brains.read_text())
    embedded = {"name": "embedded", "kind": "embedded", "folder": str(ROOT / ".venv-brain")}
    brains.write_text(json.dumps(known | {"brains": [*known["brains"], embedded]}))
    with running(folder / "run", "--brains", str(brains)) as system:
        yield system


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where rendered episodes go."""
    return tmp_path_factory.mktemp("videos")
