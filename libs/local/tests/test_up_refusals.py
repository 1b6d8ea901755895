"""`vigil up`: what it refuses before anything is started, and its help."""

from pathlib import Path

from vigil_client.endpoints import FILE
from vigil_client.testing.command import vigil
from vigil_local.testing.servers import UpNats


async def test_up_says_what_is_missing(tmp_path: Path) -> None:
    result = await vigil("up", "--data-dir", str(tmp_path), "--engine-python", str(tmp_path / "no-python"))
    assert result.status == 1
    assert "engine environment is not there" in result.output
    assert "make engine" in result.output
    assert not (tmp_path / FILE).exists()


async def test_up_says_which_port_is_in_use(tmp_path: Path, up_nats: UpNats) -> None:
    port = up_nats.open_url.rpartition(":")[2]
    remote = ("--engine-url", "http://127.0.0.1:9", "--model", "m")
    result = await vigil("up", "--data-dir", str(tmp_path), *remote, "--port-base", str(int(port) - 1))
    assert result.status == 1
    assert f"{port} (nats)" in result.output


async def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    remote = ("--engine-url", "http://127.0.0.1:9", "--model", "m")
    result = await vigil("up", "--data-dir", str(tmp_path / "file" / "run"), *remote)
    assert result.status == 1
    assert "Not a directory" in result.output


async def test_help_teaches_by_example() -> None:
    for command in ("up", "demo"):
        result = await vigil(command, "--help")
        assert result.status == 0
        assert f"  vigil {command}" in result.output.partition("Examples:")[2]
