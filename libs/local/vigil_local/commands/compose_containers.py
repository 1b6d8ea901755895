"""The containers of a deployment by compose, as Docker itself knows them, whatever profile or layer has them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The variable that moves a published port, by the service and the port within its container.
PORT_VARIABLES = {
    ("nats", 4222): "VIGIL_PUBLISH_NATS",
    ("proxy", 8080): "VIGIL_PUBLISH_HTTP",
    ("proxy", 9200): "VIGIL_PUBLISH_GRPC",
    ("prometheus", 9090): "VIGIL_PUBLISH_PROMETHEUS",
    ("jaeger", 16686): "VIGIL_PUBLISH_JAEGER",
    ("grafana", 3000): "VIGIL_PUBLISH_GRAFANA",
}
_TAKEN = ("address already in use", "port is already allocated")  # Docker's words: by a program, by a container


@dataclass(frozen=True, slots=True)
class Container:
    """One container of the project. `error` is what Docker said when it could not start it."""

    service: str
    name: str
    state: str
    health: str = ""
    exit_code: int = 0
    error: str = ""

    @property
    def is_well(self) -> bool:
        """It runs and is healthy (or has no health check), or has done its one task."""
        if self.state == "exited":
            return self.exit_code == 0 and not self.error
        return self.state == "running" and self.health in ("healthy", "")

    @property
    def is_waiting(self) -> bool:
        """It was made and nobody tried to start it: what it needs is not there yet."""
        return self.state == "created" and not self.error

    @property
    def shown(self) -> str:
        """Its state in words."""
        if self.error and not self.is_well and self.state != "running":
            return f"not started: {self.error}"
        if self.state == "exited":
            return f"exited with status {self.exit_code}"
        return f"{self.state}, {self.health}" if self.health else self.state


@dataclass(frozen=True, slots=True)
class Published:
    """A port of this machine that leads to a service, and the variable of deploy/.env that moves it."""

    port: int
    service: str
    variable: str

    @property
    def shown(self) -> str:
        return f"{self.port} ({self.service})"


def containers(inspected: str) -> tuple[Container, ...]:
    """The containers in the answer of `docker inspect --format '{{json .}}'`, without those of `run`, which are no
    service's. One that went away meanwhile is an error among the lines, and passed over."""
    rows = [json.loads(line) for line in inspected.splitlines() if line.startswith("{")]
    return tuple(_container(row) for row in rows if _labels(row).get("com.docker.compose.oneoff") != "True")


def published(name: str, service: Mapping[str, Any]) -> tuple[Published, ...]:
    """The ports that a service of `docker compose config` publishes; of a range of ports nothing is said."""
    return tuple(
        Published(int(port["published"]), name, PORT_VARIABLES.get((name, int(port["target"])), "VIGIL_PUBLISH_…"))
        for port in service.get("ports", ())
        if str(port.get("published", "")).isdecimal()
    )


def taken(error: str, ports: tuple[Published, ...]) -> Published | None:
    """The port for whose sake Docker could not start a container, when that is what `error` says."""
    if not any(words in error for words in _TAKEN):
        return None
    return next((port for port in ports if re.search(rf":{port.port}\b", error)), None)


def _container(row: Mapping[str, Any]) -> Container:
    state = row["State"]
    return Container(
        str(_labels(row).get("com.docker.compose.service", "")),
        str(row["Name"]).removeprefix("/"),
        str(state["Status"]),
        str((state.get("Health") or {}).get("Status", "")),
        int(state.get("ExitCode") or 0),
        str(state.get("Error") or ""),
    )


def _labels(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return row["Config"].get("Labels") or {}
