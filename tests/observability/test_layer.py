"""The layer of compose with Prometheus, Grafana, collector and trace store, as far as it can be judged unstarted."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from reference.code import ROOT

from observability.rules import RULES
from vigil.contract.services import SERVICES

DEPLOY = ROOT / "deploy"
LAYER = yaml.safe_load((DEPLOY / "compose.observability.yaml").read_text())
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
    assert found == {row.name: row.http_port for row in SERVICES} | {"engine": 8000}


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
    config = {**PROMETHEUS, "rule_files": [str(path) for path in RULES]}
    file = tmp_path / "prometheus.yaml"
    file.write_text(yaml.safe_dump(config))
    checked = subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
