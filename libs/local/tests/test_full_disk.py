"""A full disk: it is named, what ends because of it is started again, and all goes on when there is room."""

import asyncio
import contextlib
import stat
from dataclasses import replace
from pathlib import Path

import nats
import pytest
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from redis.asyncio import Redis
from redis.exceptions import RedisError

from vigil.contract.services import SERVICES
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_ports
from vigil_local.errors import DiskFull, ProcessFailed
from vigil_local.supervisor import disk, gates
from vigil_local.supervisor.layout import binaries
from vigil_local.supervisor.liveness import until_unhealthy
from vigil_local.supervisor.plan import PREFERRED_PORTS, Options, RemoteEngine, make_plan
from vigil_local.supervisor.stack import UpOptions, running
from vigil_local.supervisor.supervisor import ProcessSpec, State, Status, Supervisor
from vigil_local.testing.processes import environment, program
from vigil_local.testing.small_disk import small_disk
from vigil_provision.secrets import Secrets

SECRETS = Secrets("nats-secret", "redis-secret", "a-key")


def test_a_shortage_is_named_with_its_place(tmp_path: Path) -> None:
    assert disk.shortage(tmp_path, full_bytes=0) == ""
    free_mb = disk.free_bytes(tmp_path) / 1e6
    assert disk.shortage(tmp_path, full_bytes=1 << 62) == f"disk full: {free_mb:.0f} MB free on {tmp_path}"
    assert disk.shortage(tmp_path / "absent") == ""


async def test_a_disk_is_spoken_of_when_it_fills_and_when_there_is_room(tmp_path: Path) -> None:
    said: list[str] = []
    with small_disk(tmp_path / "disk") as small:
        async with disk.watched(small.path, said.append, poll_s=0.01):
            small.fill()
            await eventually(lambda: len(said) == 1, what="the full disk being named")
            small.make_room()
            await eventually(lambda: len(said) == 2, what="the room being named")
        small.fill()
    assert said[0].startswith(f"disk full: 0 MB free on {small.path}: nothing can be stored until")
    assert said[1] == f"there is room again: 84 MB free on {small.path}"


async def test_nothing_is_started_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_mb=8) as small:
        options = UpOptions(tmp_path, "http://127.0.0.1:1", "m", data_dir=small.path / "run")
        with pytest.raises(DiskFull, match=r"disk full: 8 MB free on .*/disk/run") as full:
            async with running(options, lambda _: None, lambda _: None):
                pass
    assert "make room" in full.value.next_step


async def test_an_unhealthy_process_is_started_again_after_a_while_but_not_while_the_disk_is_full(
    tmp_path: Path,
) -> None:
    answers = ["", "broken", "", "broken", "broken", "broken"]

    async def ask() -> str:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    assert await until_unhealthy(ask, tmp_path, unhealthy_s=0.02, poll_s=0.01) == "unhealthy for 0.02 s: broken"
    with small_disk(tmp_path / "disk") as small:
        small.fill()
        unhealthy = asyncio.create_task(until_unhealthy(ask, small.path, unhealthy_s=0.02, poll_s=0.01))
        done, _ = await asyncio.wait({unhealthy}, timeout=0.2)
        assert not done, "a new start on a full disk changes nothing"
        small.make_room()
        await asyncio.wait_for(unhealthy, DEADLINE_S)


async def test_what_ends_on_a_full_disk_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as small:
        gate = gates.http("http://127.0.0.1:1/")
        spec = ProcessSpec("web", program("crash", 3), environment(), gate, start_attempts=1)
        async with Supervisor([spec], small.path / "logs", lambda _: None) as supervisor:
            small.fill()
            with pytest.raises(ProcessFailed, match="exited with status 1; disk full: 0 MB free on") as failure:
                await supervisor.ready()
        assert failure.value.lines[-1] == "the disk is on fire", "from memory: the log could not be written"
        assert stat.S_IMODE((small.path / "logs").stat().st_mode) == 0o700


def servers_on(directory: Path) -> tuple[list[ProcessSpec], dict[str, int]]:
    """NATS and Redis as `vigil up` runs them, and the ports of everything."""
    first = free_ports(len(PREFERRED_PORTS))
    ports = {name: first + number for number, name in enumerate(PREFERRED_PORTS)}
    plan = make_plan(
        Options(
            data_dir=directory,
            temporary_dir=directory,
            engine=RemoteEngine(("http://127.0.0.1:1",)),
            model="m",
            profile="vigil-small",
            ports=ports,
            binaries=binaries(SERVICES),
            secrets=SECRETS,
            environment=environment(),
        )
    )
    for path in plan.directories:
        path.mkdir(mode=0o700)
    for path, text in plan.files.items():
        path.write_text(text)
    return [replace(spec, unhealthy_s=0.5) for spec in plan.specs if spec.name in ("nats", "redis")], ports


async def stores(redis: Redis, jetstream: JetStreamContext) -> tuple[bool, bool]:
    """Whether Redis and JetStream take something now."""
    taken = [False, False]
    with contextlib.suppress(RedisError, OSError):
        taken[0] = bool(await redis.set("later", "x" * 100_000))
    with contextlib.suppress(NatsError):
        taken[1] = bool(await jetstream.publish("kept.later", b"x" * 100_000, timeout=0.3))
    return taken[0], taken[1]


async def test_redis_and_nats_go_on_by_themselves_when_there_is_room(tmp_path: Path) -> None:
    changes: list[Status] = []
    with small_disk(tmp_path / "disk") as small:
        specs, ports = servers_on(small.path)
        async with Supervisor(specs, small.path / "logs", changes.append) as supervisor:
            await supervisor.ready()
            address = f"nats://operator:{SECRETS.nats_password}@127.0.0.1:{ports['nats']}"
            bus = await nats.connect(address, reconnect_time_wait=0.2)
            jetstream = bus.jetstream()
            await jetstream.add_stream(name="KEPT", subjects=["kept.>"])
            async with Redis(port=ports["redis"], username="operator", password=SECRETS.redis_password) as redis:
                await redis.set("before", "1")
                await jetstream.publish("kept.before", b"1")
                small.fill()

                async def nothing_is_stored() -> bool:
                    return await stores(redis, jetstream) == (False, False)

                async def all_is_stored() -> bool:
                    return await stores(redis, jetstream) == (True, True)

                await eventually(nothing_is_stored, what="the full disk being felt")
                await eventually(lambda: ended("redis", changes) != [], what="the end of Redis")
                small.make_room()
                await eventually(all_is_stored, what="both storing again")
                assert await redis.get("before") == b"1"
                assert (await jetstream.get_msg("KEPT", seq=1)).data == b"1"
            await bus.close()
    # A machine that stands still for half a second may end either for that, too.
    full = f"exited with status 1; disk full: 0 MB free on {small.path}"
    assert any(full in why for why in ended("redis", changes)), changes
    assert any("unhealthy for 0.5 s: JetStream stream" in why for why in ended("nats", changes)), changes


def ended(name: str, changes: list[Status]) -> list[str]:
    """Why a process was started again, each time."""
    return [change.detail for change in changes if (change.name, change.state) == (name, State.RESTARTING)]
