"""What `vigil up` runs, worked out from its options and the rows of the services."""

import contextlib
import json
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of
from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import GATEWAY, SERVICES, WEBHOOK
from vigil_local.errors import Missing, PortInUse
from vigil_local.supervisor import ports
from vigil_local.supervisor.layout import Binaries
from vigil_local.supervisor.plan import (
    PREFERRED_PORTS,
    SPEECH,
    LocalEngine,
    Options,
    Plan,
    RemoteEngine,
    make_plan,
    rows,
)
from vigil_local.supervisor.stack import UpOptions, prepare
from vigil_local.supervisor.store_server import StoreServer
from vigil_provision import key_file
from vigil_provision.errors import ProvisionError
from vigil_provision.secrets import Secrets

LOCAL = LocalEngine(Path("/e/python"), Path("/e/serve.sh"), Path("/m/small"))
REMOTE = RemoteEngine(("http://gpu:8000",))
HOOKS = Path("/h/webhooks.json")
SPEECH_FOLDER = Path("/s/.venv-speech")
BY_NAME = pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)


STORE = StoreServer(Path("/b/redis-server"), "Redis", (8, 2, 3))


def options(
    tmp_path: Path,
    engine: LocalEngine | RemoteEngine,
    webhooks: Path | None = None,
    store: StoreServer = STORE,
    console: Path | None = None,
    speech: Path | None = None,
) -> Options:
    return Options(
        data_dir=tmp_path,
        temporary_dir=tmp_path / "t",
        engine=engine,
        model="small",
        profile="vigil-small",
        ports=PREFERRED_PORTS,
        binaries=Binaries(
            Path("/b/nats-server"),
            store,
            {row.name: Path(f"/b/{row.program}") for row in SERVICES},
        ),
        secrets=Secrets("nats-pw", "redis-pw", "key"),
        environment={"HOME": "/h"},
        webhooks=webhooks,
        console=console,
        speech=speech,
    )


def test_the_gateway_serves_the_console_where_it_was_built(tmp_path: Path) -> None:
    without, with_console = (make_plan(options(tmp_path, LOCAL, console=folder)) for folder in (None, Path("/c/dist")))
    environments = [{spec.name: spec.env for spec in plan.specs} for plan in (without, with_console)]
    assert "VIGIL_CONSOLE_DIR" not in environments[0]["gateway"]
    assert environments[1]["gateway"]["VIGIL_CONSOLE_DIR"] == "/c/dist"
    assert "VIGIL_CONSOLE_DIR" not in environments[1]["ingestion"]
    assert [environments[1][name].get("VIGIL_AGENT_DOORS") for name in ("gateway", "ingestion")] == ["true", None]
    assert without.endpoints.console_url == ""
    assert with_console.endpoints.console_url == f"{with_console.endpoints.gateway_url}/"


def test_the_plan_wires_everything_together(tmp_path: Path) -> None:
    plan = make_plan(options(tmp_path, LOCAL))
    specs = {spec.name: spec for spec in plan.specs}
    assert list(specs) == ["nats", "redis", "engine", "ingestion", "codec", "interaction", "memory", "brain", "gateway"]
    assert specs["engine"].argv == ("bash", "/e/serve.sh", "/m/small", "small")
    assert specs["engine"].needs == ()
    assert specs["gateway"].needs == ("nats", "redis")
    assert specs["gateway"].tier > specs["engine"].tier > specs["nats"].tier
    gateway, worker = specs["gateway"].env, specs["interaction"].env
    password = Secrets("nats-pw", "", "").nats_password_of("gateway")
    assert gateway["VIGIL_NATS_URL"] == f"nats://gateway:{password}@127.0.0.1:4222"
    assert worker["VIGIL_NATS_URL"].startswith("nats://interaction:")
    password = Secrets("", "redis-pw", "").redis_password_of("gateway")
    assert gateway["VIGIL_REDIS_URL"] == f"redis://gateway:{password}@127.0.0.1:6379/0"
    assert gateway["VIGIL_INGESTION_GRPC"] == f"127.0.0.1:{specs['ingestion'].env['VIGIL_GRPC_PORT']}"
    assert gateway["VIGIL_API_KEYS_FILE"] == str(tmp_path / "api-keys.json")
    assert worker["VIGIL_ENGINE_URLS"] == plan.endpoints.engine_url == "http://127.0.0.1:8000"
    assert gateway["VIGIL_GRPC_PORT"] == "9200"
    assert plan.endpoints.gateway_grpc == "127.0.0.1:9200"
    assert (worker["VIGIL_HTTP_PORT"], worker["VIGIL_GRPC_PORT"]) == ("9103", "9203")
    assert worker["HOME"] == "/h"
    assert gateway["VIGIL_RENDERED_SOURCES"] == (tmp_path / "demo.mp4").as_uri()
    assert worker["VIGIL_ENGINE_IMAGES_GB"] == specs["engine"].env["VIGIL_ENGINE_IMAGES_GB"]


