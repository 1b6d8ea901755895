"""A deployment by Docker Compose for tests: real containers, a project and ports of their own."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from composition import DEPLOY, defaults

from vigil.testing.eventually import eventually
from vigil.testing.ports import free_ports

# Two runs on one machine need two names: each takes its own project down.
PROJECT = os.environ.get("VIGIL_TEST_PROJECT", "vigil-test")  # noqa: TID251
LAYERS = Path(__file__).resolve().parent / "compose"
VERSION = os.environ.get("VIGIL_VERSION", defaults()["VIGIL_VERSION"])  # noqa: TID251
# Provision brings the streams up to date.
UPDATED = ("ingestion", "codec", "interaction", "memory", "gateway", "provision")
COMMAND_S = 400.0
POLL_S = 0.5
HEALTHY_S = 300.0


@dataclass(frozen=True, slots=True)
class Container:
    """A container as Docker describes it."""

    id: str
    service: str
    state: str
    health: str
    exit_code: int
    pid: int
    restarts: int
    image: str


def docker(*arguments: str, check: bool = True, stdin: bytes | None = None) -> str:
    """The output of a docker command."""
    done = subprocess.run(["docker", *arguments], capture_output=True, input=stdin, timeout=COMMAND_S, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr.decode(errors='replace')[-2_000:]}")
    return done.stdout.decode()


def why_not() -> str:
    """Why no container can be started here; empty when one can."""
    try:
        found = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=30)
        if found.returncode != 0:
            return "no Docker daemon answers"
    except OSError:
        return "Docker is not installed"
    for image in (f"vigil-{name}:{VERSION}" for name in ("gateway", "provision", "cli")):
        if not docker("image", "ls", "--quiet", image).strip():
            return f"the image {image} is not here: `make images` builds it"
    return ""


@dataclass(slots=True)
class Deployment:
    """One project of containers. `files` are its compose files; `variables` what is exported besides deploy/.env."""

    files: tuple[Path, ...] = (DEPLOY / "compose.yaml",)
    variables: dict[str, str] = field(default_factory=dict)
    _known: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def on_free_ports(cls) -> "Deployment":
        """A project whose published ports are free ones."""
        port = free_ports(3)
        names = ("VIGIL_PUBLISH_HTTP", "VIGIL_PUBLISH_GRPC", "VIGIL_PUBLISH_NATS")
        published = {name: str(port + index) for index, name in enumerate(names)}
        return cls(variables={"VIGIL_VERSION": VERSION, **published})

    def with_layer(self, *names: str) -> "Deployment":
        """The same project with more compose files of the tests."""
        return Deployment((*self.files, *(LAYERS / name for name in names)), dict(self.variables), self._known)

    def with_files(self, *names: str) -> "Deployment":
        """The same project with more compose files of `deploy`, begun anew: nothing is known of its site yet."""
        return Deployment((*self.files, *(DEPLOY / name for name in names)), dict(self.variables))

    def with_variables(self, variables: Mapping[str, str]) -> "Deployment":
        """The same project with more variables exported."""
        return Deployment(self.files, {**self.variables, **variables}, self._known)

    def of_version(self, version: str) -> "Deployment":
        """The same project with images of another version: another tag on the same content."""
        for service in UPDATED:
            docker("tag", f"vigil-{service}:{VERSION}", f"vigil-{service}:{version}")
        return Deployment(self.files, {**self.variables, "VIGIL_VERSION": version}, self._known)

    def rolling_update(self, service: str) -> None:
        """deploy/rolling-update.sh, as its user runs it."""
        script = [str(DEPLOY / "rolling-update.sh"), service]
        environment = {**self.environment, "COMPOSE": " ".join(self.command)}
        done = subprocess.run(script, capture_output=True, env=environment, timeout=COMMAND_S, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-2_000:]

    @property
    def environment(self) -> Mapping[str, str]:
        """What the compose command sees."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ}  # noqa: TID251
        return {**kept, **self.variables}

    @property
    def command(self) -> list[str]:
        """`docker compose` with the project and its files."""
        return ["docker", "compose", "-p", PROJECT, *(word for file in self.files for word in ("-f", str(file)))]

    def compose(self, *arguments: str, stdin: bytes | None = None) -> str:
        """The output of a compose command. Raises `AssertionError` with the end of what it said when it fails."""
        done = subprocess.run(
            [*self.command, *arguments],
            capture_output=True,
            input=stdin,
            env=dict(self.environment),
            timeout=COMMAND_S,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace")[-3_000:]
            raise AssertionError(f"docker compose {' '.join(arguments)} failed:\n{said}\n{self.unwell()}")
        return done.stdout.decode()

    def containers(self) -> list[Container]:
        """All containers of the project, whatever their state."""
        ids = docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}").split()
        return [_container(row) for row in json.loads(docker("inspect", *ids, check=False) or "[]")] if ids else []

    def of(self, service: str) -> list[Container]:
        """The containers of a service."""
        return [container for container in self.containers() if container.service == service]

    def is_healthy(self) -> bool:
        """Whether all containers run and are healthy, or have done their task."""
        return all(_is_well(container) for container in self.containers())

    async def until(self, condition: Callable[[], bool], what: str, deadline_s: float = HEALTHY_S) -> float:
        """Wait for a condition that only Docker can tell; how long it took, in seconds."""
        began = time.monotonic()

        async def asked() -> bool:
            await asyncio.sleep(POLL_S)  # every question to Docker starts a program
            return await asyncio.to_thread(condition)

        try:
            await eventually(asked, deadline_s, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.unwell()}") from None
        return time.monotonic() - began

    async def begin(self) -> None:
        """Start what does not run yet, and wait until all of it is healthy."""
        if not self.is_healthy() or not self.of("proxy"):
            await self.run("up", "--detach")
            await self.until(self.is_healthy, "every container is healthy")

    async def forget(self) -> None:
        """Take all of it down with its volumes."""
        await self.run("--profile", "*", "down", "--volumes", "--remove-orphans")

    async def run(self, *arguments: str) -> str:
        """`compose`, while everything else in this process goes on."""
        return await asyncio.to_thread(self.compose, *arguments)

    def unwell(self) -> str:
        """What the containers that are not well said last, for a failing test."""
        told = []
        for container in self.containers():
            if not _is_well(container):
                end = subprocess.run(["docker", "logs", "--tail", "15", container.id], capture_output=True, check=False)
                text = (end.stdout + end.stderr).decode(errors="replace")
                told.append(f"--- {container.service}: {container.state} {container.health}\n{text}")
        return "\n".join(told)

    def site(self, place: str) -> str:
        """A file of the site, as whoever runs the deployment may read it."""
        if place not in self._known:
            self._known[place] = self.compose(
                "run", "--rm", "-T", "--no-deps", "--entrypoint", "cat", "keys", f"/site/{place}"
            )
        return str(self._known[place])

    def put_media(self, name: str, content: bytes) -> str:
        """Put a recording where ingestion may play it; its address."""
        self.compose(
            *("run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", "camera", "-c", f"cat > /media/{name}"),
            stdin=content,
        )
        return f"file:///media/{name}"

    @property
    def endpoints(self) -> dict[str, Any]:
        """Where a client outside of the compose network reaches it, with the demo tenant's key and reader."""
        rows = json.loads(self._tenants())
        return {
            "gateway_url": f"{self._scheme}://127.0.0.1:{self.variables['VIGIL_PUBLISH_HTTP']}",
            "nats_url": next(row["nats_url"] for row in rows if row["tenant"] == "demo"),
            "api_key": self.site("cli/api_key").strip(),
        }

    @property
    def _scheme(self) -> str:
        return "https" if DEPLOY / "compose.tls.yaml" in self.files else "http"

    @property
    def service_nats_url(self) -> str:
        """NATS with the operator's rights, from outside."""
        password = json.loads(self.site("secrets.json"))["nats_password"]
        return f"nats://operator:{password}@127.0.0.1:{self.variables['VIGIL_PUBLISH_NATS']}"

    def _tenants(self) -> str:
        if "tenants" not in self._known:
            self._known["tenants"] = self.compose("run", "--rm", "-T", "--no-deps", "keys", "tenants", "--json")
        return str(self._known["tenants"])


class Table:
    """What was measured, as a table for people."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def note(self, what: str, value: str) -> None:
        """One row."""
        self.rows.append((what, value))

    @property
    def text(self) -> str:
        return "".join(f"| {what} | {value} |\n" for what, value in (("measured", "value"), ("---", "---"), *self.rows))


def left() -> list[str]:
    """Every container, volume and network of the project that is still there."""
    label = f"label=com.docker.compose.project={PROJECT}"
    commands = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
    return [line for command in commands for line in docker(*command, "--quiet", "--filter", label).split()]


def _container(row: dict[str, Any]) -> Container:
    state = row["State"]
    return Container(
        row["Id"],
        row["Config"]["Labels"]["com.docker.compose.service"],
        state["Status"],
        state.get("Health", {}).get("Status", ""),
        state["ExitCode"],
        state["Pid"],
        row["RestartCount"],
        row["Config"]["Image"],
    )


def _is_well(container: Container) -> bool:
    if container.state == "exited":
        return container.exit_code == 0
    return container.state == "running" and container.health in ("healthy", "")
