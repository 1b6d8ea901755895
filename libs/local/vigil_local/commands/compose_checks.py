"""What `vigil doctor --compose` looks at: Docker, the compose files, the images, the containers and their health."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigil_local.commands.check import Check, output_of
from vigil_local.supervisor import ports

BASE = Path("deploy/compose.yaml")
LEAST_COMPOSE = (2, 20)  # `required: false` in depends_on
DOCKER_S = 30.0
OURS = "vigil-"


@dataclass(frozen=True, slots=True)
class Container:
    """One container of the project, as `docker compose ps` shows it."""

    service: str
    name: str
    state: str
    health: str
    exit_code: int

    @property
    def is_well(self) -> bool:
        """It runs and is healthy (or has no health check), or has done its one task."""
        if self.state == "exited":
            return self.exit_code == 0
        return self.state == "running" and self.health in ("healthy", "")

    @property
    def shown(self) -> str:
        """Its state in words."""
        if self.state == "exited":
            return f"exited with status {self.exit_code}"
        return f"{self.state}, {self.health}" if self.health else self.state


@dataclass(frozen=True, slots=True)
class Compose:
    """The command that means this deployment: `docker compose` and its files."""

    files: tuple[Path, ...] = (BASE,)
    docker: str = "docker"

    @property
    def argv(self) -> tuple[str, ...]:
        return (self.docker, "compose", *(word for file in self.files for word in ("-f", str(file))))

    def shown(self, *words: str) -> str:
        """A command for the user to type."""
        return " ".join(("docker", *self.argv[1:], *words))


async def checks(compose: Compose) -> list[Check]:
    """All checks of a deployment by compose; where Docker or the files fail, those that come after are left out."""
    first = await _docker(compose)
    if not all(check.ok for check in first):
        return first
    status, output = await output_of((*compose.argv, "config", "--format", "json"), DOCKER_S)
    read = configuration(compose, status, output)
    if not read.ok:
        return [*first, read]
    services: dict[str, Any] = json.loads(output)["services"]
    found = await _containers(compose)
    return [
        *first,
        read,
        await _images(compose, services),
        *deployed(compose, services, found),
        *([] if found else [published(services)]),
    ]


def docker_version(status: int, output: str) -> Check:
    """The daemon answers."""
    last = (output.strip().splitlines() or ["no output"])[-1]
    mend = "install Docker and start it (`systemctl start docker`); your user must be in the group `docker`"
    return Check("docker", status == 0, last, mend)


def compose_version(status: int, output: str) -> Check:
    """Compose is there and new enough."""
    shown = (output.strip().splitlines() or ["no output"])[-1]
    mend = f"install Docker Compose {'.'.join(map(str, LEAST_COMPOSE))} or newer (package docker-compose-plugin)"
    parts = shown.lstrip("v").split(".")
    numbers = tuple(int(part) for part in parts[:2] if part.isdecimal())
    return Check("compose", status == 0 and numbers >= LEAST_COMPOSE, shown, mend)


def configuration(compose: Compose, status: int, output: str) -> Check:
    """Compose can read the files with the variables that are set."""
    shown = ", ".join(str(file) for file in compose.files)
    if status != 0:
        return Check("files", False, (output.strip().splitlines() or [shown])[-1], "mend the file or set the variable")
    return Check("files", True, shown)


def images(missing: Iterable[str], wanted: int, compose: Compose) -> Check:
    """Every image is on this machine; those that are not are built (ours) or pulled."""
    absent = sorted(set(missing))
    if not absent:
        return Check("images", True, f"{wanted} images are here")
    ours = any(image.rpartition("/")[2].startswith(OURS) for image in absent)
    mend = "make images builds those of Vigil" if ours else f"`{compose.shown('pull')}`"
    return Check("images", False, f"not here: {', '.join(absent)}", mend)


def deployed(compose: Compose, services: Mapping[str, Any], found: Sequence[Container]) -> list[Check]:
    """One line for each service of the files: its containers and their health."""
    if not found:
        return [Check("containers", False, "none: nothing is up", f"`{compose.shown('up', '-d')}`", optional=True)]
    return [_service(compose, name, [each for each in found if each.service == name]) for name in sorted(services)]


def published(services: Mapping[str, Any]) -> Check:
    """The ports that would be published are free."""
    wanted = {
        int(port["published"]): name
        for name, service in services.items()
        for port in service.get("ports", ())
        if str(port.get("published", "")).isdecimal()
    }
    taken = [f"{port} ({name})" for port, name in wanted.items() if not ports.is_free(port)]
    detail = f"in use: {', '.join(taken)}" if taken else "free: " + ", ".join(str(port) for port in wanted)
    return Check("ports", not taken, detail, "stop what uses them, or set VIGIL_PUBLISH_… in deploy/.env")


def containers(output: str) -> tuple[Container, ...]:
    """The containers in the answer of `docker compose ps --format json`: one object a line, or an array."""
    text = output.strip()
    rows = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines() if line]
    return tuple(
        Container(
            str(row["Service"]),
            str(row["Name"]),
            str(row["State"]),
            str(row.get("Health") or ""),
            int(row.get("ExitCode") or 0),
        )
        for row in rows
    )


def _service(compose: Compose, name: str, found: Sequence[Container]) -> Check:
    if not found:
        return Check(name, False, "has no container", f"`{compose.shown('up', '-d')}`")
    unwell = [container for container in found if not container.is_well]
    if not unwell:
        count = f"{len(found)} containers" if len(found) > 1 else "1 container"
        return Check(name, True, f"{count}, {found[0].shown}")
    detail = "; ".join(f"{container.name} is {container.shown}" for container in unwell)
    return Check(name, False, detail, f"`{compose.shown('logs', '--tail', '30', name)}` says why")


async def _docker(compose: Compose) -> list[Check]:
    daemon = docker_version(*await output_of((compose.docker, "version", "--format", "{{.Server.Version}}"), DOCKER_S))
    if not daemon.ok:
        return [daemon]
    return [daemon, compose_version(*await output_of((compose.docker, "compose", "version", "--short"), DOCKER_S))]


async def _images(compose: Compose, services: Mapping[str, Any]) -> Check:
    wanted = sorted({str(service["image"]) for service in services.values()})
    missing = []
    for image in wanted:
        status, _ = await output_of((compose.docker, "image", "inspect", "--format", "{{.Id}}", image), DOCKER_S)
        if status != 0:
            missing.append(image)
    return images(missing, len(wanted), compose)


async def _containers(compose: Compose) -> tuple[Container, ...]:
    status, output = await output_of((*compose.argv, "ps", "--all", "--format", "json"), DOCKER_S)
    return containers(output) if status == 0 else ()
