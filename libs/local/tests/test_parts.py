"""Ports, lock, guard, secrets and the plan: by value and property."""

import json
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract.services import SERVICES
from vigil_local.errors import AlreadyRunning, LocalError, Missing, PortInUse
from vigil_local.supervisor import guard, lock, ports, redis_config, secrets
from vigil_local.supervisor.layout import Binaries
from vigil_local.supervisor.plan import PREFERRED_PORTS, LocalEngine, Options, RemoteEngine, make_plan
from vigil_local.supervisor.stack import UpOptions, prepare


def test_a_taken_port_is_named_with_its_user() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        base = port - 1 if port > 1025 else port
        names = ["gateway", "nats"] if base < port else ["nats"]
        with pytest.raises(PortInUse, match=rf"{port} \(nats\)"):
            ports.explicit(names, base)


def test_preferred_ports_yield_to_their_holders() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        held = taken.getsockname()[1]
        chosen = ports.chosen({"gateway": held, "nats": held})
        assert held not in chosen.values()
        assert len(set(chosen.values())) == 2


@pytest.mark.parametrize("base", [0, 80, 65_535])
def test_a_port_base_out_of_range(base: int) -> None:
    with pytest.raises(PortInUse, match="outside"):
        ports.explicit(["gateway"], base)


def test_one_holder_per_directory(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with lock.held(path), pytest.raises(AlreadyRunning, match=r"already runs .*process \d+"), lock.held(path):
        pytest.fail("held twice")
    with lock.held(path):
        assert int(path.read_text()) > 0


@given(st.lists(st.integers(2, 500), max_size=30), st.data())
def test_the_guard_keeps_exactly_what_was_not_taken_away(added: list[int], data: st.DataObject) -> None:
    gone = data.draw(st.lists(st.sampled_from(added), unique=True)) if added else []
    lines = [f"+{group}\n" for group in added] + [f"-{group}\n" for group in gone]
    assert guard.groups_left(lines) == set(added) - set(gone)


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = secrets.load_or_create(path)
    assert secrets.load_or_create(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({made.nats_password, made.redis_password, made.api_key}) == 3
    assert made.api_key not in repr(made)
    assert made.api_key not in secrets.key_file(made.api_key)
    path.write_text("[]")
    with pytest.raises(LocalError, match="not what vigil up writes"):
        secrets.load_or_create(path)


def test_redis_keeps_every_write_and_lets_only_its_password_in(tmp_path: Path) -> None:
    lines = redis_config.render(6390, tmp_path, "pw").splitlines()
    assert {"bind 127.0.0.1", "port 6390", "requirepass pw", "appendonly yes", "appendfsync always"} <= set(lines)


def options(tmp_path: Path, engine: LocalEngine | RemoteEngine, webhooks: Path | None = None) -> Options:
    return Options(
        data_dir=tmp_path,
        temporary_dir=tmp_path / "t",
        engine=engine,
        model="small",
        profile="vigil-small",
        ports=PREFERRED_PORTS,
        binaries=Binaries(
            Path("/b/nats-server"),
            Path("/b/redis-server"),
            {row.name: Path(f"/b/{row.program}") for row in SERVICES},
        ),
        secrets=secrets.Secrets("nats-pw", "redis-pw", "key"),
        environment={"HOME": "/h"},
        webhooks=webhooks,
    )


def test_the_plan_wires_everything_together(tmp_path: Path) -> None:
    plan = make_plan(options(tmp_path, LocalEngine(Path("/e/python"), Path("/e/serve.sh"), Path("/m/small"))))
    specs = {spec.name: spec for spec in plan.specs}
    assert list(specs) == ["nats", "redis", "engine", "ingestion", "codec", "interaction", "gateway"]
    assert specs["engine"].argv == ("bash", "/e/serve.sh", "/m/small", "small")
    assert specs["engine"].needs == ()
    assert specs["gateway"].needs == ("nats", "redis")
    assert specs["gateway"].tier > specs["engine"].tier > specs["nats"].tier
    gateway, worker = specs["gateway"].env, specs["interaction"].env
    password = secrets.Secrets("nats-pw", "", "").nats_password_of("gateway")
    assert gateway["VIGIL_NATS_URL"] == f"nats://gateway:{password}@127.0.0.1:4222"
    assert worker["VIGIL_NATS_URL"].startswith("nats://interaction:")
    assert gateway["VIGIL_REDIS_URL"] == "redis://:redis-pw@127.0.0.1:6379/0"
    assert gateway["VIGIL_INGESTION_GRPC"] == f"127.0.0.1:{specs['ingestion'].env['VIGIL_GRPC_PORT']}"
    assert Path(gateway["VIGIL_API_KEYS_FILE"]) in plan.files
    assert worker["VIGIL_ENGINE_URLS"] == plan.endpoints.engine_url == "http://127.0.0.1:8000"
    assert (worker["VIGIL_HTTP_PORT"], worker["VIGIL_GRPC_PORT"]) == ("9103", "9203")
    assert worker["HOME"] == "/h"
    assert worker["VIGIL_ENGINE_IMAGES_GB"] == specs["engine"].env["VIGIL_ENGINE_IMAGES_GB"]


def test_a_remote_engine_is_not_started(tmp_path: Path) -> None:
    plan = make_plan(options(tmp_path, RemoteEngine(("http://gpu:8000/", "http://other:8000"))))
    specs = {spec.name: spec for spec in plan.specs}
    assert "engine" not in specs
    assert "VIGIL_ENGINE_IMAGES_GB" not in specs["interaction"].env
    assert specs["interaction"].env["VIGIL_ENGINE_URLS"] == "http://gpu:8000,http://other:8000"
    assert plan.endpoints.engine_url == "http://gpu:8000,http://other:8000"


def test_the_webhook_bridge_runs_when_it_has_endpoints(tmp_path: Path) -> None:
    plan = make_plan(options(tmp_path, RemoteEngine(("http://gpu:8000",)), Path("/h/webhooks.json")))
    bridge = next(spec for spec in plan.specs if spec.name == "webhook")
    assert bridge.argv == ("/b/vigil-webhook",)
    assert bridge.needs == ("nats",)
    assert bridge.env["VIGIL_WEBHOOKS_FILE"] == "/h/webhooks.json"
    assert bridge.env["VIGIL_HTTP_PORT"] == str(PREFERRED_PORTS["webhook"])
    assert "VIGIL_GRPC_PORT" not in bridge.env


def test_what_is_missing_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="--engine-url needs --model"):
        prepare(UpOptions(tmp_path, engine_url="http://gpu:8000"), tmp_path, tmp_path)
    with pytest.raises(Missing, match="engine environment is not there"):
        prepare(UpOptions(tmp_path, engine_python=tmp_path / "python"), tmp_path, tmp_path)
    with pytest.raises(Missing, match=r"there is no file .*webhooks\.json"):
        prepare(UpOptions(tmp_path, "http://gpu:8000", "m", webhooks=tmp_path / "webhooks.json"), tmp_path, tmp_path)
    python = tmp_path / "python"
    python.touch()
    with pytest.raises(Missing, match=r"no config\.json"):
        prepare(UpOptions(tmp_path, engine_python=python), tmp_path, tmp_path)


def test_prepared_files_are_private(tmp_path: Path) -> None:
    plan = prepare(UpOptions(tmp_path, engine_url="http://127.0.0.1:9", model="m"), tmp_path, tmp_path)
    for path in plan.files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = json.loads((tmp_path / "api-keys.json").read_text())
    assert keys["keys"][0]["tenant"] == plan.endpoints.tenant == "demo"
