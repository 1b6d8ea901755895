"""The compose files: by the rules of the Compose specification, by the rows of the services, by what is safe."""

import json
import re
from functools import cache
from itertools import chain
from typing import Any

import composition
import pytest
from composition import BASE, DEPLOY, deployment, layers
from test_services import settings_of

from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import SERVICES
from vigil.runtime.process.config import ServiceSettings
from vigil_client.commands.hints import VARIABLE
from vigil_gateway.http.proxy_header import proxies_of
from vigil_local.commands.compose_containers import PORT_VARIABLES

FILES = [BASE, *layers()]
# The keys of a service in the Compose specification that are of use here; any other is a slip of the pen.
_KEYS = """
image command entrypoint environment env_file user read_only tmpfs cap_drop security_opt logging restart
stop_grace_period stop_signal depends_on healthcheck networks network_mode ports expose volumes secrets configs
mem_limit pids_limit shm_size profiles deploy extra_hosts labels init working_dir ulimits scale pull_policy
"""
KEYS = frozenset(_KEYS.split())
HEALTH_KEYS = frozenset(("test", "interval", "timeout", "retries", "start_period"))
TOP = frozenset(("name", "services", "networks", "volumes", "secrets", "configs"))
EXACT_TAG = re.compile(r"^[\w./-]+:v?\d+(\.\d+)+[\w.-]*$")
SECRET_NAME = re.compile(r"PASSWORD|SECRET(?!S_DIR)|API_KEY(?!S_FILE)|TOKEN(?!_PATH)|NATS_URL|REDIS_URL", re.IGNORECASE)
UNITS = {"m": 1, "g": 1024}

each_file = pytest.mark.parametrize("name", FILES)
each_row = pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)


def with_layer(name: str) -> dict[str, Any]:
    """The deployment that this file is for: the base, or the base with that layer."""
    return deployment(*(() if name == BASE else (name,)))