def test_a_remote_engine_is_not_started(tmp_path: Path) -> None:
    plan = make_plan(options(tmp_path, RemoteEngine(("http://gpu:8000/", "http://other:8000"))))
    specs = {spec.name: spec for spec in plan.specs}
    assert "engine" not in specs
    assert "VIGIL_ENGINE_IMAGES_GB" not in specs["interaction"].env
    assert specs["interaction"].env["VIGIL_ENGINE_URLS"] == "http://gpu:8000,http://other:8000"
    assert plan.endpoints.engine_url == "http://gpu:8000,http://other:8000"


def test_a_store_with_a_critical_flaw_runs_with_a_warning(tmp_path: Path) -> None:
    flawed = StoreServer(Path("/usr/bin/redis-server"), "Redis", (7, 2, 4))
    plan = make_plan(options(tmp_path, REMOTE, store=flawed))
    assert next(spec for spec in plan.specs if spec.name == "redis").argv[0] == "/usr/bin/redis-server"
    (warning,) = plan.warnings
    assert warning.startswith("/usr/bin/redis-server is Redis 7.2.4: ")
    assert "CVE-2025-49844" in warning
    assert make_plan(options(tmp_path, REMOTE)).warnings == ()


def test_the_webhook_bridge_runs_when_it_has_endpoints(tmp_path: Path) -> None:
    plan = make_plan(options(tmp_path, REMOTE, HOOKS))
    bridge = next(spec for spec in plan.specs if spec.name == "webhook")
    assert bridge.argv == ("/b/vigil-webhook",)
    assert bridge.needs == ("nats",)
    assert bridge.env["VIGIL_WEBHOOKS_FILE"] == "/h/webhooks.json"
    assert bridge.env["VIGIL_HTTP_PORT"] == str(PREFERRED_PORTS["webhook"])
    assert "VIGIL_GRPC_PORT" not in bridge.env


def test_the_services_of_speech_run_when_they_are_asked_for(tmp_path: Path) -> None:
    plan = make_plan(options(tmp_path, REMOTE, speech=SPEECH_FOLDER))
    hearing = next(spec for spec in plan.specs if spec.name == "asr")
    assert hearing.argv == ("/b/vigil-asr",)
    assert hearing.env["VIGIL_ASR_FOLDER"] == "/s/.venv-speech"
    voice = next(spec for spec in plan.specs if spec.name == "tts")
    assert voice.argv == ("/b/vigil-tts",)
    assert voice.env["VIGIL_TTS_FOLDER"] == "/s/.venv-speech"
    assert {"asr", "tts"} <= set(plan.endpoints.ready_urls)


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


def variables(plan: Plan, name: str) -> dict[str, str]:
    """The variables of Vigil that a process gets."""
    spec = next(spec for spec in plan.specs if spec.name == name)
    return {key: value for key, value in spec.env.items() if key.startswith("VIGIL_")}


@BY_NAME
def test_a_service_is_given_exactly_what_its_row_asks_for(tmp_path: Path, row: ServiceSpec) -> None:
    plan = make_plan(options(tmp_path, LOCAL, HOOKS, speech=SPEECH_FOLDER))
    of_this_machine = {"VIGIL_AGENT_DOORS"} if row.name == "gateway" else set()
    assert set(variables(plan, row.name)) == set(row.variables) | of_this_machine
    remote = make_plan(options(tmp_path, REMOTE, HOOKS, speech=SPEECH_FOLDER))
    assert set(row.variables) - set(variables(remote, row.name)) <= {"VIGIL_ENGINE_IMAGES_GB"}


@BY_NAME
def test_a_service_has_a_process_a_gate_and_an_address(tmp_path: Path, row: ServiceSpec) -> None:
    plan = make_plan(options(tmp_path, LOCAL, HOOKS, speech=SPEECH_FOLDER))
    spec = next(spec for spec in plan.specs if spec.name == row.name)
    assert spec.argv == (f"/b/{row.program}",)
    assert spec.needs == (("nats", "redis") if row.uses_redis else ("nats",))
    assert plan.endpoints.ready_urls[row.name] == f"http://127.0.0.1:{row.http_port}/readyz"


def acme_key() -> ApiKey:
    return ApiKey(digest_of("pager"), "acme", KeyRole.VIEWER, "pager")


