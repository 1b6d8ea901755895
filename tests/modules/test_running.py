"""The example modules at a real NATS: what a played camera shows, they see, and what they find, its session is told."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from faces.config import Config
from faces.gallery import DAY_S, DIMENSIONS, Gallery, Person
from faces.looking_for import Enrolled
from faces.looking_for import looker as face_looker
from faces.vault import new_key, read_key, save
from faces.watching import Face
from finding import Finding
from modules.pictures import SIZE, encoded, room
from modules.stage import AT_US, SECOND_US, Stage, begun, command, running, said, show_all, stage_at, until_said
from mqtt.relay import Message, relay
from mqtt.rule import Rule
from PIL import Image
from text.__main__ import looker as text_looker
from text.reading import Reading
from zones.motion import LEARNING_PICTURES

from vigil.core.observation import Box
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.servers import NatsServer
from vigil_client.modules import Frame, Module

ZONES = """
[[zone]]
name = "the door"
polygon = [[0.1, 0.3], [0.3, 0.3], [0.3, 0.9], [0.1, 0.9]]
session = "s-1"
"""
THERE = (100, 150, 160, 300)


@pytest.fixture
async def stage(nats_server: NatsServer) -> AsyncIterator[Stage]:
    async with stage_at(nats_server.url) as stage:
        yield stage


async def test_zones_as_a_process_tell_their_session_alone(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "zones.toml").write_text(ZONES)
    (tmp_path / "address").write_text(stage.address("zones") + "\n")
    async with running("zones", str(tmp_path / "zones.toml"), f"@{tmp_path / 'address'}") as process:
        await until_said(process, "demo/zones watches the door")
        pictures, both = [*[room()] * (LEARNING_PICTURES + 3), room(THERE)], ("s-1", "s-2")
        seen = await stage.show_until_told(pictures, "something moves in the door", process, both)
        await stage.show_until_told([room()], "nothing moves in the door any more", process, both)
        process.send_signal(signal.SIGTERM)
        assert "ended" in await said(process)
        assert await process.wait() == 0
    assert (seen.module, seen.kind) == ("zones", "zone")
    assert AT_US < seen.capture_time_us <= AT_US + stage.shown * SECOND_US
    assert seen.box is not None
    assert (seen.box.left, seen.box.top) == pytest.approx((100, 150), abs=8)
    assert stage.texts("s-2") == []


# A module that loses the first cancellation, as one does that NATS answers in that moment.
DEAF_ONCE = """
import asyncio
import looking

async def deaf_once():
    looking.say("begun")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        looking.say("not heard")
    await asyncio.Event().wait()

raise SystemExit(looking.run(deaf_once()))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_module_ends_also_when_the_first_signal_is_lost(number: signal.Signals) -> None:
    async with begun((sys.executable, "-c", DEAF_ONCE)) as process:
        await until_said(process, "begun")
        process.send_signal(number)
        assert "not heard\nended\n" in await said(process)
        assert await process.wait() == 0


# A module whose look never ends.
LOOKS_ON = """
import asyncio
import sys
import threading
import looking

async def looks_on():
    sys.stdout = open(1, "w", closefd=False)  # with a buffer, as where no terminal reads it
    print("a picture was seen")
    looking.say("begun")
    await asyncio.to_thread(threading.Event().wait)

raise SystemExit(looking.run(looks_on()))
"""

# A module that fails while another look of it never ends.
FAILS = """
import asyncio
import threading
import looking
from vigil_client.errors import ClientError

async def fails():
    look = asyncio.ensure_future(asyncio.to_thread(threading.Event().wait))
    look.add_done_callback(lambda _: looking.say("failed"))
    await asyncio.sleep(0)
    raise ClientError("broken")

raise SystemExit(looking.run(fails()))
"""


async def test_a_module_ends_also_while_it_looks() -> None:
    async with begun((sys.executable, "-c", LOOKS_ON)) as process:
        await until_said(process, "begun")
        process.send_signal(signal.SIGTERM)
        assert "a picture was seen\n" in await said(process)
        assert await process.wait() == 0


async def test_a_module_that_failed_while_it_looks_can_be_ended() -> None:
    async with begun((sys.executable, "-c", FAILS)) as process:
        await until_said(process, "failed")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_S):
            assert await process.wait() == -signal.SIGTERM


@pytest.mark.parametrize(
    ("zones", "told"),
    [("[[zone]]\nname = 'a'", "needs `name` and `polygon`"), (None, "cannot be read")],
)
async def test_a_file_that_says_nothing_ends_the_process_with_words(
    zones: str | None, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "zones.toml"
    if zones is not None:
        path.write_text(zones)
    status, text = await command("zones", str(path), "nats://module.demo.zones:x@127.0.0.1:1")
    assert status == 1
    assert told in text


async def test_a_vigil_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "zones.toml").write_text(ZONES)
    status, text = await command("zones", str(tmp_path / "zones.toml"), "nats://module.demo.zones:x@127.0.0.1:1")
    assert status == 1
    assert "NATS at 127.0.0.1:1 cannot be used" in text
    assert "next: " in text
    assert ":x@" not in text


