"""What comes from cameras, clients and the model is text in every page: nothing of it is run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from console_journey import WAIT_MS, Watched, log_in, watch_own_camera
from console_stage import MISSING, NEEDS, Stage, console_stage
from fire_script import sees_fire
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.skipif(MISSING, reason=NEEDS)]

NAME = '<img src=x onerror="window.pwned = 1">'
WATCH = "<svg onload=window.pwned=2> Alert me when a fire starts."
WORDS = "<script>window.pwned = 3</script><iframe srcdoc='<script>parent.pwned = 4</script>'>"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with console_stage(tmp_path, sees_fire(WORDS)) as running:
        yield running


async def test_markup_is_shown_as_it_was_written(stage: Stage, page: Page) -> None:
    await log_in(page)
    session = await watch_own_camera(page, Watched(NAME, WATCH))
    await expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    await expect(page.get_by_text(WATCH).first).to_be_visible()
    await expect(page.get_by_role("log").get_by_text(WORDS).first).to_be_visible(timeout=WAIT_MS)
    await _unharmed(page)
    await page.goto("/alerts")
    await page.get_by_role("link").filter(has_text=WORDS).first.click()
    await expect(page.get_by_role("heading", name=WORDS)).to_be_visible()
    await expect(page.get_by_role("link").filter(has_text=NAME).first).to_be_visible()
    await _unharmed(page)
    await page.goto(f"/trust/{session}")
    await page.get_by_label("Only what was appended").uncheck()
    await expect(page.locator("pre").filter(has_text=WATCH).first).to_be_visible(timeout=WAIT_MS)
    await _unharmed(page)


async def test_no_key_is_kept_in_the_browser(stage: Stage, page: Page) -> None:
    await log_in(page)
    kept = await page.evaluate(
        "() => JSON.stringify([location.href, {...localStorage}, {...sessionStorage}, document.cookie])"
    )
    assert "a-key-of" not in kept


async def _unharmed(page: Page) -> None:
    assert await page.evaluate("() => window.pwned") is None
    assert await page.locator("main iframe, main script").count() == 0