def test_a_second_start_does_not_erase_a_second_tenants_key(tmp_path: Path) -> None:
    options = UpOptions(tmp_path, engine_url="http://127.0.0.1:9", model="m")
    prepare(options, tmp_path, tmp_path)
    path = tmp_path / key_file.FILE
    key_file.change(path, lambda keys: (*keys, acme_key()))
    plan = prepare(options, tmp_path, tmp_path)
    assert acme_key() in key_file.read(path)
    assert '"tenant-acme"' in plan.files[tmp_path / "nats.conf"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_file_that_cannot_be_used_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / key_file.FILE
    path.write_text("not json")
    with pytest.raises(ProvisionError, match=r"cannot be used: it is not valid .*"):
        prepare(UpOptions(tmp_path, engine_url="http://127.0.0.1:9", model="m"), tmp_path, tmp_path)
    assert path.read_text() == "not json"


@BY_NAME
def test_a_service_has_a_nats_user_with_the_password_that_it_is_given(tmp_path: Path, row: ServiceSpec) -> None:
    plan = make_plan(options(tmp_path, LOCAL, HOOKS, speech=SPEECH_FOLDER))
    user, _, password = (
        variables(plan, row.name)["VIGIL_NATS_URL"].removeprefix("nats://").partition("@")[0].partition(":")
    )
    accounts = next(line for line in plan.files[tmp_path / "nats.conf"].splitlines() if line.startswith("accounts: "))
    users = {entry["user"]: entry for entry in json.loads(accounts.removeprefix("accounts: "))["VIGIL"]["users"]}
    assert user == row.name
    assert users[user]["password"] == password
    assert set(row.bus.publishes) <= set(users[user]["permissions"]["publish"]["allow"])
    assert "permissions" not in users["operator"]


def test_no_two_users_have_one_password() -> None:
    made = Secrets("nats-pw", "redis-pw", "key")
    users = [*(row.name for row in SERVICES), "operator", "system", "tenant-demo"]
    passwords = [*map(made.nats_password_of, users), *map(made.redis_password_of, users)]
    assert len(set(passwords)) == 2 * len(users)


def test_no_secret_is_on_a_command_line(tmp_path: Path) -> None:
    """Every user of the machine can read the command lines of all processes."""
    plan = make_plan(options(tmp_path, LOCAL, HOOKS, speech=SPEECH_FOLDER))
    lines = " ".join(part for spec in plan.specs for part in spec.argv)
    assert not [secret for secret in ("nats-pw", "redis-pw", "key") if secret in lines.split()]
    assert Secrets("nats-pw", "", "").nats_password_of(GATEWAY.name) not in lines


def test_only_what_is_on_request_is_left_out() -> None:
    running = {row.name for row in rows(webhooks=False, speech=False)}
    assert {row.name for row in SERVICES} - running == {WEBHOOK.name, *(row.name for row in SPEECH)}
    assert rows(webhooks=True, speech=True) == SERVICES


def test_every_port_of_every_row_is_preferred_and_taken_once() -> None:
    wanted = {name: port for row in SERVICES for name, port in ports.ports_of(row).items()}
    assert wanted.items() <= PREFERRED_PORTS.items()
    assert len(set(PREFERRED_PORTS.values())) == len(PREFERRED_PORTS)


def test_a_port_base_counts_from_the_gateway_and_skips_what_does_not_run(tmp_path: Path) -> None:
    base = free_base(len(PREFERRED_PORTS))
    remote = UpOptions(tmp_path, engine_url="http://127.0.0.1:9", model="m", port_base=base)
    plan = prepare(remote, tmp_path, tmp_path)
    assert plan.endpoints.gateway_url == f"http://127.0.0.1:{base}"
    used = {int(url.rpartition(":")[2].partition("/")[0]) for url in plan.endpoints.ready_urls.values()}
    assert used <= set(range(base, base + len(PREFERRED_PORTS) - 2))  # neither the engine nor what is on request


def test_a_usual_port_that_somebody_has_is_told_unless_others_were_asked_for(tmp_path: Path) -> None:
    usual = UpOptions(tmp_path, engine_url="http://127.0.0.1:9", model="m")
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody else has it
            stack.enter_context(socket.create_server(("127.0.0.1", PREFERRED_PORTS["gateway"])))
        assert f"{PREFERRED_PORTS['gateway']} (gateway: " in prepare(usual, tmp_path, tmp_path).moved
    based = replace(usual, port_base=free_base(len(PREFERRED_PORTS)))
    assert prepare(based, tmp_path, tmp_path).moved == ""


def free_base(count: int) -> int:
    """The first of so many ports in a row that nothing listens on."""
    return next(base for base in range(20_000, 32_000, count) if all(map(ports.is_free, range(base, base + count))))


@pytest.mark.parametrize("url", ["http://one:8000,http://two:8000/", " http://one:8000 , http://two:8000 "])
def test_several_engines_are_one_pool(tmp_path: Path, url: str) -> None:
    plan = prepare(UpOptions(tmp_path, engine_url=url, model="m"), tmp_path, tmp_path)
    assert plan.endpoints.engine_url == "http://one:8000,http://two:8000"


def test_a_port_base_out_of_range_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(PortInUse, match="outside"):
        prepare(UpOptions(tmp_path, engine_url="http://gpu:8000", model="m", port_base=80), tmp_path, tmp_path)
    assert not (tmp_path / "nats.conf").exists()