@cache
def services(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = with_layer(name)["services"]
    return found


def lasting(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Those that go on running; the others do one task and end."""
    return {name: service for name, service in found.items() if service.get("restart", "no") != "no"}


def mib(size: str) -> int:
    return int(size[:-1]) * UNITS[size[-1]]


def volume_names(service: dict[str, Any]) -> list[str]:
    """The named volumes that a service mounts."""
    texts = (
        volume["source"] if isinstance(volume, dict) else volume.split(":")[0] for volume in service.get("volumes", ())
    )
    return [text for text in texts if not text.startswith((".", "/"))]


# --- the specification ------------------------------------------------------------------------------------------------


@each_file
def test_only_keys_of_the_specification_are_used(name: str) -> None:
    file = composition.raw(name)
    assert {key for key in file if not key.startswith("x-")} <= TOP
    for service in file["services"].values():
        assert set(service) <= KEYS
        assert set(service.get("healthcheck", {})) <= HEALTH_KEYS


def test_a_worker_is_not_called_unwell_while_its_engine_starts_again() -> None:
    """`docker compose up` would give up what waits for the worker, instead of waiting with it."""
    services = with_layer(BASE)["services"]
    engine, worker = services["engine"]["healthcheck"], services["interaction"]["healthcheck"]
    assert worker["retries"] * seconds(worker["interval"]) >= seconds(engine["start_period"])


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


@each_file
def test_every_variable_has_a_value_or_says_what_is_missing(name: str) -> None:
    for found in composition.variables(name):
        if found["kind"] == ":?":
            assert len(found["rest"]) > 10, f"{found['name']}: say what to set"
        else:
            assert found["kind"] == ":-" or found["name"] in composition.defaults(), found["name"]


def test_every_variable_of_the_env_file_is_used() -> None:
    used = {found["name"] for name in FILES for found in composition.variables(name)}
    assert set(composition.defaults()) - {"COMPOSE_PROFILES"} <= used


@each_file
def test_what_is_named_is_there(name: str) -> None:
    whole = with_layer(name)
    found = whole["services"]
    mounted = set(chain.from_iterable(volume_names(service) for service in found.values()))
    assert mounted == set(whole["volumes"])
    networks = set(chain.from_iterable(service.get("networks", ()) for service in found.values()))
    assert networks == set(whole["networks"])
    for service in found.values():
        assert set(service.get("depends_on", {})) <= set(found)
        assert set(service.get("secrets", ())) <= set(whole.get("secrets", {}))


@each_file
def test_what_is_waited_for_can_come(name: str) -> None:
    found = services(name)
    for service in found.values():
        for other, wait in service.get("depends_on", {}).items():
            match wait["condition"]:
                case "service_healthy":
                    assert "healthcheck" in found[other], f"{other} has no health check"
                case "service_completed_successfully":
                    assert found[other].get("restart", "no") == "no", f"{other} never completes"
                case condition:
                    raise AssertionError(f"{other}: {condition} waits for nothing")


@pytest.mark.skipif(
    not composition.plugin(), reason="no `docker compose` here: the rules above were checked without it"
)
@each_file
def test_compose_reads_it(name: str) -> None:
    result = composition.config(*(() if name == BASE else (name,)))
    assert result.returncode == 0, result.stderr
    read = json.loads(result.stdout)
    assert read["name"] == "vigil"
    assert {"nats", "redis", "gateway", "proxy"} <= set(read["services"])


# --- what is safe -----------------------------------------------------------------------------------------------------


@each_file
def test_no_container_can_do_more_than_it_must(name: str) -> None:
    for label, service in services(name).items():
        assert service["read_only"] is True, label
        assert service["cap_drop"] == ["ALL"], label
        assert "no-new-privileges:true" in service["security_opt"], label
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), f"{label} runs as root"
        assert 0 < service["pids_limit"] <= 4_096, f"{label} may take all processes of the machine"
        assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(service), label
        assert service.get("network_mode", "none") == "none", label
        assert "docker.sock" not in json.dumps(service), label


def test_our_containers_run_as_one_user() -> None:
    assert {service["user"] for service in services(BASE).values()} == {"10001:10001"}


def test_the_commands_for_people_know_how_they_are_typed() -> None:
    found = {name for name, service in services(BASE).items() if VARIABLE in service.get("environment", {})}
    assert found == {name for name, service in services(BASE).items() if service.get("profiles") == ["tools"]} | {
        "demo"
    }
    for name in found:
        assert services(BASE)[name]["environment"][VARIABLE] == f"docker compose -f deploy/{BASE}"


@each_file
def test_every_image_has_an_exact_tag(name: str) -> None:
    for label, service in services(name).items():
        assert EXACT_TAG.fullmatch(service["image"]), f"{label}: {service['image']}"


@each_file
def test_logs_are_rotated_and_memory_is_limited(name: str) -> None:
    for label, service in services(name).items():
        assert set(service["logging"]["options"]) >= {"max-size", "max-file"}, label
        assert mib(service["mem_limit"]) > 0, label


@each_file
def test_what_goes_on_running_has_a_health_check_and_comes_back(name: str) -> None:
    for label, service in lasting(services(name)).items():
        assert service["healthcheck"]["test"][0] == "CMD", label
        assert service["restart"] == "unless-stopped", label


def test_nothing_is_published_but_the_gateway_and_nats() -> None:
    published = {label: service["ports"] for label, service in services(BASE).items() if "ports" in service}
    assert published == {
        "proxy": ["127.0.0.1:8080:8080", "127.0.0.1:9200:9200"],
        "nats": ["127.0.0.1:4222:4222"],
    }


def test_doctor_knows_the_variable_of_every_published_port() -> None:
    found = {}
    for name, service in chain.from_iterable(composition.raw(file)["services"].items() for file in FILES):
        for port in service.get("ports", ()):
            if match := re.search(r"\$\{(VIGIL_PUBLISH_\w+):-\d+\}:(\d+)$", str(port)):
                found[name, int(match[2])] = match[1]
    assert found == PORT_VARIABLES


@each_file
def test_a_layer_publishes_on_loopback_alone(name: str) -> None:
    for label, service in services(name).items():
        for port in service.get("ports", ()):
            assert label == "proxy" or str(port).startswith("127.0.0.1:"), f"{label}: {port}"


def test_what_has_no_business_outside_is_on_the_inner_network_alone() -> None:
    whole = with_layer(BASE)
    assert whole["networks"]["inside"] == {"internal": True}
    out = {label for label, service in whole["services"].items() if "outside" in service.get("networks", ())}
    assert out == {"proxy", "nats", "ingestion", "webhook"}


@each_file
def test_no_secret_is_in_an_environment(name: str) -> None:
    for label, service in services(name).items():
        named = {variable for variable in service.get("environment", {}) if SECRET_NAME.search(variable)}
        assert not named, f"{label}: {named}"
        assert not re.search(r"://[^/\s]*:[^/\s]*@", json.dumps(service)), label


def test_every_reader_has_its_secrets_alone() -> None:
    found = services(BASE)
    for row in SERVICES:
        mounts = [str(volume) for volume in found[row.name]["volumes"] if "secrets" in str(volume)]
        assert mounts == [f"{row.name}-secrets:/run/secrets/vigil:ro"]
    operators = {label for label, service in found.items() if "streams-secrets" in volume_names(service)}
    assert operators == {"provision", "keys", "modules", "streams"}, "NATS with the operator's rights"
    everything = {label for label, service in found.items() if "site" in volume_names(service)}
    assert everything == {"provision", "keys", "modules"}


# --- the rows ---------------------------------------------------------------------------------------------------------


@each_row
def test_a_service_has_the_block_of_its_row(row: ServiceSpec) -> None:
    service = services(BASE)[row.name]
    assert service["image"] == f"vigil-{row.name}:{composition.defaults()['VIGIL_VERSION']}"
    assert mib(service["mem_limit"]) == row.resources.memory_mib
    assert service["healthcheck"]["test"][-1] == f"http://127.0.0.1:{row.http_port}{row.ready_path}"
    assert ("profiles" in service) == row.on_request


@each_row
def test_a_service_is_given_what_its_row_asks_for(row: ServiceSpec) -> None:
    environment = services(BASE)[row.name]["environment"]
    from_files = {"VIGIL_NATS_URL", "VIGIL_REDIS_URL"}
    assert set(row.variables) - from_files <= set(environment)
    known = {f"VIGIL_{field.upper()}" for field in settings_of(row).model_fields} | {"VIGIL_SECRETS_DIR"}
    assert set(environment) <= known, "a variable that is no setting of the service"
    assert environment["VIGIL_HTTP_PORT"] == str(row.http_port)
    assert environment.get("VIGIL_GRPC_PORT") == (str(row.grpc_port) if row.grpc_port else None)
    assert environment.get("VIGIL_METRICS_PORT") == (str(row.metrics_port) if row.metrics_port else None)


@pytest.mark.parametrize("setting", ["model", "profile"])
def test_another_model_replaces_the_containers_that_read_it_and_no_others(setting: str) -> None:
    before = services(BASE)
    after: dict[str, dict[str, Any]] = deployment(**{f"VIGIL_{setting.upper()}": "another"})["services"]
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {row.name for row in SERVICES if setting in settings_of(row).model_fields}


@each_row
def test_a_service_may_take_longer_to_stop_than_its_drain(row: ServiceSpec) -> None:
    drain_s = float(ServiceSettings.model_fields["drain_s"].default)
    assert int(services(BASE)[row.name]["stop_grace_period"].removesuffix("s")) > 2 * drain_s


def test_the_proxy_leads_to_the_ports_of_the_gateway() -> None:
    text = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    row = next(row for row in SERVICES if row.name == "gateway")
    assert set(re.findall(r"gateway:(\d+)", text)) == {str(row.http_port), str(row.grpc_port)}
    assert set(re.findall(r"bind :(\d+)", text)) == {str(row.http_port), str(row.grpc_port)}
    assert set(re.findall(r"check.* port (\d+)", text)) == {str(row.http_port), str(row.scraped_port)}


def test_the_gateway_believes_the_proxy_whose_connections_it_brings() -> None:
    text = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    assert "gateway:8080 send-proxy-v2\n" in text
    assert text.count("check check-send-proxy ") == text.count("port 8080 ") == 2, "health checks ask the same port"
    assert "gateway:9200\n" in text, "the gRPC server reads no such header"
    proxies = proxies_of(services(BASE)["gateway"]["environment"]["VIGIL_TRUSTED_PROXIES"])
    assert "172.18.0.5" in proxies
    assert "127.0.0.1" not in proxies, "the container's own health check says nothing before its request"


def test_the_version_is_that_of_the_packages() -> None:
    text = (DEPLOY.parent / "pyproject.toml").read_text()
    assert f'version = "{composition.defaults()["VIGIL_VERSION"]}"' in text


# --- the GPU layer ----------------------------------------------------------------------------------------------------


def test_the_gpu_layer_serves_pinned_weights_on_a_reserved_gpu() -> None:
    engine = deployment("compose.gpu.yaml", VIGIL_MODEL="Qwen/Qwen3-VL-8B-Instruct")["services"]["engine"]
    assert engine["image"].startswith("vllm/vllm-openai:v")
    assert f"--revision={composition.EXAMPLES['VIGIL_MODEL_REVISION']}" in engine["command"]
    assert "--model=Qwen/Qwen3-VL-8B-Instruct" in engine["command"]
    assert engine["deploy"]["resources"]["reservations"]["devices"][0]["driver"] == "nvidia"
    assert engine["shm_size"] == "8g"


def test_the_gpu_engine_has_the_flags_that_the_workers_rely_on() -> None:
    command = " ".join(deployment("compose.gpu.yaml")["services"]["engine"]["command"])
    script = (DEPLOY / "engine" / "serve.sh").read_text()
    for flag in ("--enable-prefix-caching", "--enable-prompt-tokens-details", "--limit-mm-per-prompt"):
        assert flag in command
        assert flag in script
    cache_gb = re.search(r"--mm-processor-cache-gb=(\S+)", command)
    worker = deployment("compose.gpu.yaml")["services"]["interaction"]["environment"]
    assert cache_gb is not None
    assert cache_gb[1] == worker["VIGIL_ENGINE_IMAGES_GB"], "the workers must know how many pictures the engine keeps"


@pytest.mark.parametrize(
    ("layer", "cache_gb"), [(None, "1"), ("compose.gpu.yaml", "4"), ("compose.remote-engine.yaml", "4")]
)
def test_pictures_have_the_room_that_the_weights_need(layer: str | None, cache_gb: str) -> None:
    worker = deployment(*([layer] if layer else []))["services"]["interaction"]["environment"]
    assert worker["VIGIL_ENGINE_IMAGES_GB"] == cache_gb


@pytest.mark.parametrize(
    ("layer", "variable", "told"),
    [
        ("compose.gpu.yaml", "VIGIL_MODEL", "the id of the weights"),
        ("compose.gpu.yaml", "VIGIL_MODEL_REVISION", "commit of the weights"),
        ("compose.gpu.yaml", "VIGIL_PROFILE", "the prompt profile of the model"),
        ("compose.remote-engine.yaml", "VIGIL_ENGINE_URLS", "the addresses of the engines"),
        ("compose.remote-engine.yaml", "VIGIL_MODEL", "the name of the model at the engines"),
        ("compose.remote-engine.yaml", "VIGIL_PROFILE", "the prompt profile of the model"),
    ],
)
def test_a_layer_says_what_it_lacks(layer: str, variable: str, told: str) -> None:
    assert variable not in composition.defaults(), "deploy/.env would answer for the user, with the small model"
    with pytest.raises(composition.Missing, match=told):
        deployment(layer, **{variable: ""})


# --- the GPU layer of speech ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "engine", "prefix", "kind"),
    [("asr", "funasr", "VIGIL_ASR", "openai"), ("tts", "vllm-omni", "VIGIL_TTS", "vllm-omni")],
)
def test_the_speech_layer_leads_a_service_to_an_engine_with_pinned_weights(
    service: str, engine: str, prefix: str, kind: str
) -> None:
    found = deployment("compose.speech.yaml")["services"]
    environment, command = found[service]["environment"], found[engine]["command"]
    port = next(part.removeprefix("--port=") for part in command if part.startswith("--port="))
    assert environment[f"{prefix}_ENGINE"] == kind
    assert environment[f"{prefix}_URL"] == f"http://{engine}:{port}/v1"
    assert f"--served-model-name={environment[f'{prefix}_MODEL']}" in command
    assert f"--revision={composition.EXAMPLES[f'{prefix}_REVISION']}" in command
    assert found[engine]["healthcheck"]["test"][-1].count(f":{port}/health") == 1
    assert found[engine]["deploy"]["resources"]["reservations"]["devices"][0]["driver"] == "nvidia"
    assert found[engine]["profiles"] == found[service]["profiles"]


@pytest.mark.parametrize("row", [row for row in SERVICES if row.name in {"asr", "tts"}], ids=lambda row: row.name)
def test_the_speech_layer_sets_what_the_services_know(row: ServiceSpec) -> None:
    given = set(composition.raw("compose.speech.yaml")["services"][row.name]["environment"])
    assert given <= {f"VIGIL_{field.upper()}" for field in settings_of(row).model_fields}


# --- the TLS layer ----------------------------------------------------------------------------------------------------


@each_row
def test_with_tls_every_service_trusts_the_authority_of_the_site(row: ServiceSpec) -> None:
    service = deployment("compose.tls.yaml")["services"][row.name]
    assert service["environment"]["VIGIL_CA_FILE"] == "/run/secrets/vigil/ca.crt"
    assert any(str(volume).endswith(":/run/secrets/vigil:ro") for volume in service["volumes"])


def test_with_tls_the_gateway_is_asked_over_https_and_the_proxy_knows() -> None:
    found = deployment("compose.tls.yaml", VIGIL_PUBLIC_HOSTS="vigil.example.org")["services"]
    assert found["provision"]["environment"] == {"VIGIL_SITE_TLS": "true", "VIGIL_PUBLIC_HOSTS": "vigil.example.org"}
    assert "https://127.0.0.1:8080/readyz" in found["gateway"]["healthcheck"]["test"]
    assert {"VIGIL_TLS_CERT_FILE", "VIGIL_TLS_KEY_FILE"} <= set(found["gateway"]["environment"])
    assert ".if defined(VIGIL_TLS)" in (DEPLOY / "haproxy/haproxy.cfg").read_text()
    assert "VIGIL_TLS" in found["proxy"]["environment"]
