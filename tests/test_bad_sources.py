"""A source that cannot be watched is refused at the door: with its fault, what to do, and no credential anywhere."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio
from door import KEY, Door, open_door

from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.rtsp import RtspServer
from vigil.testing.videos import write_video
from vigil_client.api import Client
from vigil_client.events import Event, RoleStatus
from vigil_client.options import NewSession, NewSource

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

SECRET = "S3CRET"
USER = "ADM1N"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Gateway and ingestion, started once."""
    async with open_door(tmp_path_factory.mktemp("door")) as opened:
        yield opened


def _text(folder: Path) -> str:
    (folder / "text.mp4").write_text("this is no video\n" * 300)
    return (folder / "text.mp4").as_uri()


def _zero(folder: Path) -> str:
    (folder / "zero.mp4").touch()
    return (folder / "zero.mp4").as_uri()


def _cut(folder: Path) -> str:
    """A file whose index, at its end, is gone."""
    whole = write_video(folder / "cut.mp4", seconds=2)
    content = whole.read_bytes()
    whole.write_bytes(content[: content.rindex(b"moov") - 4])
    return whole.as_uri()


def _unknown_codec(folder: Path) -> str:
    """A video that is said to be coded as EVC, which nobody here decodes."""
    video = write_video(folder / "evc.mp4", seconds=1)
    video.write_bytes(video.read_bytes().replace(b"avc1", b"evc1"))
    return video.as_uri()


def _playlist(folder: Path) -> str:
    (folder / "list.m3u8").write_text("#EXTM3U\n#EXTINF:9,\nhttp://169.254.169.254/a.ts\n")
    return (folder / "list.m3u8").as_uri()


def _nobody(_: Path) -> str:
    return f"rtsp://{USER}:{SECRET}@127.0.0.1:{free_port()}/cam"


def _written(authority: str) -> Callable[[Path], str]:
    return lambda _: f"rtsp://{USER}:{authority}/cam"


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        pytest.param(_nobody, "unreachable", id="unreachable"),
        pytest.param(_text, "not_a_video", id="text file"),
        pytest.param(_zero, "empty", id="zero bytes"),
        pytest.param(_cut, "not_a_video", id="cut before its index"),
        pytest.param(_unknown_codec, "not_a_video", id="codec without a decoder"),
        pytest.param(_playlist, "not_a_video", id="playlist"),
        pytest.param(lambda folder: (folder / "none.mp4").as_uri(), "not_found", id="no such file"),
        pytest.param(_written(f"{SECRET}@127.0.0.1:99999"), "forbidden", id="bad port"),
        pytest.param(_written(f"{SECRET}@[::1"), "forbidden", id="bad brackets"),
        pytest.param(_written(f"pa/{SECRET}@127.0.0.1"), "wrong_credentials", id="slash in the password"),
        pytest.param(_written(f"pa#{SECRET}@127.0.0.1"), "wrong_credentials", id="hash in the password"),
        pytest.param(_written(f"pa?{SECRET}@127.0.0.1"), "wrong_credentials", id="question mark in the password"),
        pytest.param(_written(f"p@{SECRET}/w@127.0.0.1"), "wrong_credentials", id="at sign and slash in the password"),
        pytest.param(_written(f"12/{SECRET}@127.0.0.1"), "wrong_credentials", id="slash after digits in the password"),
        pytest.param(_written(f"{SECRET}@169.254.169.254"), "forbidden", id="inside the cluster"),
    ],
)
async def test_a_bad_source_is_refused(door: Door, tmp_path: Path, source: Callable[[Path], str], fault: str) -> None:
    await _refused(door, await asyncio.to_thread(source, tmp_path), fault)


@pytest.mark.rtsp
async def test_wrong_credentials_are_refused(door: Door, tmp_path: Path) -> None:
    video = await asyncio.to_thread(write_video, tmp_path / "camera.mp4")
    camera = RtspServer(video, USER, f"not-{SECRET}")
    await camera.start()
    try:
        await _refused(door, _with_login(camera), "wrong_credentials")
        await _refused(door, camera.url, "wrong_credentials")
    finally:
        await camera.kill()


@pytest.mark.rtsp
async def test_a_camera_that_dies_is_trouble_that_the_client_shows(door: Door, tmp_path: Path) -> None:
    video = await asyncio.to_thread(write_video, tmp_path / "camera.mp4", seconds=6)
    camera = RtspServer(video, USER, SECRET)
    await camera.start()
    try:
        async with Client(door.url, KEY) as client:
            session = (await client.create_session(NewSession(NewSource(_with_login(camera))))).id
            await eventually(lambda: _watched(client, session), what="the camera is watched")
            async with aclosing(client.events(session)) as events:
                await _shown(events, lambda text: not text)
                await camera.kill()
                trouble = await _shown(events, lambda text: text.startswith("ingestion reconnecting: "))
            await client.end_session(session)
    finally:
        await camera.kill()
    assert trouble.partition(": ")[2], "the fault is told, not only that there is one"
    _assert_clean(trouble + door.logs())


async def _refused(door: Door, url: str, fault: str) -> None:
    status, text = await door.post("/v1/sessions", {"source": {"url": url}})
    problem = json.loads(text)
    assert (status, problem["type"]) == (422, "urn:vigil:problem:source_fault"), text
    assert problem["fault"] == fault, text
    assert problem["detail"]
    assert problem["next_step"]
    _assert_clean(text + door.logs())


def _assert_clean(text: str) -> None:
    for word in (SECRET, USER, "Traceback"):
        assert word not in text


def _with_login(camera: RtspServer) -> str:
    return camera.url.replace("//", f"//{USER}:{SECRET}@")


async def _watched(client: Client, session: str) -> bool:
    return bool((await client.session(session)).status.get("ingestion", {}).get("state") == "watching")


async def _shown(events: AsyncIterator[Event], wanted: Callable[[str], bool]) -> str:
    """What the next role status that is `wanted` says."""
    async with asyncio.timeout(DEADLINE_S):
        async for event in events:
            if isinstance(event, RoleStatus) and wanted(event.text):
                return event.text
    raise AssertionError("the stream has ended")
