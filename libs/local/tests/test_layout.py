"""What is on this machine: the checkout, the programs, the inherited environment."""

from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from vigil.contract.services import CODEC, SERVICES
from vigil_local.errors import Missing
from vigil_local.supervisor import layout


def checkout(folder: Path) -> Path:
    (folder / "proto" / "vigil").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    return folder


def test_the_checkout_is_found_from_anywhere_in_it(tmp_path: Path) -> None:
    root = checkout(tmp_path / "vigil")
    below = root / "services" / "codec"
    below.mkdir(parents=True)
    for directory in (root, below):
        with chdir(directory):
            assert layout.repository() == root


def test_outside_of_a_checkout_it_is_that_of_this_package(tmp_path: Path) -> None:
    with chdir(tmp_path):
        root = layout.repository()
    assert root is not None
    assert (root / layout.SERVE).is_file()


def test_every_program_is_here() -> None:
    found = layout.binaries(SERVICES)
    assert set(found.services) == {row.name for row in SERVICES}
    for path in (found.nats_server, found.store.path, *found.services.values()):
        assert path.is_file()


def test_a_service_that_is_not_installed_is_named() -> None:
    absent = replace(CODEC, name="absent")
    with pytest.raises(Missing, match="vigil-absent is not installed") as missing:
        layout.binaries([CODEC, absent])
    assert "make workspace" in missing.value.next_step
    assert layout.program("vigil-absent") is None


def test_the_environment_is_inherited_without_settings_of_vigil() -> None:
    inherited = layout.inherited()
    assert inherited["PATH"]
    assert inherited["PYTHONUNBUFFERED"] == "1"
    assert not [name for name in inherited if name.startswith("VIGIL_")]
