"""The chart: what both helms render of each example, and that it is what the rows of the services say."""

import asyncio
import hashlib
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.rendering import (
    CHART,
    EXAMPLES,
    HELMS,
    NEWEST,
    RENDERED,
    ROOT,
    TOOLS,
    Helm,
    Object,
    Refused,
    example,
    masked,
    named,
    objects,
    pods,
)
from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError
from reference import metrics

from vigil.contract.service_spec import ServiceKind, ServiceSpec
from vigil.contract.services import GATEWAY, INGESTION, SERVICES
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.placement import claimer
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer
from vigil_provision import redis_config

needs_helm = pytest.mark.skipif(not HELMS, reason=f"no helm in {TOOLS}: run `make chart-tools`")
BY_EXAMPLE = pytest.mark.parametrize("name", EXAMPLES)
# The newest helm in every run, the older ones where there is time.
BY_HELM = pytest.mark.parametrize(
    "helm", [pytest.param(helm, marks=[pytest.mark.slow] * (helm != NEWEST), id=helm.version) for helm in HELMS]
)
BY_ROW = pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)
ON_REQUEST = ",".join(f'"{row.name}":{{"enabled":true}}' for row in SERVICES if row.on_request)
EVERYTHING = [f"services={{{ON_REQUEST}}}", 'webhooks={"existingSecret":"webhooks"}', 'modules=["demo/zones"]']

# What a cluster of version 1.20 does not know, switched off.
OLD_CLUSTER = [
    'probes={"grpc":false}',
    'serviceDefaults={"pdb":{"enabled":false}}',
    'engineDefaults={"pdb":{"enabled":false}}',
    'nats={"pdb":{"enabled":false}}',
    'redis={"pdb":{"enabled":false}}',
]
NEWER_THAN_1_20 = {"policy/v1", "autoscaling/v2", "keda.sh/v1alpha1", "monitoring.coreos.com/v1"}

# Wrong values, and what the error must say: where it is, and what would be right.
WRONG: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "a key that is misspelt": (['services={"gateway":{"replica":2}}'], ("gateway", "replica")),
    "a service that is none": (['services={"gatway":{}}'], ("gatway", "the services are", "gateway")),
    "no replicas": (['services={"codec":{"replicas":0}}'], ("codec", "replicas", "1")),
    "words where a number belongs": (['services={"codec":{"replicas":"two"}}'], ("codec", "replicas", "integer")),
    "a moving tag": (['images={"tag":"latest"}'], ("images.tag", "name a version")),
    "a moving tag of one service": (
        ['services={"codec":{"image":{"tag":"latest"}}}'],
        ("services.codec.image.tag", "name a version"),
    ),
    "a registry without its slash": (['images={"registry":"example.com"}'], ("registry", "/")),
    "a drain that is too short": (["drainSeconds=3"], ("drainSeconds", "8")),
    "an unknown kind of autoscaling": (['serviceDefaults={"autoscaling":{"kind":"cpu"}}'], ("kind", "hpa", "keda")),
    "fewest above most": (
        ['services={"codec":{"autoscaling":{"enabled":true,"minReplicas":9,"maxReplicas":2}}}'],
        ("minReplicas (9) is above maxReplicas (2)", "lower it"),
    ),
    "two NATS servers": (['nats={"replicas":2}'], ("replicas", "1", "3", "5")),
    "no NATS at all": (['nats={"enabled":false}'], ("nats.enabled", "credentials.existingSecret")),
    "no Redis at all": (['redis={"enabled":false}'], ("redis.enabled", "credentials.existingSecret")),
    "two NATS": (['nats={"external":{"url":"nats://there:4222"}}'], ("nats.external.url", "nats.enabled=false")),
    "a password in the values": (
        ['redis={"enabled":false,"external":{"url":"redis://u:p@there:6379/0"}}'],
        ("redis.external.url holds a password", "credentials.existingSecret"),
    ),
    "no engine": (['engines={"small":{"enabled":false}}'], ("there is no engine", "externalEngines.urls")),
    "a model that is not pinned": (
        ['engines={"qwen":{"model":{"hub":"Qwen/Qwen3-VL-8B-Instruct"}}}'],
        ("engines.qwen.model.revision", "40 hex digits"),
    ),
    "a model from nowhere": (['engines={"qwen":{}}'], ("engines.qwen.model", "hub, path and fromImage")),
    "a folder in no volume": (
        ['engines={"qwen":{"model":{"path":"qwen"}}}'],
        ("qwen.model.path", "cache.existingClaim"),
    ),
    "an engine's address that is none": (['externalEngines={"urls":["gpu-box:8000"]}'], ("externalEngines", "http")),
    "webhooks without endpoints": (
        ['services={"webhook":{"enabled":true}}'],
        ("services.webhook", "webhooks.existingSecret"),
    ),
    "TLS that nobody vouches for": (['tls={"nats":"nats-tls"}'], ("tls.ca", "ca.crt")),
    "a digest that is none": (['nats={"image":{"digest":"abc"}}'], ("digest", "sha256")),
    "an unknown profile": (['model={"profile":"gpt"}'], ("profile", "vigil-small", "joyai", "harness")),
    "a test of weights that know another world": (['model={"profile":"harness"}'], ("test.enabled=false",)),
    "foreign keys and a key of our own": (
        ['apiKeys={"existingSecret":"keys"}'],
        ("apiKeys.existingSecret", "cli.api_key", "test.enabled=false"),
    ),
    "a range of ports that ends before it begins": (
        ['webrtc={"udpPorts":"50019-50000"}'],
        ("webrtc.udpPorts", "50000-50019"),
    ),
    "WebRTC that nobody can reach": (
        ['webrtc={"enabled":true,"hostPorts":false}'],
        ("webrtc.hostPorts", "webrtc.iceServers.existingSecret"),
    ),
    "a tenant that no subject can hold": (['tenants=["a.b"]'], ("tenants",)),
    "two tenants with one password": (['tenants=["a-b","a_b"]'], ("tenants", "a-b and a_b", "rename")),
    "a module of nobody": (['modules=["acme/zones"]'], ("modules", "acme/zones", "not in tenants")),
    "a module without a tenant": (['modules=["zones"]'], ("modules",)),
    "a module that no variable can name": (['modules=["demo/my--zones"]'], ("modules",)),
}


