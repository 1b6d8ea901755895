"""A visitor shares a screen: what it shows is watched like a camera, until the sharing is stopped."""

from collections.abc import AsyncIterator

import pytest
from console_axe import serious_findings
from console_journey import WAIT_MS, log_in, watch_own_screen
from console_stage import MISSING, NEEDS, Stage, chromium
from fire_script import WORDS
from playwright.async_api import Browser, BrowserContext, Page, expect

from vigil.testing.eventually import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.skipif(MISSING, reason=NEEDS)]

SHARED = "A burning room"
# It flickers: of a page that stands still a browser sends no further pictures.
BURNS = f"""<!doctype html><title>{SHARED}</title><style>
  @keyframes flicker {{ from {{ background: rgb(230, 30, 20) }} to {{ background: rgb(215, 20, 15) }} }}
  body {{ animation: flicker 0.4s infinite alternate }}
</style><body>"""
# How often the page asked for a screen: it may do so only when a person presses a button.
COUNT_ASKED = """(() => {
  const devices = navigator.mediaDevices;
  if (devices === undefined) return;
  const ask = devices.getDisplayMedia.bind(devices);
  window.asked = 0;
  devices.getDisplayMedia = (options) => { window.asked += 1; return ask(options); };
})()"""
PATIENCE_MS = 2 * WAIT_MS


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """One that shares the page of that title when it is asked for a screen, and has no camera."""
    async with chromium(screen=f"--auto-select-tab-capture-source-by-title={SHARED}") as running:
        yield running


async def test_what_a_shared_screen_shows_is_watched(stage: Stage, context: BrowserContext) -> None:
    shared = await _burning(context)
    page = await context.new_page()
    await page.add_init_script(COUNT_ASKED)
    await log_in(page)
    session = await watch_own_screen(page)
    words = page.get_by_role("log").get_by_role("button").filter(has_text=WORDS).first
    await expect(words).to_be_visible(timeout=PATIENCE_MS)
    assert await page.evaluate("asked") == 1, "what was shared for the new session is what is sent"
    assert await serious_findings(page) == []

    # The browser ends the sharing of a page that was closed; the console does not ask for another by itself.
    await shared.close()
    stopped = page.get_by_text("Sharing was stopped. Send the screen again to go on.")
    await expect(stopped).to_be_visible(timeout=PATIENCE_MS)
    assert await page.evaluate("asked") == 1
    before = await _turns(stage, session)
    await _burning(context)
    await page.get_by_role("button", name="Send this screen").click()
    await expect(page.get_by_text("This browser sends the picture")).to_be_visible(timeout=PATIENCE_MS)
    await eventually(lambda: _has_more(stage, session, before), PATIENCE_MS / 1_000, "the same session goes on")


async def _burning(context: BrowserContext) -> Page:
    """A page that shows nothing but a fire."""
    page = await context.new_page()
    await page.set_content(BURNS)
    return page


async def _turns(stage: Stage, session: str) -> int:
    async with stage.http() as http, http.get(f"/v1/sessions/{session}") as answer:
        return int((await answer.json())["progress"]["turns"])


async def _has_more(stage: Stage, session: str, before: int) -> bool:
    return await _turns(stage, session) > before + 2
