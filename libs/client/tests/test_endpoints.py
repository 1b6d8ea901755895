"""The endpoints file: written privately, found from anywhere in a checkout, refused when it is something else."""

import stat
from contextlib import chdir
from pathlib import Path

import pytest

from vigil_client import endpoints
from vigil_client.endpoints import DATA_DIR, FILE, Endpoints
from vigil_client.errors import NotConfigured

WRITTEN = Endpoints("http://127.0.0.1:1", "nats://127.0.0.1:2", "key", pids={"nats": 3})


def write_in(data_dir: Path) -> Path:
    data_dir.mkdir(parents=True)
    endpoints.write(data_dir / FILE, WRITTEN)
    return data_dir / FILE


def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = write_in(tmp_path / "run")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert endpoints.read(path) == WRITTEN


def test_a_relative_directory_is_found_from_below(tmp_path: Path) -> None:
    write_in(tmp_path / DATA_DIR)
    below = tmp_path / "services" / "gateway"
    below.mkdir(parents=True)
    for directory in (tmp_path, below):
        with chdir(directory):
            assert endpoints.find(DATA_DIR) == WRITTEN


def test_the_nearest_directory_is_taken(tmp_path: Path) -> None:
    write_in(tmp_path / "run")
    nearer = tmp_path / "inner" / "run"
    nearer.mkdir(parents=True)
    endpoints.write(nearer / FILE, Endpoints("http://127.0.0.1:9", "nats://127.0.0.1:9", "nearer"))
    with chdir(tmp_path / "inner"):
        assert endpoints.find(Path("run")).api_key == "nearer"


def test_an_absolute_directory_is_the_only_one_looked_at(tmp_path: Path) -> None:
    write_in(tmp_path / DATA_DIR)
    with chdir(tmp_path), pytest.raises(NotConfigured, match="no running Vigil") as missing:
        endpoints.find(tmp_path / "elsewhere")
    assert str(tmp_path / "elsewhere" / FILE) in missing.value.message
    assert "--gateway URL" in missing.value.next_step


@pytest.mark.parametrize("text", ['{"nonsense": 1}', "[]", "{", ""])
def test_a_file_that_vigil_up_did_not_write(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(NotConfigured, match="not what vigil up writes"):
        endpoints.find(tmp_path)
