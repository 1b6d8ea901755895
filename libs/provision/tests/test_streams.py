"""Streams that are made before a service needs them: on one server, and kept by three."""

from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest

from vigil.contract.streams import STREAMS
from vigil.testing.ports import free_port
from vigil_provision.testing.command import provision
from vigil_provision.testing.deployments import of_a_site
from vigil_provision.testing.servers import ConfiguredNats

NAMES = {*(stream.name for stream in STREAMS), "OBJ_VIGIL_SNAPSHOTS", "OBJ_VIGIL_ARTEFACTS"}


class Member(ConfiguredNats):
    """One server of a cluster of three."""

    def __init__(self, folder: Path, number: int, ports: list[int]) -> None:
        super().__init__(folder, of_a_site().nats_config)
        self._number = number
        self._ports = ports

    def command(self) -> list[str]:
        listen = f"nats://127.0.0.1:{self._ports[self._number]}"
        routes = ",".join(f"nats://127.0.0.1:{port}" for port in self._ports)
        cluster = ["--cluster_name", "vigil", "--cluster", listen, "--routes", routes]
        return [*super().command(), "--name", f"vigil-{self._number}", *cluster]


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[list[Member]]:
    ports = [free_port() for _ in range(3)]
    members = [Member(tmp_path / str(number), number, ports) for number in range(3)]
    for member in members:
        await member.start()
    yield members
    for member in members:
        await member.kill()


async def replicas(url: str) -> dict[str, int | None]:
    """Every stream, with the number of servers that keep its messages."""
    client = await nats.connect(url)
    found = {info.config.name or "": info.config.num_replicas for info in await client.jetstream().streams_info()}
    await client.close()
    return found


async def streams(url: str, count: int) -> tuple[int, str]:
    done = await provision("streams", VIGIL_NATS_URL=url, VIGIL_STREAM_REPLICAS=str(count))
    return done.status, done.output


ON_A_SITE = pytest.mark.parametrize("deployment", [of_a_site()], indirect=True, ids=["site"])


@ON_A_SITE
async def test_the_command_makes_every_stream_and_may_run_again(server: ConfiguredNats) -> None:
    for _ in range(2):
        status, output = await streams(server.operator_url, 1)
        assert status == 0, output
    assert await replicas(server.operator_url) == dict.fromkeys(NAMES, 1)


@ON_A_SITE
async def test_a_wrong_setting_is_named(server: ConfiguredNats) -> None:
    status, output = await streams(server.operator_url, 9)
    assert (status, "VIGIL_STREAM_REPLICAS" in output) == (1, True), output


@pytest.mark.slow
async def test_three_servers_keep_every_stream(cluster: list[Member]) -> None:
    status, output = await streams(cluster[0].operator_url, 3)
    assert status == 0, output
    assert await replicas(cluster[1].operator_url) == dict.fromkeys(NAMES, 3)
