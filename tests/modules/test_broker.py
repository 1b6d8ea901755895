"""The module of MQTT with a broker that nobody here wrote (amqtt): messages of sensors reach the sessions.

Needs `make modules`.
"""

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from modules.pictures import room
from modules.stage import INSTALLED, Stage, installed, running, stage_at, until_said

from vigil.core.observation import Observation
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BROKER = """
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""
RULES = """
[broker]
host = "127.0.0.1"
port = {port}

[[rule]]
topic = "building/+/temperature"
kind = "temperature"
field = "celsius"
above = 40
text = "it is {{value}} °C in the {{1}}"
"""


@pytest.fixture
async def stage(nats_server: NatsServer) -> AsyncIterator[Stage]:
    async with stage_at(nats_server.url) as stage:
        yield stage


@asynccontextmanager
async def broker(folder: Path, port: int) -> AsyncIterator[Process]:
    """A broker that takes connections."""
    installed("broker")
    (folder / "broker.yaml").write_text(BROKER.format(port=port))
    program = str(INSTALLED / "broker/bin/amqtt")
    process = await asyncio.create_subprocess_exec(
        program, "-c", str(folder / "broker.yaml"), stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        await eventually(lambda: takes_connections(port), what="the broker takes connections")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def takes_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def publish(port: int, topic: str, payload: str, *more: str) -> None:
    """What a sensor does, by the broker's own program."""
    program = str(INSTALLED / "broker/bin/amqtt_pub")
    arguments = ("--url", f"mqtt://127.0.0.1:{port}", "-t", topic, "-m", payload, *more)
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=DEVNULL, stderr=DEVNULL)
    assert await process.wait() == 0


async def publish_until_told(stage: Stage, port: int, room_name: str, celsius: float) -> Observation:
    """Publish a temperature until a session that sees something is told it."""
    text = f"it is {celsius:g} °C in the {room_name}"
    while text not in stage.texts():
        await stage.show(room())
        await publish(port, f"building/{room_name}/temperature", f'{{"celsius": {celsius}}}')
    return await stage.until_told(text)


async def test_a_temperature_over_mqtt_is_told_also_after_the_broker_was_away(stage: Stage, tmp_path: Path) -> None:
    python, port = installed("mqtt"), free_port()
    (tmp_path / "mqtt.toml").write_text(RULES.format(port=port))
    async with running("mqtt", str(tmp_path / "mqtt.toml"), stage.address("mqtt"), python=python) as process:
        await until_said(process, f"the broker 127.0.0.1:{port} is away, trying again")
        async with broker(tmp_path, port):
            await until_said(process, f"hears 127.0.0.1:{port}")
            seen = await publish_until_told(stage, port, "cellar", 41.5)
        await until_said(process, "is away, trying again")
        async with broker(tmp_path, port):
            await until_said(process, f"hears 127.0.0.1:{port}")
            await publish_until_told(stage, port, "roof", 70)
    assert (seen.module, seen.kind) == ("mqtt", "temperature")


async def test_what_a_broker_kept_of_an_unknown_age_is_not_told(stage: Stage, tmp_path: Path) -> None:
    python, port = installed("mqtt"), free_port()
    (tmp_path / "mqtt.toml").write_text(RULES.format(port=port))
    async with broker(tmp_path, port):
        await publish(port, "building/attic/temperature", '{"celsius": 55}', "-r")
        async with running("mqtt", str(tmp_path / "mqtt.toml"), stage.address("mqtt"), python=python) as process:
            await until_said(process, f"hears 127.0.0.1:{port}")
            await publish_until_told(stage, port, "cellar", 41.5)
    assert stage.texts() == ["it is 41.5 °C in the cellar"]
