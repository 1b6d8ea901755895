"""What `vigil doctor --compose` looks at: Docker, the compose files, the images, the containers and their health."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigil_local.commands.check import Check, output_of
from vigil_local.commands.compose_containers import Container, Published, containers, published, taken
from vigil_local.supervisor import ports

BASE = Path("deploy/compose.yaml")
LEAST_COMPOSE = (2, 20)  # `required: false` in depends_on
DOCKER_S = 30.0
OURS = "vigil-"


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
    whole = json.loads(output)
    services: dict[str, Any] = whole["services"]
    found = await _containers(compose, whole["name"])
    return [
        *first,
        read,
        await _images(compose, services),
        *deployed(compose, services, found),
        *([] if found else [free_ports(services)]),
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
    """One line for each service of the files, and of any other that has a container here: its containers and their
    health. Those that only wait for others share a line."""
    if not found:
        return [Check("containers", False, "none: nothing is up", f"`{compose.shown('up', '-d')}`", optional=True)]
    of_service = {name: [each for each in found if each.service == name] for name in services}
    for container in found:
        if container.service not in services:
            of_service.setdefault(container.service, []).append(container)
    waiting = sorted(name for name, of in of_service.items() if of and all(each.is_waiting for each in of))
    lines = [_service(compose, name, of_service[name], services) for name in sorted(of_service) if name not in waiting]
    if waiting:
        mend = f"mend the lines above, then `{compose.shown('up', '-d')}`"
        lines.append(
            Check("waiting", False, f"not started, as what they need is not there: {', '.join(waiting)}", mend)
        )
    return lines


def free_ports(services: Mapping[str, Any]) -> Check:
    """The ports that would be published are free."""
    wanted = [port for name, service in services.items() for port in published(name, service)]
    busy = [port for port in wanted if not ports.is_free(port.port)]
    detail = f"{'in use' if busy else 'free'}: {', '.join(port.shown for port in busy or wanted)}"
    return Check("ports", not busy, detail, f"stop what uses them, or set {_variables(busy)} in deploy/.env")


def _variables(moved: Iterable[Published]) -> str:
    return ", ".join(dict.fromkeys(port.variable for port in moved))


def _service(compose: Compose, name: str, found: Sequence[Container], services: Mapping[str, Any]) -> Check:
    if not found:
        return Check(name, False, "has no container", f"`{compose.shown('up', '-d')}`")
    unwell = [container for container in found if not container.is_well]
    if not unwell:
        count = f"{len(found)} containers" if len(found) > 1 else "1 container"
        return Check(name, True, f"{count}, {found[0].shown}")
    detail = "; ".join(f"{container.name} is {container.shown}" for container in unwell)
    return Check(name, False, detail, _mend(compose, unwell[0], services))


def _mend(compose: Compose, container: Container, services: Mapping[str, Any]) -> str:
    """The next step for a container that is not well."""
    service = services.get(container.service)
    if container.error:
        port = taken(container.error, published(container.service, service or {}))
        if port is None:
            return f"mend that, then `{compose.shown('up', '-d')}`"
        how = f"stop what uses port {port.port}, or set {port.variable} in deploy/.env"
        return f"{how}; then `{compose.shown('up', '-d')}`"
    if service is None:
        return (
            f"`docker logs --tail 30 {container.name}` says why; no file or profile that is named here has this service"
        )
    return f"`{compose.shown('logs', '--tail', '30', container.service)}` says why"


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


async def _containers(compose: Compose, project: str) -> tuple[Container, ...]:
    """Every container of the project: `docker compose ps` shows no service of a profile that is not active here."""
    label = f"label=com.docker.compose.project={project}"
    status, output = await output_of((compose.docker, "ps", "--all", "--quiet", "--filter", label), DOCKER_S)
    if status != 0 or not output.split():
        return ()
    _, inspected = await output_of((compose.docker, "inspect", "--format", "{{json .}}", *output.split()), DOCKER_S)
    return containers(inspected)
