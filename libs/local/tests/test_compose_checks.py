"""`vigil doctor --compose`: each check by value, and all of them against a scripted `docker`."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from vigil_client.testing.command import vigil
from vigil_local.commands import compose_checks
from vigil_local.commands.compose_checks import Compose, Container

COMPOSE = Compose((Path("deploy/compose.yaml"), Path("mine.yaml")))
FILES = "docker compose -f deploy/compose.yaml -f mine.yaml"
SERVICES = {"nats": {"image": "nats:1"}, "gateway": {"image": "vigil-gateway:1"}}
WELL = [
    {"Service": "nats", "Name": "vigil-nats-1", "State": "running", "Health": "healthy", "ExitCode": 0},
    {"Service": "gateway", "Name": "vigil-gateway-1", "State": "running", "Health": "healthy", "ExitCode": 0},
]


def scripted_docker(folder: Path, *, config: dict[str, Any], ps: list[dict[str, Any]], images: str = "") -> str:
    """A program that answers as `docker` would; `images` are those that it has, separated by spaces."""
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "ps.json").write_text("\n".join(json.dumps(row) for row in ps))
    program = folder / "docker"
    program.write_text(
        "#!/bin/sh\n"
        f'case "$*" in\n'
        "  'version '*) echo 28.2.2 ;;\n"
        "  'compose version '*) echo 2.40.1 ;;\n"
        f"  *'config --format json') cat '{folder}/config.json' ;;\n"
        f"  *'ps --all --format json') cat '{folder}/ps.json' ;;\n"
        f"  'image inspect '*) for last; do :; done; case ' {images} ' in *\" $last \"*) ;; *) exit 1 ;; esac ;;\n"
        '  *) echo "unexpected: $*"; exit 9 ;;\n'
        "esac\n"
    )
    program.chmod(0o755)
    return str(program)


async def test_a_deployment_that_is_well(tmp_path: Path) -> None:
    docker = scripted_docker(tmp_path, config={"services": SERVICES}, ps=WELL, images="nats:1 vigil-gateway:1")
    found = await compose_checks.checks(Compose(docker=docker))
    assert [check.name for check in found] == ["docker", "compose", "files", "images", "gateway", "nats"]
    assert all(check.ok for check in found)


async def test_a_deployment_that_is_not_up(tmp_path: Path) -> None:
    docker = scripted_docker(tmp_path, config={"services": SERVICES}, ps=[], images="nats:1")
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
    rows = [{**WELL[1], "Name": "vigil-gateway-2", "Health": "unhealthy"}, *WELL]
    found = compose_checks.containers("\n".join(json.dumps(row) for row in rows))
    gateway, nats = compose_checks.deployed(COMPOSE, SERVICES, found)
    assert nats.ok
    assert gateway.detail == "vigil-gateway-2 is running, unhealthy"
    assert gateway.mend == f"`{FILES} logs --tail 30 gateway` says why"


def test_a_service_without_a_container() -> None:
    gateway, _ = compose_checks.deployed(COMPOSE, SERVICES, compose_checks.containers(json.dumps(WELL[:1])))
    assert (gateway.ok, gateway.detail) == (False, "has no container")


def test_ports_that_somebody_else_has() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        check = compose_checks.published({"nats": {"ports": [{"published": str(port), "target": 4222}]}})
    assert not check.ok
    assert f"{port} (nats)" in check.detail


async def test_the_command_ends_with_a_status(tmp_path: Path) -> None:
    result = await vigil("doctor", "--compose", "--layer", str(tmp_path / "absent.yaml"))
    assert result.status == 1
    assert "to mend" in result.output
