"""The brains that are open: what this machine lacks something for is a fault only where somebody asked for it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from vigil_brain import metrics
from vigil_brain.brains.kinds import mistakes
from vigil_brain.brains.port import Brain, BrainError
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.catalogue import Catalogue


@asynccontextmanager
async def not_installed(spec: BrainSpec) -> AsyncIterator[Brain]:
    raise BrainError(f"{spec.name} is not installed: run `make brain`")
    yield


def counted(state: str) -> float:
    """How many brains the metric shows in that state."""
    return float(metrics.BRAINS.labels(state)._value.get())


@pytest.mark.parametrize("has_file", [False, True])
async def test_a_brain_that_is_not_installed_is_a_fault_where_a_file_names_it(tmp_path: Path, has_file: bool) -> None:
    path = tmp_path / "brains.json"
    path.write_text(json.dumps({"brains": [{"name": "embedded", "kind": "embedded"}]}))
    async with Catalogue.opened(path if has_file else None, mistakes, not_installed) as catalogue:
        brain = catalogue.find("embedded")
        assert brain is not None
        assert "make brain" in brain.fault
        assert (counted("open"), counted("faulty")) == (0, float(has_file))
