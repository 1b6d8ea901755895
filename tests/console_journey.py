"""What a person does in the console, step by step."""

import re
from dataclasses import dataclass

from console_stage import KEYS
from playwright.async_api import Page, expect

WAIT_MS = 45_000
expect.set_options(timeout=WAIT_MS)  # what is not told otherwise: Playwright's five seconds are short on a busy machine


@dataclass(frozen=True, slots=True)
class Watched:
    """What is typed into the form of a new session."""

    name: str = "Lobby"
    watch: str = "Alert me when a fire starts."


async def log_in(page: Page, role: str = "operator", key: str = "") -> None:
    """Open the console and enter a key: that of the role, where none is given."""
    await page.goto("/")
    await page.get_by_label("API key", exact=True).fill(key or KEYS[role])
    await page.get_by_role("button", name="Log in", exact=True).click()
    await expect(page).to_have_url(re.compile("/wall$"))


async def watch_own_camera(page: Page, watched: Watched | None = None) -> str:
    """Choose this browser's camera, type a watch, begin; the session's id."""
    await _choose(page, "Camera")
    session = await _begin(page, watched or Watched())
    await expect(page.get_by_text("This browser sends the picture")).to_be_visible(timeout=WAIT_MS)
    return session


async def watch_own_screen(page: Page, watched: Watched | None = None) -> str:
    """Choose this browser's screen, type a watch, begin; the session's id."""
    await _choose(page, "Screen")
    session = await _begin(page, watched or Watched("Screen"))
    await expect(page.get_by_text("This browser sends the picture")).to_be_visible(timeout=WAIT_MS)
    return session


async def watch_address(page: Page, url: str, watched: Watched) -> str:
    """Type a camera's address and a watch, begin; the session's id."""
    await _choose(page, "Address")
    await page.get_by_label("Address of the camera or stream").fill(url)
    return await _begin(page, watched)


async def _choose(page: Page, source: str) -> None:
    await page.goto("/sessions/new")
    await page.get_by_text(source, exact=True).first.click()


async def _begin(page: Page, watched: Watched) -> str:
    await page.get_by_label("Name", exact=True).first.fill(watched.name)
    await page.get_by_label("What to watch for").fill(watched.watch)
    await page.get_by_label("Severity").select_option("critical")
    await page.get_by_role("button", name="Start watching").click()
    await expect(page).to_have_url(re.compile(r"/sessions/s-"), timeout=WAIT_MS)
    return page.url.rsplit("/", 1)[1]
