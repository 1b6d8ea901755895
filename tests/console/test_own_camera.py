"""A visitor's first minutes: a key, the own camera, a watch, the alert; and what becomes of the camera."""

import json
import re
from pathlib import Path

import nats
import pytest
from console_axe import serious_findings
from console_journey import WAIT_MS, log_in, watch_own_camera
from console_stage import MISSING, NEEDS, Stage, console_stage
from fire_script import WORDS, sees_fire
from nats.aio.msg import Msg
from playwright.async_api import Browser, Page, expect

from vigil.testing.eventually import eventually
from vigil.testing.handled import handled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.skipif(MISSING, reason=NEEDS)]

SHORT_GRACE_S = 10.0
STOP_TRACK = """() => {
  const [track] = document.querySelector('video').srcObject.getVideoTracks();
  track.stop();
  track.dispatchEvent(new Event('ended'));
}"""


async def test_the_alert_is_in_the_console_and_on_nats(stage: Stage, page: Page) -> None:
    heard: list[tuple[str, dict[str, object]]] = []

    async def hear(message: Msg) -> None:
        heard.append((message.subject, json.loads(message.data)["data"]))

    bus = await nats.connect(stage.nats_url)
    await bus.subscribe("vigil.v1.alert.demo.>", cb=hear)
    await handled(bus)
    await log_in(page)
    session = await watch_own_camera(page)

    words = page.get_by_role("log").get_by_role("button").filter(has_text=WORDS).first
    await expect(words).to_be_visible(timeout=WAIT_MS)
    opened = await eventually(lambda: _first(heard, "opened"), what="the alert is on NATS")
    assert (opened["session"], opened["text"], opened["severity"]) == (session, WORDS, "critical")

    # One click from the words to the frame that caused them.
    await words.click()
    frame = page.get_by_role("img", name=re.compile("The picture of Turn"))
    await expect(frame).to_have_attribute("src", re.compile(rf"/turns/{opened['decision_sequence']}/frames/0$"))
    assert await frame.evaluate("async image => (await image.decode(), image.naturalWidth)") > 100

    await page.get_by_role("button", name="Back to live").click()
    await page.get_by_role("textbox", name="Ask about").fill("What is in the room?")
    await page.get_by_role("button", name="Ask", exact=True).click()
    await expect(page.get_by_role("log").get_by_text("I see a room with a door.")).to_be_visible(timeout=WAIT_MS)
    assert await serious_findings(page) == []

    await page.goto("/alerts")
    await page.get_by_role("link").filter(has_text=WORDS).first.click()
    await expect(page.get_by_role("img", name="The picture that opened the alert")).to_be_visible()
    await page.get_by_label("Note").fill("I look after it.")
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.get_by_text("the operator: I look after it.", exact=True)).to_be_visible()
    told = await eventually(lambda: _first(heard, "acknowledged"), what="the acknowledgement is on NATS")
    assert (told["by"], told["note"]) == ("the operator", "I look after it.")
    assert await serious_findings(page) == []

    # The link to the turn shows its frame, and lets go of it.
    await page.goto("/alerts")
    await page.get_by_role("link").filter(has_text=WORDS).first.click()
    await page.get_by_role("link", name="Show the turn in its session").click()
    await expect(page.get_by_role("button", name="Back to live")).to_be_visible(timeout=WAIT_MS)
    await page.get_by_role("button", name="Back to live").click()
    await expect(page.get_by_role("button", name="Back to live")).to_have_count(0)

    await page.goto(f"/trust/{session}")
    await expect(page.get_by_text("Only appended", exact=True)).to_be_visible(timeout=WAIT_MS)
    await page.get_by_label("Only what was appended").uncheck()
    await expect(page.locator("pre").filter(has_text="Alert me when a fire starts.").first).to_be_visible()
    assert await serious_findings(page) == []
    await bus.close()


async def test_a_camera_that_was_unplugged_comes_back_to_its_session(stage: Stage, page: Page) -> None:
    await log_in(page)
    session = await watch_own_camera(page)
    await eventually(lambda: _turns(stage, session, 3), what="turns are decided")
    await page.evaluate(STOP_TRACK)
    await expect(page.get_by_text("This browser sends the picture")).to_be_visible(timeout=WAIT_MS)
    before = await _count(stage, session)
    await eventually(lambda: _turns(stage, session, before + 3), what="turns go on in the same session")
    async with stage.http() as http, http.get(f"/v1/sessions/{session}/turns?limit=500") as answer:
        sequences = [turn["sequence"] for turn in (await answer.json())["turns"]]
    assert sequences == list(range(sequences[0], -1, -1)), "the history has no gap"


async def test_the_session_of_a_closed_tab_ends_after_its_grace_time(tmp_path: Path, browser: Browser) -> None:
    async with console_stage(tmp_path, sees_fire(), grace_s=SHORT_GRACE_S) as stage:
        page = await browser.new_page(base_url=stage.url, locale="en-GB")
        await log_in(page)
        session = await watch_own_camera(page)
        await eventually(lambda: _turns(stage, session, 2), what="turns are decided")
        await page.close()
        await eventually(lambda: _ended(stage, session), what="the session ends")


async def _ended(stage: Stage, session: str) -> bool:
    async with stage.http() as http, http.get(f"/v1/sessions/{session}") as answer:
        return bool((await answer.json())["state"] == "ended")


async def _count(stage: Stage, session: str) -> int:
    async with stage.http() as http, http.get(f"/v1/sessions/{session}") as answer:
        return int((await answer.json())["progress"]["turns"])


async def _turns(stage: Stage, session: str, count: int) -> bool:
    return await _count(stage, session) >= count


async def _first(heard: list[tuple[str, dict[str, object]]], event: str) -> dict[str, object]:
    return next((data for subject, data in heard if subject.endswith(f".{event}")), {})
