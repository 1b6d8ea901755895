"""`vigil doctor --compose`: each check by value, and all of them against a scripted `docker`."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from vigil_client.testing.command import vigil
from vigil_local.commands import compose_checks
from vigil_local.commands.compose_checks import Compose
from vigil_local.commands.compose_containers import Container, containers

COMPOSE = Compose((Path("deploy/compose.yaml"), Path("mine.yaml")))
FILES = "docker compose -f deploy/compose.yaml -f mine.yaml"
SERVICES: dict[str, dict[str, Any]] = {
    "nats": {"image": "nats:1", "ports": [{"published": "4333", "target": 4222}]},
    "gateway": {"image": "vigil-gateway:1"},
}
CONFIG = {"name": "vigil", "services": SERVICES}
TAKEN = (
    "driver failed programming external connectivity on endpoint vigil-nats-1: Error starting userland proxy: "
    "listen tcp4 127.0.0.1:4333: bind: address already in use"
)


def inspected(
    service: str, status: str = "running", health: str = "healthy", *, error: str = "", oneoff: bool = False
) -> dict[str, Any]:
    """What `docker inspect` says of a container, as far as anybody reads it."""
    labels = {"com.docker.compose.service": service, "com.docker.compose.oneoff": str(oneoff)}
    state = {"Status": status, "ExitCode": 128 if error else 0, "Error": error}
    found = {"Name": f"/vigil-{service}-1", "State": state, "Config": {"Labels": labels}}
    return found | {"State": state | {"Health": {"Status": health}}} if health else found


WELL = [inspected("nats"), inspected("gateway")]


def scripted_docker(folder: Path, *, found: list[dict[str, Any]], images: str = "") -> str:
    """A program that answers as `docker` would; `images` are those that it has, separated by spaces."""
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "found.json").write_text("".join(json.dumps(row) + "\n" for row in found))
    ids = " ".join("0af" for _ in found)
    program = folder / "docker"
    program.write_text(
        "#!/bin/sh\n"
        f'case "$*" in\n'
        "  'version '*) echo 28.2.2 ;;\n"
        "  'compose version '*) echo 2.40.1 ;;\n"
        f"  *'config --format json') cat '{folder}/config.json' ;;\n"
        f"  'ps --all --quiet --filter label=com.docker.compose.project=vigil') echo {ids} ;;\n"
        f"  'inspect --format {{{{json .}}}} 0af'*) cat '{folder}/found.json' ;;\n"
        f"  'image inspect '*) for last; do :; done; case ' {images} ' in *\" $last \"*) ;; *) exit 1 ;; esac ;;\n"
        '  *) echo "unexpected: $*"; exit 9 ;;\n'
        "esac\n"
    )
    program.chmod(0o755)
    return str(program)


def read(*rows: dict[str, Any]) -> tuple[Container, ...]:
    return containers("\n".join(map(json.dumps, rows)))


async def test_a_deployment_that_is_well(tmp_path: Path) -> None:
    docker = scripted_docker(tmp_path, found=WELL, images="nats:1 vigil-gateway:1")
    found = await compose_checks.checks(Compose(docker=docker))
    assert [check.name for check in found] == ["docker", "compose", "files", "images", "gateway", "nats"]
    assert all(check.ok for check in found)


async def test_a_deployment_that_is_not_up(tmp_path: Path) -> None:
    docker = scripted_docker(tmp_path, found=[], images="nats:1")
    found = {check.name: check for check in await compose_checks.checks(Compose(docker=docker))}
    assert found["images"].detail == "not here: vigil-gateway:1"
    assert "make images" in found["images"].mend
    assert found["containers"].optional
    assert found["containers"].mend == "`docker compose -f deploy/compose.yaml up -d`"
    assert found["ports"].ok


async def test_without_docker_nothing_else_is_asked(tmp_path: Path) -> None:
    found = await compose_checks.checks(Compose(docker=str(tmp_path / "docker")))
    assert [(check.name, check.ok) for check in found] == [("docker", False)]
    assert "start it" in found[0].mend


@pytest.mark.parametrize(
    ("status", "output", "ok"),
    [
        (0, "2.40.1\n", True),
        (0, "v2.20.0\n", True),
        (0, "2.19.1\n", False),
        (0, "5.0.1\n", True),
        (1, "docker: 'compose' is not a docker command\n", False),
    ],
)
def test_the_version_of_compose(status: int, output: str, ok: bool) -> None:
    assert compose_checks.compose_version(status, output).ok is ok


def test_files_that_compose_cannot_read_say_why() -> None:
    check = compose_checks.configuration(COMPOSE, 1, "time=…\nrequired variable VIGIL_MODEL_REVISION is missing\n")
    assert (check.ok, check.detail) == (False, "required variable VIGIL_MODEL_REVISION is missing")
    assert compose_checks.configuration(COMPOSE, 0, "{}").detail == "deploy/compose.yaml, mine.yaml"


def test_foreign_images_are_pulled() -> None:
    assert compose_checks.images(["nats:1"], 2, COMPOSE).mend == f"`{FILES} pull`"


@pytest.mark.parametrize(
    ("container", "well", "shown"),
    [
        (Container("camera", "vigil-camera-1", "exited", "", 0), True, "exited with status 0"),
        (Container("camera", "vigil-camera-1", "exited", "", 2), False, "exited with status 2"),
        (Container("nats", "vigil-nats-1", "running", "", 0), True, "running"),
        (Container("nats", "vigil-nats-1", "running", "starting", 0), False, "running, starting"),
        (Container("nats", "vigil-nats-1", "running", "unhealthy", 0), False, "running, unhealthy"),
        (Container("nats", "vigil-nats-1", "restarting", "", 1), False, "restarting"),
    ],
)
def test_a_container(container: Container, well: bool, shown: str) -> None:
    assert (container.is_well, container.shown) == (well, shown)


def test_a_service_names_its_unwell_containers_and_the_next_step() -> None:
    found = read({**inspected("gateway", health="unhealthy"), "Name": "/vigil-gateway-2"}, *WELL)
    gateway, nats = compose_checks.deployed(COMPOSE, SERVICES, found)
    assert nats.ok
    assert gateway.detail == "vigil-gateway-2 is running, unhealthy"
    assert gateway.mend == f"`{FILES} logs --tail 30 gateway` says why"


def test_a_service_without_a_container() -> None:
    gateway, _ = compose_checks.deployed(COMPOSE, SERVICES, read(inspected("nats")))
    assert (gateway.ok, gateway.detail) == (False, "has no container")


async def test_a_container_of_a_profile_that_is_not_active_here_is_judged_too(tmp_path: Path) -> None:
    found = [*WELL, inspected("webhook", health="unhealthy")]
    docker = scripted_docker(tmp_path, found=found, images="nats:1 vigil-gateway:1")
    webhook = (await compose_checks.checks(Compose(docker=docker)))[-1]
    assert (webhook.name, webhook.ok, webhook.detail) == ("webhook", False, "vigil-webhook-1 is running, unhealthy")
    assert webhook.mend.startswith("`docker logs --tail 30 vigil-webhook-1`"), "compose knows no such service here"


def test_a_container_of_run_is_no_service() -> None:
    assert read(inspected("cli", "exited", "", error="killed", oneoff=True)) == ()


def test_a_container_that_went_away_meanwhile_is_passed_over() -> None:
    assert containers(f"{json.dumps(WELL[0])}\nError: No such object: 0af\n") == read(WELL[0])


@pytest.mark.parametrize(
    "error",
    [
        TAKEN,
        "Bind for 127.0.0.1:4333 failed: port is already allocated",
        "failed to set up container networking: failed to bind host port 127.0.0.1:4333/tcp: address already in use",
    ],
)
@pytest.mark.parametrize("status", ["created", "exited"])
def test_a_port_that_is_taken_is_named_with_its_variable_and_what_waits_is_one_line(error: str, status: str) -> None:
    found = read(inspected("nats", status, "", error=error), inspected("gateway", "created", ""))
    nats, waiting = compose_checks.deployed(COMPOSE, SERVICES, found)
    assert nats.detail == f"vigil-nats-1 is not started: {error}"
    assert nats.mend == (f"stop what uses port 4333, or set VIGIL_PUBLISH_NATS in deploy/.env; then `{FILES} up -d`")
    assert (waiting.name, waiting.ok) == ("waiting", False)
    assert waiting.detail.endswith(": gateway")
    assert waiting.mend == f"mend the lines above, then `{FILES} up -d`"


def test_another_reason_not_to_start_is_told_as_docker_says_it() -> None:
    found = read(inspected("nats", "created", "", error="no space left on device"), WELL[1])
    _, nats = compose_checks.deployed(COMPOSE, SERVICES, found)
    assert "no space left on device" in nats.detail
    assert nats.mend == f"mend that, then `{FILES} up -d`"


def test_ports_that_somebody_else_has() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        check = compose_checks.free_ports({"nats": {"ports": [{"published": str(port), "target": 4222}]}})
    assert not check.ok
    assert f"{port} (nats)" in check.detail
    assert "VIGIL_PUBLISH_NATS" in check.mend


async def test_the_command_ends_with_a_status(tmp_path: Path) -> None:
    result = await vigil("doctor", "--compose", "--layer", str(tmp_path / "absent.yaml"))
    assert result.status == 1
    assert "to mend" in result.output
