"""The pages as they look, in both colours, on a desk and on a phone: nothing keeps anybody out, nothing is wider than
the screen. The pictures are left in build/console, from where those of the documentation come."""

from dataclasses import dataclass

import pytest
from console_journey import WAIT_MS, Watched, log_in, watch_own_camera
from console_pictures import SIZES, picture
from console_stage import MISSING, NEEDS, Stage
from fire_script import WORDS
from playwright.async_api import BrowserContext, Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(540), pytest.mark.skipif(MISSING, reason=NEEDS)]


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the console, and the button that is there once it is whole."""

    name: str
    path: str
    button: str


async def test_every_page_in_both_colours_and_sizes(stage: Stage, context: BrowserContext, page: Page) -> None:
    await log_in(page)
    session = await watch_own_camera(page, Watched("Lobby, north door"))
    log = page.get_by_role("log")
    await expect(log.get_by_text("Alert fire-starts closed").first).to_be_visible(timeout=WAIT_MS)
    await page.get_by_role("button", name="What the model sees").click()
    await page.get_by_role("textbox", name="Ask about").fill("What is in the room?")
    await page.get_by_role("button", name="Ask", exact=True).click()
    await expect(log.get_by_role("button").filter(has_text=WORDS).nth(1)).to_be_visible(timeout=WAIT_MS)
    async with stage.http() as http, http.get("/v1/alerts") as answer:
        alert = (await answer.json())["alerts"][0]["alert_id"]
    pages = (
        Shown("alerts", f"/alerts/{alert}", "Play"),
        Shown("trust", f"/trust/{session}", "Copy as JSON"),
        Shown("new", "/sessions/new", "Start watching"),
    )
    other = await context.new_page()
    problems: list[str] = []
    for colour in ("dark", "light"):
        for width, height in SIZES:
            for shown in (page, other):
                await shown.set_viewport_size({"width": width, "height": height})
                await shown.emulate_media(color_scheme=colour, reduced_motion="reduce")
            name = f"{colour}-{width}"
            problems += await picture(page, f"session-{name}")
            for wanted in pages:
                await other.goto(wanted.path)
                button = other.get_by_role("button", name=wanted.button, exact=True)
                await expect(button).to_be_visible(timeout=WAIT_MS)
                problems += await picture(other, f"{wanted.name}-{name}")
    assert problems == []