@pytest.fixture(scope="module")
def committed() -> dict[str, list[Object]]:
    """The objects of each example, as they are committed."""
    return {name: objects((RENDERED / f"{name}.yaml").read_text()) for name in EXAMPLES}


def containers(pod: Any) -> list[Any]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def env_of(container: Any) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in container.get("env", ())}


# --- what is committed is what helm renders ---------------------------------------------------------------------------


@needs_helm
@BY_EXAMPLE
def test_an_example_is_committed_as_helm_renders_it(name: str) -> None:
    assert masked(NEWEST.template([example(name)])) == (RENDERED / f"{name}.yaml").read_text(), "run `make docs`"


@needs_helm
@BY_EXAMPLE
@BY_HELM
def test_every_helm_renders_the_same_objects(helm: Helm, name: str) -> None:
    def sorted_objects(text: str) -> list[Object]:
        return sorted(objects(masked(text)), key=lambda item: (item["kind"], item["metadata"]["name"]))

    assert sorted_objects(helm.template([example(name)])) == sorted_objects((RENDERED / f"{name}.yaml").read_text())


@needs_helm
@BY_HELM
def test_the_chart_passes_the_lint(helm: Helm) -> None:
    done = helm.run("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_helm
@BY_HELM
@pytest.mark.parametrize("case", WRONG)
def test_wrong_values_are_refused_with_what_to_do(helm: Helm, case: str) -> None:
    sets, words = WRONG[case]
    with pytest.raises(Refused) as refused:
        helm.template(sets=sets)
    said = str(refused.value)
    assert all(word in said for word in words), said


def test_each_block_of_a_service_may_have_the_same_keys() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    assert set(values["serviceDefaults"]) == set(schema["definitions"]["service"]["properties"])
    assert set(values["engineDefaults"]) == set(schema["definitions"]["engine"]["properties"])
    assert set(values["services"]) == {row.name for row in SERVICES}


# --- the rows ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole() -> list[Object]:
    """The example `cpu` with every service that runs only on request, and a module."""
    if not HELMS:
        pytest.skip(f"no helm in {TOOLS}: run `make chart-tools`")
    return objects(NEWEST.template([example("cpu")], EVERYTHING))


@BY_ROW
def test_a_service_listens_and_gets_what_its_row_says(row: ServiceSpec, whole: list[Object]) -> None:
    (container,) = pods(whole)[f"Deployment/vigil-{row.name}"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    named = {"http": row.http_port, "grpc": row.grpc_port, "metrics": row.metrics_port}
    assert ports == {name: port for name, port in named.items() if port}
    memory = f"{row.resources.memory_mib}Mi"
    assert container["resources"]["requests"] == {"cpu": f"{round(row.resources.cpu * 1000)}m", "memory": memory}
    assert container["resources"]["limits"] == {"memory": memory}
    empty = {"VIGIL_LOCAL_SOURCE_TENANTS", "VIGIL_RENDERED_SOURCES"}  # their defaults are empty, too
    as_files = {"VIGIL_NATS_URL", "VIGIL_REDIS_URL"}
    assert set(row.variables) - set(env_of(container)) <= empty | as_files


@BY_ROW
def test_a_service_reads_its_own_passwords_and_no_others(row: ServiceSpec, whole: list[Object]) -> None:
    pod = pods(whole)[f"Deployment/vigil-{row.name}"]
    (secrets,) = [volume["projected"] for volume in pod["spec"]["volumes"] if volume["name"] == "secrets"]
    keys = {item["key"] for source in secrets["sources"] for item in source["secret"]["items"]}
    own = {f"{row.name}.nats_url"} | ({f"{row.name}.redis_url"} if row.uses_redis else set())
    assert keys - {"engine_api_key"} == own


@BY_ROW
def test_a_service_has_time_to_hand_its_sessions_over(row: ServiceSpec, whole: list[Object]) -> None:
    pod = pods(whole)[f"Deployment/vigil-{row.name}"]
    (container,) = pod["spec"]["containers"]
    drain_s = float(env_of(container)["VIGIL_DRAIN_S"])
    sleeps = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    assert drain_s > claimer.HAND_OVER_S
    assert pod["spec"]["terminationGracePeriodSeconds"] > drain_s + float(sleeps[1])


# --- every pod --------------------------------------------------------------------------------------------------------


@BY_EXAMPLE
def test_no_pod_has_a_right_that_it_does_not_need(name: str, committed: dict[str, list[Object]]) -> None:
    assert len(pods(committed[name])) > 5
    for key, pod in pods(committed[name]).items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, key
        assert spec["securityContext"]["runAsNonRoot"] is True, key
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, key
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, key
            assert container["resources"]["limits"]["memory"], key


@BY_EXAMPLE
def test_every_port_names_its_protocol(name: str, committed: dict[str, list[Object]]) -> None:
    """Helm 4 has the server merge the lists of ports by it, and Kubernetes before 1.21 does not fill it in first."""
    ports = [port for item in committed[name] if item["kind"] == "Service" for port in item["spec"]["ports"]]
    for pod in pods(committed[name]).values():
        ports += [port for container in containers(pod) for port in container.get("ports", ())]
    assert len(ports) > 20
    assert [port for port in ports if port.get("protocol") != "TCP"] == []


@BY_EXAMPLE
def test_every_image_has_an_exact_version(name: str, committed: dict[str, list[Object]]) -> None:
    images = {container["image"] for pod in pods(committed[name]).values() for container in containers(pod)}
    assert all(re.search(r":v?\d+\.\d+|@sha256:", image) for image in images), images


@BY_EXAMPLE
def test_no_password_is_in_an_environment_or_a_config_map(name: str, committed: dict[str, list[Object]]) -> None:
    for key, pod in pods(committed[name]).items():
        for container in containers(pod):
            for entry in container.get("env", ()):
                assert "secretKeyRef" not in entry.get("valueFrom", {}), key
                assert "@" not in entry.get("value", ""), key
            assert "envFrom" not in container, key
    for item in committed[name]:
        if item["kind"] == "ConfigMap":
            assert "<generated>" not in yaml.safe_dump(item)


def test_production_brings_no_secret_of_its_own(committed: dict[str, list[Object]]) -> None:
    assert not [item for item in committed["production"] if item["kind"] == "Secret"]


def test_production_keeps_three_copies_of_each_message_on_disk(committed: dict[str, list[Object]]) -> None:
    found = committed["production"]
    assert named(found, "StatefulSet", "vigil-nats")["spec"]["replicas"] == 3
    config = named(found, "ConfigMap", "vigil-nats")["data"]["nats.conf"]
    assert "sync_interval: always" in config
    assert config.count(":6222") == 4  # one listens there, three routes lead there
    for row in SERVICES:
        if not row.on_request:
            (container,) = pods(found)[f"Deployment/vigil-{row.name}"]["spec"]["containers"]
            assert env_of(container)["VIGIL_STREAM_REPLICAS"] == "3"


# --- the network ------------------------------------------------------------------------------------------------------


def component_of(selector: dict[str, Any]) -> str | None:
    found: str | None = selector.get("matchLabels", {}).get("app.kubernetes.io/component")
    return found


def edges(found: list[Object], way: str, peers: str) -> set[tuple[str, str, int]]:
    """The edges between components that the policies allow at one end, as (from, to, port)."""
    made = set()
    for policy in (item for item in found if item["kind"] == "NetworkPolicy"):
        own = component_of(policy["spec"]["podSelector"])
        for rule in policy["spec"].get(way) or ():
            for peer in rule.get(peers, ()):
                other = component_of(peer.get("podSelector", {})) if "namespaceSelector" not in peer else None
                for port in rule.get("ports", ()) if own and other else ():
                    pair = (own, other) if way == "egress" else (other, own)
                    made.add((*pair, port["port"]))
    return made  # type: ignore[return-value]


@BY_EXAMPLE
def test_nothing_is_allowed_by_default(name: str, committed: dict[str, list[Object]]) -> None:
    deny = named(committed[name], "NetworkPolicy", "vigil-deny")["spec"]
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert not deny.get("ingress")
    assert not deny.get("egress")
    for key, pod in pods(committed[name]).items():
        assert deny["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items(), key


def test_each_edge_is_allowed_at_both_ends(whole: list[Object]) -> None:
    out, into = edges(whole, "egress", "to"), edges(whole, "ingress", "from")
    assert ("gateway", "ingestion", INGESTION.grpc_port) in out
    assert ("interaction", "engine-small", 8000) in out
    everybody_calls = {edge for edge in out if edge[1] == GATEWAY.name}
    assert out - everybody_calls == into


@BY_ROW
def test_a_service_reaches_the_stores_that_it_uses_and_no_others(row: ServiceSpec, whole: list[Object]) -> None:
    reached = {(to, port) for source, to, port in edges(whole, "egress", "to") if source == row.name}
    assert ("nats", 4222) in reached
    assert (("redis", 6379) in reached) == row.uses_redis


# --- scaling, probes, older clusters ----------------------------------------------------------------------------------


def test_scaling_asks_for_metrics_that_exist(committed: dict[str, list[Object]]) -> None:
    known = {metric.name for found in metrics.declared().values() for metric in found}
    queries = [
        trigger["metadata"]["query"]
        for item in committed["production"]
        if item["kind"] == "ScaledObject"
        for trigger in item["spec"]["triggers"]
    ]
    assert len(queries) == 4
    for query in queries:
        named_metrics = set(re.findall(r"vigil_\w+", query))
        assert named_metrics
        assert named_metrics <= known, query


@BY_ROW
def test_liveness_asks_nothing_of_others(row: ServiceSpec, whole: list[Object]) -> None:
    (container,) = pods(whole)[f"Deployment/vigil-{row.name}"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    if row.grpc_port and row.kind is not ServiceKind.GATEWAY:
        assert container["readinessProbe"]["grpc"] == {"port": row.grpc_port}
    else:
        assert container["readinessProbe"]["httpGet"]["path"] == row.ready_path


@BY_EXAMPLE
def test_an_engine_has_ten_minutes_to_start(name: str, committed: dict[str, list[Object]]) -> None:
    engines = [pod for key, pod in pods(committed[name]).items() if key.startswith("StatefulSet/vigil-engine-")]
    assert engines
    for pod in engines:
        (container,) = pod["spec"]["containers"]
        startup = container["startupProbe"]
        assert (startup["periodSeconds"], startup["failureThreshold"]) == (10, 60)
        assert "warm.py" in startup["exec"]["command"][1]


@needs_helm
def test_an_old_cluster_gets_nothing_that_it_does_not_know() -> None:
    found = objects(NEWEST.template([example("cpu")], OLD_CLUSTER))
    assert not {item["apiVersion"] for item in found} & NEWER_THAN_1_20
    for pod in pods(found).values():
        for container in containers(pod):
            assert "grpc" not in container.get("readinessProbe", {})


@pytest.mark.parametrize("preset", sorted((ROOT / "deploy/presets").glob("*.env")), ids=lambda path: path.stem)
def test_a_preset_is_that_of_compose(preset: Path) -> None:
    text = preset.read_text()
    variables = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    values = yaml.safe_load((CHART / f"presets/{preset.stem}.yaml").read_text())
    engine = values["engineDefaults"]
    assert {
        "VIGIL_ENGINE_GPU_SHARE": f"{engine['gpuMemoryUtilization']:.2f}",
        "VIGIL_ENGINE_KV_DTYPE": engine["kvCacheDtype"],
        "VIGIL_ENGINE_MAX_LEN": str(engine["maxModelLen"]),
        "VIGIL_ENGINE_IMAGES_GB": str(engine["imagesGb"]),
        "VIGIL_ENGINE_MEMORY": engine["resources"]["limits"]["memory"].replace("Gi", "g"),
        "VIGIL_CAPACITY": str(values["services"]["interaction"]["capacity"]),
    } == variables


@needs_helm
def test_a_preset_reaches_the_engine() -> None:
    found = objects(NEWEST.template([example("single-gpu"), CHART / "presets/gpu-24gb.yaml"]))
    (container,) = pods(found)["StatefulSet/vigil-engine-qwen"]["spec"]["containers"]
    words = container["args"]
    assert words[words.index("--gpu-memory-utilization") + 1] == "0.92"
    assert words[words.index("--kv-cache-dtype") + 1] == "fp8"
    assert words[-2:] == ["--quantization", "fp8"]


@needs_helm
def test_tls_reaches_every_end() -> None:
    found = objects(
        NEWEST.template(
            [example("cpu")], ['tls={"gateway":"gateway-tls","nats":"nats-tls","redis":"redis-tls","ca":"ca"}']
        )
    )
    gateway = pods(found)["Deployment/vigil-gateway"]["spec"]["containers"][0]
    assert gateway["readinessProbe"]["httpGet"]["scheme"] == "HTTPS"
    assert env_of(gateway)["VIGIL_TLS_CERT_FILE"] == "/etc/vigil/tls/tls.crt"
    secret = named(found, "Secret", "vigil-credentials")["stringData"]
    assert secret["codec.nats_url"].startswith("tls://codec:")
    assert secret["codec.redis_url"].startswith("rediss://codec:")
    assert "tls-port 6379" in named(found, "ConfigMap", "vigil-redis")["data"]["redis.conf"]


@needs_helm
def test_webrtc_opens_ports_of_the_node_and_tells_its_address() -> None:
    webrtc = '{"enabled":true,"udpPorts":"50000-50002","iceServers":{"existingSecret":"turn"}}'
    found = objects(NEWEST.template([example("cpu")], [f"webrtc={webrtc}"]))
    ingestion = pods(found)["Deployment/vigil-ingestion"]["spec"]["containers"][0]
    udp = [port for port in ingestion["ports"] if port.get("protocol") == "UDP"]
    assert [(port["containerPort"], port["hostPort"]) for port in udp] == [
        (50000, 50000),
        (50001, 50001),
        (50002, 50002),
    ]
    env = {entry["name"]: entry for entry in ingestion["env"]}
    assert env["VIGIL_WEBRTC_UDP_PORTS"]["value"] == "50000-50002"
    assert env["VIGIL_WEBRTC_ADVERTISED_ADDRESS"]["valueFrom"] == {"fieldRef": {"fieldPath": "status.hostIP"}}
    update = named(found, "Deployment", "vigil-ingestion")["spec"]["strategy"]["rollingUpdate"]
    assert update == {"maxSurge": 0, "maxUnavailable": 1}
    ingress = named(found, "NetworkPolicy", "vigil-ingestion")["spec"]["ingress"]
    assert {"ports": [{"port": 50000, "endPort": 50002, "protocol": "UDP"}]} in ingress
    readers = {
        key
        for key, pod in pods(found).items()
        for volume in pod["spec"].get("volumes", ())
        for source in volume.get("projected", {}).get("sources", ())
        if source.get("secret", {}).get("name") == "turn"
    }
    assert readers == {"Deployment/vigil-gateway", "Deployment/vigil-ingestion"}


@needs_helm
def test_webrtc_over_a_turn_server_alone_takes_no_port_of_a_node() -> None:
    webrtc = '{"enabled":true,"hostPorts":false,"iceServers":{"existingSecret":"turn"}}'
    found = objects(NEWEST.template([example("cpu")], [f"webrtc={webrtc}"]))
    ingestion = pods(found)["Deployment/vigil-ingestion"]["spec"]["containers"][0]
    assert not [port for port in ingestion["ports"] if "hostPort" in port]
    assert "VIGIL_WEBRTC_ADVERTISED_ADDRESS" not in env_of(ingestion)
    update = named(found, "Deployment", "vigil-ingestion")["spec"]["strategy"]["rollingUpdate"]
    assert update == {"maxSurge": 1, "maxUnavailable": 0}


# --- the configuration of the stores ----------------------------------------------------------------------------------


def test_the_users_of_redis_get_the_digests_of_their_passwords(tmp_path: Path, whole: list[Object]) -> None:
    """The script of the init container, in a shell; its paths are of this test."""
    secret = named(whole, "Secret", "vigil-credentials")["stringData"]
    config = named(whole, "ConfigMap", "vigil-redis")["data"]
    for folder in ("etc", "secrets", "run"):
        (tmp_path / folder).mkdir()
    (tmp_path / "etc/users.acl").write_text(config["users.acl"])
    for key, password in secret.items():
        if key.startswith("REDIS_PASSWORD_"):
            (tmp_path / "secrets" / key).write_text(password)
    script = config["write-users.sh"].replace("/etc/vigil/redis", f"{tmp_path}/etc")
    script = script.replace("/run/secrets/vigil", f"{tmp_path}/secrets").replace("/run/vigil", f"{tmp_path}/run")
    done = run_shell(script)
    assert done == (0, "")
    lines = (tmp_path / "run/users.acl").read_text().splitlines()
    users = {line.split()[1]: line.split()[-1] for line in lines}
    for row in SERVICES:
        if row.uses_redis:
            assert users[row.name] == f"#{sha256(secret[f'REDIS_PASSWORD_{row.name.upper()}'])}"
    assert users["default"] == "off"
    passwordless = [line for line in redis_config.users(str).splitlines() if "#" not in line]
    assert [line for line in lines if "#" not in line] == passwordless, "as in every other deployment"
    (tmp_path / "secrets/REDIS_PASSWORD_CODEC").unlink()
    status, said = run_shell(script)
    assert status == 1
    assert "REDIS_PASSWORD_" in said


@pytest.fixture
async def nats(tmp_path: Path, whole: list[Object]) -> AsyncIterator[NatsServer]:
    """A real server with the chart's configuration and its Secret's passwords; ports and store are of this test."""
    config = named(whole, "ConfigMap", "vigil-nats")["data"]["nats.conf"]
    config = re.sub("store_dir: .*", "", config.replace("0.0.0.0:8222", f"127.0.0.1:{free_port()}"))
    server = NatsServer(tmp_path / "nats", config)
    server.folder.mkdir()
    passwords = named(whole, "Secret", "vigil-credentials")["stringData"]["nats-passwords.conf"]
    (server.folder / "nats-passwords.conf").write_text(passwords)
    await server.start()
    yield server
    await server.kill()


async def test_a_nats_server_takes_the_configuration_and_the_addresses(nats: NatsServer, whole: list[Object]) -> None:
    secret = named(whole, "Secret", "vigil-credentials")["stringData"]

    def url(user: str) -> str:
        return str(secret[f"{user}.nats_url"]).replace("vigil-nats:4222", f"127.0.0.1:{nats.port}")

    async with Bus.connect(BusConfig(url("interaction"))) as bus, asyncio.timeout(DEADLINE_S):
        await bus.connected()
    stranger, reader, module = Nats(), Nats(), Nats()
    try:
        with pytest.raises(NatsError):
            await stranger.connect(url("codec").replace(secret["NATS_PASSWORD_CODEC"], "guessed"), **ONCE)
        await reader.connect(url("tenant-demo"), **ONCE)
        await module.connect(url("module.demo.zones"), **ONCE)
    finally:
        await module.close()
        await stranger.close()
        await reader.close()


async def _ignored(_: Exception) -> None:
    """The call that failed says it, too."""


ONCE: dict[str, Any] = {"allow_reconnect": False, "error_cb": _ignored}


def run_shell(script: str) -> tuple[int, str]:
    done = subprocess.run(("sh", "-c", script), capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
