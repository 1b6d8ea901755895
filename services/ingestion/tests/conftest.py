"""Fixtures of ingestion's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vigil.testing.ports import free_port as find_port
from vigil.testing.rtsp import Camera, RtspServer, available
from vigil.testing.videos import write_video


@pytest.fixture
def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    return find_port()


@pytest.fixture
async def camera(tmp_path: Path) -> AsyncIterator[Camera]:
    """Starts RTSP cameras of this test's own; `user` and `password` protect one, `udp` sends by UDP."""
    if not available():
        pytest.skip("GStreamer's RTSP server is not installed (Debian: gir1.2-gst-rtsp-server-1.0)")
    started: list[RtspServer] = []

    async def start(user: str = "", password: str = "", udp: bool = False, sound_hz: int = 0) -> RtspServer:
        video = write_video(tmp_path / "camera.mp4", seconds=6, rate=10, key_frame_every=20)
        server = RtspServer(video, user, password, udp, sound_hz=sound_hz)
        await server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        await server.kill()