@pytest.mark.parametrize("name", ["text", "faces", "mqtt"])
async def test_without_its_extra_a_module_names_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(
        "[broker]\nhost = 'localhost'\n[[rule]]\ntopic = 'a'\nkind = 'b'\ntext = 'c'\n"
        if name == "mqtt"
        else "is_on = true\nsessions = ['s-1']\nfaces_file = 'faces'\nkey_file = 'key'\n"
    )
    address = f"nats://module.demo.{name}:x@127.0.0.1:1"
    status, text = await command(name, *{"text": (), "mqtt": (str(file),), "faces": (str(file), "run")}[name], address)
    assert status == 1
    assert "make modules" in text
    assert "Traceback" not in text


class ScriptedReader:
    """Reads what the script says, picture after picture."""

    def __init__(self, *pictures: Sequence[Reading]) -> None:
        self._pictures = list(pictures)

    def read(self, jpeg: bytes) -> Sequence[Reading]:
        return self._pictures.pop(0) if self._pictures else ()


async def test_a_text_is_told_with_its_picture_and_its_place(stage: Stage) -> None:
    sign = Reading("EXIT", 0.9, (10, 20, 100, 30))
    await show_all(stage, "text", "text", text_looker(ScriptedReader(*[[sign]] * 99)), [("s-1", room())] * 3)
    seen = await stage.until_told('the picture shows the text "EXIT"')
    assert (seen.module, seen.kind, seen.confidence, seen.box) == ("text", "text", 0.9, Box(10, 20, 100, 30))
    assert len(stage.texts()) == 1


class ScriptedFinder:
    """Finds the same face in every picture, and counts the pictures."""

    def __init__(self) -> None:
        self.looked = 0

    def faces(self, jpeg: bytes) -> Sequence[Face]:
        self.looked += 1
        return [Face((0.0,) * DIMENSIONS, (10, 20, 80, 80))]


async def test_a_name_is_told_in_the_sessions_that_are_named_until_it_is_forgotten(
    stage: Stage, tmp_path: Path
) -> None:
    config = Config(tmp_path / "faces", tmp_path / "key", is_on=True, sessions=("s-1",))
    new_key(config.key_file)
    key, now_s, finder = read_key(config.key_file), int(time.time()), ScriptedFinder()
    anna = Person("Anna", "agreed in writing on 3 March", now_s, now_s + DAY_S, ((0.0,) * DIMENSIONS,))
    look = face_looker(config.sessions, finder, Enrolled(config).now)
    pictures = [(session, room()) for session in ("s-1", "s-2") * 4]

    await show_all(stage, "faces", "face", look, pictures)
    assert (finder.looked, stage.told) == (0, [])

    save(Gallery((anna,)), config.faces_file, key)
    await show_all(stage, "faces", "face", look, pictures)
    seen = await stage.until_told("Anna is in the picture")
    assert (seen.module, seen.kind, seen.confidence, seen.box) == ("faces", "face", 1.0, Box(10, 20, 80, 80))
    assert (finder.looked, len(stage.told)) == (4, 1)

    save(Gallery((anna,)).forget("Anna"), config.faces_file, key)
    await show_all(stage, "faces", "face", look, pictures)
    assert (finder.looked, len(stage.told)) == (4, 1)


async def test_a_picture_that_cannot_be_read_is_left_out(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    def look(frame: Frame) -> Sequence[Finding]:
        if frame.width == SIZE[0]:
            raise OSError("truncated")
        return [Finding("a small picture")]

    small = encoded(Image.new("RGB", (64, 64)))
    await show_all(stage, "size", "size", look, [("s-1", room()), ("s-1", small)])
    await stage.until_told("a small picture")
    assert "a picture of s-1 was left out: truncated" in capfd.readouterr().err


async def test_a_message_is_told_to_every_session_that_sees_something(stage: Stage) -> None:
    rules = [
        Rule("house/+/temperature", "temperature", "it is {value} °C in the {1}", above=40, every_s=1, ttl_s=60),
        Rule("bell", "sound", "the bell rang", session="s-9"),
    ]
    queue: asyncio.Queue[Message] = asyncio.Queue()

    async def messages() -> AsyncIterator[Message]:
        while True:
            yield await queue.get()

    async with Module.connect(url=stage.address("cellar")) as module:
        relaying = asyncio.create_task(relay(module, rules, messages()))
        while not all("it is 41 °C in the cellar" in stage.texts(session) for session in ("s-1", "s-2")):
            await stage.show(room(), "s-1")
            await stage.show(room(), "s-2")
            queue.put_nowait(Message("house/cellar/temperature", b"41"))
            queue.put_nowait(Message("bell", b"1"))
            stage.news.clear()
            await asyncio.wait({relaying, asyncio.ensure_future(stage.news.wait())}, timeout=0.2)
        relaying.cancel()
    seen = await stage.until_told("it is 41 °C in the cellar")
    assert (seen.module, seen.kind, seen.ttl_ms, seen.box) == ("cellar", "temperature", 60_000, None)
    assert set(stage.texts("s-9")) == {"the bell rang"}
    assert set(stage.texts("s-1")) == {"it is 41 °C in the cellar"}
