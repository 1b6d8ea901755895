"""A camera on the network: its address is typed into the console, it is watched, dies and comes back."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from console_journey import WAIT_MS, Watched, log_in, watch_address
from console_stage import MISSING, NEEDS, Stage
from fire_script import WORDS
from nats.aio.msg import Msg
from playwright.async_api import Page, expect

from vigil.testing.eventually import eventually
from vigil.testing.handled import handled
from vigil.testing.rtsp import RtspServer
from vigil_recipe.render.camera import render_mp4
from vigil_recipe.world import Kind, Span, Split, make_episode

pytestmark = [
    pytest.mark.slow,
    pytest.mark.rtsp,
    pytest.mark.timeout(420),
    pytest.mark.skipif(MISSING, reason=NEEDS),
]

SECONDS = 24
FIRE = Span(Kind.FIRE, 8, 16)


@pytest.fixture
async def rtsp(tmp_path: Path) -> AsyncIterator[RtspServer]:
    """A real RTSP server whose camera shows a room in which it burns, over and over."""
    video = tmp_path / "room.mp4"
    await asyncio.to_thread(render_mp4, make_episode(901, Split.TEST, SECONDS, spans=(FIRE,), layout="room"), video)
    server = RtspServer(video)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


async def test_a_camera_on_the_network_alerts_and_outlives_a_power_cut(
    stage: Stage, page: Page, rtsp: RtspServer
) -> None:
    heard: list[dict[str, object]] = []

    async def hear(message: Msg) -> None:
        heard.append(json.loads(message.data)["data"])

    bus = await nats.connect(stage.nats_url)
    await bus.subscribe("vigil.v1.alert.demo.>", cb=hear)
    await handled(bus)
    await log_in(page)
    session = await watch_address(page, rtsp.url, Watched("Yard"))

    log = page.get_by_role("log")
    await expect(log.get_by_role("button").filter(has_text=WORDS).first).to_be_visible(timeout=WAIT_MS)
    await eventually(lambda: bool(heard), what="the alert is on NATS")
    told = heard[0]
    assert (told["session"], told["source_name"], told["text"]) == (session, "Yard", WORDS)
    await page.get_by_role("button", name="Smooth", exact=True).click()
    preview = page.get_by_role("img", name="Smooth preview")
    await expect(preview).to_have_attribute("src", re.compile(f"/v1/sessions/{session}/preview"))
    await eventually(lambda: preview.evaluate("image => image.naturalWidth > 100"), what="the preview shows pictures")

    await rtsp.kill()
    await expect(page.get_by_text("Source lost").first).to_be_visible(timeout=WAIT_MS)
    await rtsp.start()
    await expect(page.get_by_text("Source is back").first).to_be_visible(timeout=WAIT_MS)
    assert page.url.endswith(session), "the session is the same"
    async with stage.http() as http, http.get(f"/v1/sessions/{session}/turns?limit=500") as answer:
        sequences = [turn["sequence"] for turn in (await answer.json())["turns"]]
    assert sequences == list(range(sequences[0], -1, -1)), "the history has no gap"
    await bus.close()
