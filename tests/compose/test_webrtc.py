"""The layer for cameras of browsers, in real containers: a client outside publishes by WHIP, media come over UDP."""

import asyncio
import re
import time
from pathlib import Path

import pytest
from aiortc.contrib.media import MediaPlayer
from compose_stage import Deployment, Table, docker
from system import decisions, rest, subscriber
from whip_client import publishing

from vigil.testing.eventually import eventually
from vigil.testing.ports import free_ports

pytestmark = pytest.mark.timeout(900)

PORTS = 20
FIRST_ALERT_S = 180.0
CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ (\w+)")


async def test_an_alert_comes_from_a_camera_that_a_client_publishes(
    deployment: Deployment, table: Table, tmp_path: Path
) -> None:
    first = free_ports(PORTS)
    told = {"VIGIL_WEBRTC_UDP_PORTS": f"{first}-{first + PORTS - 1}", "VIGIL_WEBRTC_ADVERTISED_ADDRESS": "127.0.0.1"}
    cameras = deployment.with_files("compose.webrtc.yaml").with_variables(told)
    await deployment.forget()
    await cameras.run("up", "--detach")
    await cameras.until(cameras.is_healthy, "every container is healthy with a range of UDP ports")
    track = MediaPlayer(str(await asyncio.to_thread(_video, cameras, tmp_path)), loop=True).video
    assert track is not None
    async with rest(cameras) as gateway, subscriber(cameras, "vigil.v1.alert.demo.>") as alerts:
        url = f"{gateway.url}/v1/whip?name=Desk&watch=Alert me when a fire starts."
        began = time.monotonic()
        async with publishing(gateway.http, url, track) as published:
            session = published.location.split("/")[5]
            found = CANDIDATE.findall(published.peer.remoteDescription.sdp)
            await eventually(lambda: gateway.turns(session, 1), FIRST_ALERT_S, "the first picture is decided on")
            _, _, event = await alerts.wait_for(lambda _, event: event["data"]["session"] == session, FIRST_ALERT_S)
            table.note("a camera published by WebRTC until its alert", f"{time.monotonic() - began:.0f} s")
    assert event["data"]["state"] == "opened"
    assert ("127.0.0.1", True) in {(address, first <= int(port) < first + PORTS) for address, port, _ in found}
    assert await decisions(cameras, session)


def _video(deployment: Deployment, folder: Path) -> Path:
    """The demo's camera, out of the image that has it."""
    container = docker("create", f"vigil-cli:{deployment.variables['VIGIL_VERSION']}").strip()
    try:
        docker("cp", f"{container}:/opt/vigil/demo.mp4", str(folder / "demo.mp4"))
    finally:
        docker("rm", container)
    return folder / "demo.mp4"
