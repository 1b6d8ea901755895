"""`vigil doctor`: each check by value, and the command as a process."""

import re
from pathlib import Path

from vigil.contract.services import SERVICES
from vigil_client.endpoints import FILE, Endpoints, write
from vigil_client.testing.command import vigil
from vigil_local.commands import doctor
from vigil_local.supervisor.layout import repository


async def test_the_doctor_exits_with_a_status(tmp_path: Path) -> None:
    missing = ("--model-dir", str(tmp_path), "--engine-python", str(tmp_path / "python"), "--data-dir", str(tmp_path))
    result = await vigil("doctor", *missing)
    assert result.status == 1
    assert "problem  model" in result.output
    assert "problem  engine" in result.output
    assert "ok       nats-server" in result.output
    assert "2 to mend" in result.output


def test_every_make_target_that_is_advised_is_there() -> None:
    root = repository()
    assert root is not None
    sources = "".join(path.read_text() for path in (root / "libs/local/vigil_local").rglob("*.py"))
    advised = set(re.findall(r"`make ([a-z-]+)`", sources))
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert {"workspace", "engine", "system"} <= advised <= targets


def test_the_doctor_names_the_packages_that_the_set_up_installs() -> None:
    root = repository()
    assert root is not None
    listed = re.search(r"^packages=\((.*)\)$", (root / "deploy/system-packages.sh").read_text(), re.MULTILINE)
    assert listed is not None
    assert tuple(listed[1].split()) == doctor.RTSP_PACKAGES


async def test_the_doctor_names_what_to_mend(tmp_path: Path) -> None:
    assert not doctor.python_version((3, 10)).ok
    assert doctor.python_version((3, 11)).ok
    model = doctor.model(tmp_path)
    assert not model.ok
    assert "config.json" in model.detail
    for name in doctor.MODEL_FILES:
        (tmp_path / name).touch()
    assert "safetensors" in doctor.model(tmp_path).detail
    (tmp_path / "model.safetensors").write_bytes(b"x" * 1_000_000)
    assert doctor.model(tmp_path).detail.endswith("(1 MB of weights)")
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 8 kB\nMemAvailable: 1048576 kB\n")
    assert doctor.memory(meminfo) == doctor.Check("memory", False, "1.0 GiB available", doctor.memory(meminfo).mend)
    assert not (await doctor.engine_environment(tmp_path / "python")).ok
    assert (await doctor.running_vigil(tmp_path))[-1].optional


async def test_the_doctor_finds_a_vigil_that_is_gone(tmp_path: Path, two_ports: list[int]) -> None:
    gone = f"127.0.0.1:{two_ports[0]}"
    write(
        tmp_path / FILE,
        Endpoints(
            f"http://{gone}",
            f"nats://{gone}",
            "k",
            engine_url=f"http://{gone}",
            redis_port=1,
            ready_urls={row.name: f"http://{gone}{row.ready_path}" for row in SERVICES},
        ),
    )
    checks = await doctor.running_vigil(tmp_path)
    assert [check.name for check in checks[: len(SERVICES)]] == [f"{row.name} up" for row in SERVICES]
    assert [check.name for check in checks[len(SERVICES) :]] == ["NATS", "NATS port", "Redis", "engine up"]
    assert not any(check.ok for check in checks)
    assert all("vigil up" in check.mend for check in checks)
