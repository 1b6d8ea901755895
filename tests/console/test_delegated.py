"""A question that the model hands on: the conversation says so, and by whom it is looked into."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from console_journey import WAIT_MS, log_in, watch_own_camera
from console_stage import MISSING, NEEDS, Stage, console_stage
from playwright.async_api import Page, expect

from vigil.core import control
from vigil.testing.script import Reply, Seen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.skipif(MISSING, reason=NEEDS)]

ASKED = "Which year is the chair from?"
NOTE = "Let me look into it."


def hands_on(seen: Seen) -> Reply:
    """Delegates every question and says nothing else."""
    if "?" not in seen.text:
        return Reply(control.SILENCE)
    return Reply(f"{control.RESPONSE} {NOTE} {control.DELEGATION} {ASKED}")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with console_stage(tmp_path, hands_on) as running:
        yield running


async def test_a_delegated_question_is_shown(stage: Stage, page: Page) -> None:
    await log_in(page)
    await watch_own_camera(page)
    log = page.get_by_role("log")
    await page.get_by_role("textbox", name="Ask about").fill(ASKED)
    await page.get_by_role("button", name="Ask", exact=True).click()
    await expect(log.get_by_text("Handed to the background brain").first).to_be_visible(timeout=WAIT_MS)
    await expect(log.get_by_text(NOTE).first).to_be_visible()
    turn = log.get_by_role("button").filter(has_text="Delegates").first
    await expect(turn).to_be_visible()
    await turn.click()
    await expect(page.get_by_role("button", name="Back to live")).to_be_visible(timeout=WAIT_MS)
