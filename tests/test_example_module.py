"""The module to begin with, as docs/modules.md runs it, at the NATS of a site."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg

from vigil.contract import subjects
from vigil.contract.events.observations import read_observation
from vigil.contract.frames import Frame, FrameGroup, encode_group
from vigil.contract.permissions import inbox_prefix
from vigil.contract.services import INGESTION, INTERACTION
from vigil.core.ids import SessionKey
from vigil.core.observation import Observation
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.handled import handled
from vigil.testing.images import jpeg
from vigil_provision.nats_reload import reload
from vigil_provision.site import Site, nats_file
from vigil_provision.testing.deployments import of_a_site
from vigil_provision.testing.servers import SECRETS, ConfiguredNats

TEMPLATE = Path(__file__).parent.parent / "examples/modules/template/module.py"
AT_US = 1_767_225_600_123_457
DARK, BRIGHT = (10, 10, 10), (200, 200, 200)


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Process]:
    """The template as a process, with all that it says."""
    command = (sys.executable, str(TEMPLATE), *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ConfiguredNats]:
    """The NATS of a site whose tenant `demo` has the module `zones`."""
    started = ConfiguredNats(tmp_path / "nats", of_a_site().nats_config)
    await started.start()
    yield started
    await started.kill()


@asynccontextmanager
async def service(server: ConfiguredNats, name: str) -> AsyncIterator[Nats]:
    connection = await nats.connect(server.url_of(name), inbox_prefix=inbox_prefix(name))
    yield connection
    await connection.close()


async def show(ingestion: Nats, session: str, colour: tuple[int, int, int], at_us: int) -> None:
    key = SessionKey("demo", session)
    picture = Frame(jpeg(colour, (320, 192)), 320, 192, at_us)
    await ingestion.publish(subjects.raw_frames(key), encode_group(FrameGroup(key, 0, 0, (picture,), 1)))
    await ingestion.flush()


async def test_it_tells_each_session_how_its_picture_is_with_its_time_and_says_so(server: ConfiguredNats) -> None:
    heard: asyncio.Queue[Msg] = asyncio.Queue()
    async with service(server, INGESTION.name) as ingestion, service(server, INTERACTION.name) as worker:
        await worker.subscribe("vigil.v1.observation.demo.*.*", cb=heard.put)
        await handled(worker)
        async with running(server.module_url("demo", "zones")) as module:
            both = asyncio.ensure_future(first_of_each(heard, 2))
            while not both.done():
                assert module.returncode is None, (await module.communicate())[0].decode()
                await show(ingestion, "s-1", DARK, AT_US + 1)
                await show(ingestion, "s-2", BRIGHT, AT_US)
                await asyncio.wait({both}, timeout=0.2)
            assert module.stdout is not None
            async with asyncio.timeout(DEADLINE_S):
                said = await module.stdout.readuntil(b"s-2 at 0 s: the picture is light\n")
    told = both.result()
    dark, light = told["s-1"], told["s-2"]
    assert dark == Observation("zones", "light", "the picture is dark", AT_US + 1, dark.id)
    assert light == Observation("zones", "light", "the picture is light", AT_US, light.id)
    assert said.startswith(b"demo/zones waits for pictures\n")


async def first_of_each(heard: asyncio.Queue[Msg], sessions: int) -> dict[str, Observation]:
    """What each of so many sessions was told first."""
    told: dict[str, Observation] = {}
    while len(told) < sessions:
        message = await heard.get()
        key, observation = read_observation(message.subject, message.data)
        assert message.subject == f"vigil.v1.observation.demo.{key.session}.zones"
        told.setdefault(key.session, observation)
    return told


async def until_it_waits(module: Process) -> None:
    assert module.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        await module.stdout.readuntil(b"waits for pictures\n")


async def the_rest(module: Process) -> str:
    """What it says until it ends."""
    return (await asyncio.wait_for(module.communicate(), DEADLINE_S))[0].decode()


async def test_an_address_that_opens_nothing_says_what_to_do(server: ConfiguredNats) -> None:
    async with running(server.module_url("demo", "zones").replace("module.demo", "module.acme")) as module:
        said = await the_rest(module)
    place = f"127.0.0.1:{server.port}"
    assert said.startswith(f"error: NATS at {place} does not let the user module.acme.zones in (Author")
    assert "\nnext: `vigil modules` lists the addresses" in said
    assert module.returncode == 1


async def test_a_module_that_is_removed_ends_with_one_error(server: ConfiguredNats) -> None:
    async with running(server.module_url("demo", "zones")) as module:
        await until_it_waits(module)
        server.configure(nats_file(Site(), SECRETS, ["demo"]))
        await reload(server.system_url)
        said = await the_rest(module)
    lines = [line for line in said.splitlines() if "connection to NATS was lost" not in line]
    assert [line.partition(":")[0] for line in lines] == ["error", "next"], said
    assert "does not let the user module.demo.zones in" in lines[0]
    assert module.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_lives_through_a_restart_of_nats_and_ends_quietly_when_it_is_told_to(
    server: ConfiguredNats, number: signal.Signals
) -> None:
    async with running(server.module_url("demo", "zones")) as module:
        await until_it_waits(module)
        await server.restart()
        assert module.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            assert (
                await module.stdout.readline() == b"vigil module: the connection to NATS was lost: connecting again\n"
            )
            assert await module.stdout.readline() == b"vigil module: the fault has ended\n"
        module.send_signal(number)
        assert await the_rest(module) == ""
    assert module.returncode == 0


@pytest.mark.parametrize(("arguments", "status"), [((), 2), (("--help",), 0), (("a", "b"), 2)])
async def test_it_says_how_it_is_used(arguments: tuple[str, ...], status: int) -> None:
    async with running(*arguments) as module:
        said = await the_rest(module)
    assert said.startswith("usage: module.py ADDRESS\n")
    assert module.returncode == status


async def test_its_address_may_stand_in_a_file(server: ConfiguredNats, tmp_path: Path) -> None:
    (tmp_path / "address").write_text(server.module_url("demo", "zones") + "\n")
    async with running(f"@{tmp_path / 'address'}") as module:
        await until_it_waits(module)
    async with running(f"@{tmp_path / 'nothing'}") as module:
        assert "cannot be read" in await the_rest(module)


def test_it_is_as_short_as_it_says() -> None:
    lines = [line for line in TEMPLATE.read_text().splitlines() if line.strip()]
    assert len(lines) <= 30
