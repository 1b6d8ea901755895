"""A browser whose camera shows a room in which it burns, before a running Vigil that serves the console."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from console_stage import Stage, chromium, console_stage, write_y4m
from fire_script import sees_fire
from playwright.async_api import Browser, BrowserContext, Page

from vigil_recipe.world import Kind, Span, Split, make_episode

SECONDS = 24
FIRE = Span(Kind.FIRE, 8, 16)


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's camera shows, over and over: a room in which it burns for eight seconds of twenty-four."""
    episode = make_episode(901, Split.TEST, SECONDS, spans=(FIRE,), layout="room")
    return write_y4m(episode, tmp_path_factory.mktemp("camera") / "room.y4m")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with console_stage(tmp_path, sees_fire()) as running:
        yield running


@pytest.fixture
async def browser(camera: Path) -> AsyncIterator[Browser]:
    async with chromium(camera) as running:
        yield running


@pytest.fixture
async def context(browser: Browser, stage: Stage) -> BrowserContext:
    """English, whatever the machine speaks."""
    return await browser.new_context(base_url=stage.url, locale="en-GB", viewport={"width": 1440, "height": 900})


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()
