"""Who may do what: an operator mutes an alert and takes the list home; a viewer sees all of it and changes nothing."""

import asyncio
import csv
import json
from pathlib import Path

import nats
import pytest
from console_axe import serious_findings
from console_journey import WAIT_MS, log_in, watch_own_camera
from console_stage import MISSING, NEEDS, Stage
from fire_script import WORDS
from nats.aio.msg import Msg
from playwright.async_api import Browser, Page, expect

from vigil.testing.eventually import eventually
from vigil.testing.handled import handled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.skipif(MISSING, reason=NEEDS)]

CHANGING = ("Ask", "End session", "Erase", "New watch", "Apply", "Stop sending", "Send this camera", "Change the watch")
ASKED_ANYWAY = """async session => {
  const {csrf} = await (await fetch('/v1/login')).json();
  const headers = {'X-CSRF-Token': csrf, 'Content-Type': 'application/json'};
  const question = {method: 'POST', headers, body: '{"text": "Who is there?"}'};
  const answers = [
    await fetch(`/v1/sessions/${session}`, {method: 'DELETE', headers}),
    await fetch(`/v1/sessions/${session}/queries`, question),
    await fetch(`/v1/sessions/${session}/turns/0/prompt`),
  ];
  return answers.map(answer => answer.status);
}"""


async def test_an_operator_mutes_and_exports_and_a_viewer_only_looks(
    stage: Stage, page: Page, browser: Browser, tmp_path: Path
) -> None:
    muted: list[dict[str, object]] = []

    async def hear(message: Msg) -> None:
        muted.append(json.loads(message.data)["data"])

    bus = await nats.connect(stage.nats_url)
    await bus.subscribe("vigil.v1.alert.demo.*.muted", cb=hear)
    await handled(bus)
    await log_in(page)
    session = await watch_own_camera(page)
    words = page.get_by_role("log").get_by_role("button").filter(has_text=WORDS).first
    await expect(words).to_be_visible(timeout=WAIT_MS)

    other = await page.context.new_page()
    await other.goto("/alerts")
    await other.get_by_role("link").filter(has_text=WORDS).first.click()
    await other.get_by_label("Mute for …").select_option(label="15 minutes")
    await expect(other.get_by_role("button", name="End the mute")).to_be_visible()
    await eventually(lambda: bool(muted), what="the mute is on NATS")
    assert (muted[0]["session"], muted[0]["by"]) == (session, "the operator")
    rows = await _exported(other, tmp_path / "alerts.csv")
    assert [row["session"] for row in rows if row["text"] == WORDS][:1] == [session]
    assert await serious_findings(other) == []

    viewing = await browser.new_context(base_url=stage.url, locale="en-GB")
    await _only_looks(await viewing.new_page(), session)
    await viewing.close()
    await bus.close()


async def _exported(page: Page, path: Path) -> list[dict[str, str]]:
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download CSV").click()
    await (await download.value).save_as(path)
    text = await asyncio.to_thread(path.read_text, "utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


async def _only_looks(page: Page, session: str) -> None:
    await log_in(page, "viewer")
    await expect(page.get_by_role("article").filter(has_text="Lobby")).to_be_visible(timeout=WAIT_MS)
    await page.goto(f"/sessions/{session}")
    await expect(page.get_by_role("log").get_by_text(WORDS).first).to_be_visible(timeout=WAIT_MS)
    for name in CHANGING:
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    assert await page.evaluate(ASKED_ANYWAY, session) == [403, 403, 403]
    await page.goto("/alerts")
    await page.get_by_role("link").filter(has_text=WORDS).first.click()
    await expect(page.get_by_role("heading", name=WORDS)).to_be_visible()
    await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    await expect(page.get_by_label("Mute for …")).to_have_count(0)
    for path in (f"/trust/{session}", "/sessions/new"):
        await page.goto(path)
        await expect(page.get_by_text("This takes the role operator")).to_be_visible()
    assert await serious_findings(page) == []
