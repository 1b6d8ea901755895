"""A downstream system as it is in truth: the NATS users of `vigil up`, the gateway's history, the SDK, the README."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import nats
import pytest

from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.services import GATEWAY, INTERACTION
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil_client.alerts import alert_subject, alerts, messages, utterances
from vigil_client.errors import ClientError
from vigil_client.testing.scripted_answers import alert_json
from vigil_gateway.live.history import answer_history
from vigil_local.testing.servers import UpNats, nats_running

README = Path(__file__).parent.parent / "README.md"
COMPOSE_PAGE = README.parent / "docs" / "compose.md"
OPENED = "vigil.v1.alert.demo.lobby.opened"
HOUR = timedelta(hours=1)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[UpNats]:
    """NATS as `vigil up` runs it, and the gateway's user answering for the past."""
    async with nats_running(tmp_path, ("acme",)) as running:
        answering = asyncio.create_task(answer_history(BusConfig(running.url_of(GATEWAY.name), GATEWAY.name)))
        yield running
        answering.cancel()
        await asyncio.wait({answering})


@pytest.fixture
async def interaction(server: UpNats) -> AsyncIterator[Bus]:
    """Who publishes alerts."""
    async with Bus.connect(BusConfig(server.url_of(INTERACTION.name), INTERACTION.name)) as bus:
        await bus.connected()
        yield bus


async def store(bus: Bus, number: int, tenant: str = "demo") -> None:
    event = json.dumps(alert_json("opened", number, tenant=tenant, text=f"Words {number}.")).encode()
    subject = f"vigil.v1.alert.{tenant}.lobby.opened"
    await bus.publish_stored(Outgoing(subject, f"{tenant}.a-1.{number}", event, CLOUDEVENT))


async def test_a_reader_without_a_password_hears_the_past_and_the_present(server: UpNats, interaction: Bus) -> None:
    for number in range(600):
        await store(interaction, number)
    await store(interaction, 0, "acme")
    heard = alerts(server.open_url, since=HOUR)
    async with asyncio.timeout(DEADLINE_S):
        assert [(await anext(heard)).text for _ in range(600)] == [f"Words {number}." for number in range(600)]
        await store(interaction, 600)
        assert (await anext(heard)).text == "Words 600."


async def test_a_tenants_reader_hears_its_own(server: UpNats, interaction: Bus) -> None:
    await store(interaction, 1)
    await store(interaction, 2, "acme")
    async with asyncio.timeout(DEADLINE_S):
        assert (await anext(alerts(server.tenant_url("acme"), "acme", since=HOUR))).text == "Words 2."


async def test_another_tenants_events_are_refused_in_words(server: UpNats) -> None:
    with pytest.raises(ClientError, match=r"NATS does not let this user hear vigil\.v1\.alert\.acme\.\*\.\*"):
        await anext(alerts(server.open_url, "acme"))
    with pytest.raises(ClientError, match="does not let this user hear"):
        await anext(messages(server.open_url, alert_subject("*")))
    with pytest.raises(ClientError, match="does not let this user hear"):
        await anext(utterances(server.tenant_url("acme"), "demo", since=HOUR))


async def test_a_downstream_system_neither_speaks_to_sessions_nor_listens_to_their_sound(server: UpNats) -> None:
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error).lower())

    operator = await nats.connect(server.operator_url)
    heard = await operator.subscribe("vigil.v1.>")
    await operator.flush()
    said = (
        "audio.in",
        "audio.out",
        "audio.activity",
        "transcript.final",
        "transcript.partial",
        "speech.started",
        "command",
    )
    deeds = 2 * len(said) + 4
    for url in (server.open_url, server.tenant_url("acme")):
        errors.clear()
        client = await nats.connect(url, error_cb=note)
        for kind in said:
            await client.publish(f"vigil.v1.{kind}.demo.s-1", b"x")
            await client.publish(f"vigil.v1.{kind}.acme.s-1", b"x")
        for kind in ("audio.in", "audio.out", "audio.activity", "transcript.partial"):
            await client.subscribe(f"vigil.v1.{kind}.>")
        await client.flush()
        await eventually(lambda: len(errors) >= deeds, what="every deed is refused")
        assert sum("publish" in error for error in errors) == 2 * len(said), errors
        assert sum("subscription" in error for error in errors) == 4, errors
        await client.close()
    await operator.flush()
    assert heard.pending_msgs == 0, "and nothing of it reached the services"
    await operator.close()


async def test_the_subscriber_of_the_page_of_compose_has_its_address_from_its_environment(
    server: UpNats, interaction: Bus, tmp_path: Path
) -> None:
    (program,) = re.findall(r"```python\n(import asyncio.*?)```", COMPOSE_PAGE.read_text(), re.DOTALL)
    file = tmp_path / "subscriber.py"
    file.write_text(program)
    environment = {"PATH": os.defpath, "VIGIL_NATS_URL": server.open_url}
    process = await asyncio.create_subprocess_exec(sys.executable, "-u", str(file), env=environment, stdout=PIPE)
    assert process.stdout is not None
    reading = asyncio.ensure_future(process.stdout.readline())
    number = 0
    while not reading.done():  # until it listens
        number += 1
        await store(interaction, number)
        await asyncio.wait({reading}, timeout=0.1)
    assert reading.result().startswith(f"{OPENED} {{".encode())
    process.kill()
    await process.wait()


async def test_the_subscriber_of_the_readme_survives_what_it_does_not_expect(
    server: UpNats, interaction: Bus, tmp_path: Path
) -> None:
    (program,) = re.findall(r"```python\n(import asyncio.*?)```", README.read_text(), re.DOTALL)
    file = tmp_path / "subscriber.py"
    file.write_text(program.replace("nats://127.0.0.1:4222", server.open_url))
    command = (sys.executable, "-u", str(file))
    process = await asyncio.create_subprocess_exec(*command, env={"PATH": os.defpath}, stdout=PIPE)
    assert process.stdout is not None
    reading = asyncio.ensure_future(process.stdout.readline())
    operator = await nats.connect(server.operator_url)
    while not reading.done():  # until it listens
        await operator.publish(OPENED, b"")
        await asyncio.wait({reading}, timeout=0.1)
    for unexpected in (b"\xff\xfe", b"[]", b"null", b'{"data": null}', b'{"data": {"state": "opened"}}', b'"text"'):
        await operator.publish(OPENED, unexpected)
    await store(interaction, 7)
    async with asyncio.timeout(DEADLINE_S):
        while b"opened critical Words 7. 0.97 250.0" not in (line := await process.stdout.readline()):
            assert line == f"no alert: {OPENED}\n".encode()
    process.kill()
    await process.wait()
    await operator.close()
