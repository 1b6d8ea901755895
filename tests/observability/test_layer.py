"""The layer of compose with Prometheus, Grafana, collector and trace store, as far as it can be judged unstarted."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import composition
import pytest
import yaml
from composition import DEPLOY

from observability import prometheus
from observability.rules import RULES
from vigil.contract.services import SERVICES
from vigil.runtime.process.health import Health
from vigil.runtime.process.http_endpoint import serve_http
from vigil.runtime.process.tls import ServerCertificate
from vigil.testing.certificates import Authority
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port

LAYER = composition.filled(composition.raw("compose.observability.yaml"), composition.defaults())
TOOLS = {name: service for name, service in LAYER["services"].items() if "image" in service}
PROMETHEUS = yaml.safe_load((DEPLOY / "observability/prometheus.yaml").read_text())
COLLECTOR = yaml.safe_load((DEPLOY / "observability/collector.yaml").read_text())
JAEGER = yaml.safe_load((DEPLOY / "observability/jaeger.yaml").read_text())


def test_every_service_sends_its_spans_to_the_collector() -> None:
    for row in SERVICES:
        endpoint = LAYER["services"][row.name]["environment"]["VIGIL_OTLP_ENDPOINT"]
        assert endpoint == "http://collector:4317"
        assert COLLECTOR["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] == "0.0.0.0:4317"


def test_every_service_is_scraped_at_the_port_of_its_row() -> None:
    found = {}
    for job in PROMETHEUS["scrape_configs"]:
        (discovery,) = job["dns_sd_configs"]
        assert discovery["names"] == [job["job_name"]]
        found[job["job_name"]] = discovery["port"]
    assert found == {row.name: row.scraped_port for row in SERVICES} | {"engine": 8000}


def test_nobody_is_admin_of_grafana() -> None:
    """Its usual admin is admin:admin, over HTTP Basic too where only the login form is off."""
    settings = TOOLS["grafana"]["environment"]
    assert settings["GF_AUTH_BASIC_ENABLED"] == "false"
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert settings["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_what_shows_without_a_password_listens_on_this_machine_alone() -> None:
    for name, tool in TOOLS.items():
        for port in tool.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name


@pytest.mark.parametrize("name", TOOLS)
def test_every_file_that_a_tool_reads_is_there(name: str) -> None:
    for volume in TOOLS[name].get("volumes", ()):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
        else:
            assert source in LAYER["volumes"]


@pytest.mark.parametrize("config", [COLLECTOR, JAEGER], ids=["collector", "jaeger"])
def test_a_pipeline_names_parts_that_are_configured(config: dict[str, Any]) -> None:
    for pipeline in config["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= config[kind].keys()
    assert set(config["service"].get("extensions", ())) <= config.get("extensions", {}).keys()


def test_grafana_is_given_the_kinds_of_sources_that_the_dashboards_ask_for() -> None:
    file = DEPLOY / "observability/grafana/datasources/vigil.yaml"
    sources = {source["type"] for source in yaml.safe_load(file.read_text())["datasources"]}
    assert sources == {"prometheus", "jaeger"}


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed: deploy/system-packages.sh prometheus"
)
def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yaml"
    file.write_text(yaml.safe_dump({**PROMETHEUS, "rule_files": [str(path) for path in RULES]}))
    checked = subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
@pytest.mark.skipif(prometheus.missing(), reason="Prometheus is not installed: run `make prometheus`")
async def test_a_certificate_that_ends_soon_is_alarmed_on(tmp_path: Path) -> None:
    certificate, port = Authority(tmp_path / "authority").certificate(), free_port()
    ServerCertificate(certificate.cert, certificate.key).context()  # it holds for two days
    async with (
        serve_http(Health(), "127.0.0.1", port),
        prometheus.scraping(tmp_path / "prometheus", {"gateway": port}) as running,
    ):
        await eventually(lambda: running.query('up{job="gateway"} == 1'), what="Prometheus reads the gateway")
        expiry = 'vigil_certificate_expiry_timestamp_seconds{what="certificate"} - time()'
        (left,) = await eventually(lambda: running.query(expiry), what="it has read the gateway's metrics")
        assert 1 < float(left["value"][1]) / 86_400 < 2
        await eventually(lambda: _warns(running), what="the alert of a certificate for two days")


async def _warns(running: prometheus.Prometheus) -> bool:
    return "VigilCertificateExpires" in await running.fired()
