"""The wall and the system page in a browser: what an operator sees, in every size and theme, and what it costs."""

import gzip
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from console_axe import serious_findings
from console_journey import WAIT_MS, log_in
from console_stage import DIST, MISSING, NEEDS, ROOT, Stage
from fire_script import WORDS
from playwright.async_api import BrowserContext, ConsoleMessage, Page, expect

from vigil.testing.eventually import eventually
from vigil_recipe.render.camera import render_mp4
from vigil_recipe.world import Kind, Span, Split, make_episode

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.skipif(MISSING, reason=NEEDS)]

SHOTS = ROOT / "build" / "console"
SIZES = ((1440, 900), (390, 844))
THEMES = ("dark", "light")
BUNDLE_BYTES = 300_000
FIRST_VIEW_MS = 1_000
SECONDS = 24
FIRE = Span(Kind.FIRE, 6, 20)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A camera's recording: a room in which it burns for most of the time."""
    path = tmp_path_factory.mktemp("film") / "lobby.mp4"
    render_mp4(make_episode(901, Split.TEST, SECONDS, spans=(FIRE,), layout="room"), path)
    return path


@pytest.fixture
async def watched(stage: Stage, film: Path) -> AsyncIterator[str]:
    """A session that watches the film over and over, with a watch."""
    watch = {"name": "fire", "text": "Alert me when a fire starts.", "severity": "critical", "hold_s": 5}
    source = {"url": film.as_uri(), "id": "lobby", "name": "Lobby", "loop": True}
    async with stage.http() as http:
        async with http.post("/v1/sessions", json={"source": source, "watches": [watch]}) as answer:
            created = await answer.json()
            assert answer.status == 201, created
        yield str(created["id"])


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser complains of: scripts that fail, and everything that the content security policy holds back."""
    heard: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 401" not in message.text:  # that nobody is logged in yet
            heard.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield heard
    assert heard == []


async def test_the_wall_shows_the_source_its_strip_and_its_alert(
    watched: str, page: Page, complaints: list[str]
) -> None:
    await log_in(page)
    tile = page.get_by_role("article").filter(has_text="Lobby")
    await expect(tile).to_be_visible(timeout=WAIT_MS)
    picture = tile.locator("img")
    await expect(picture).to_have_attribute("src", re.compile(rf"/v1/sessions/{watched}/turns/\d+/frames/0"))
    assert await picture.evaluate("async image => (await image.decode(), image.naturalWidth)") > 100
    await expect(tile.get_by_role("img", name=re.compile(r"^Lobby: the last \d+ turns"))).to_be_visible()

    alert = page.get_by_role("region", name="Open alerts").get_by_role("link").filter(has_text=WORDS)
    await expect(alert).to_be_visible(timeout=WAIT_MS)
    await expect(page).to_have_title("(1) Wall · Vigil")
    await _look(page, "wall")
    await alert.click()
    await expect(page).to_have_url(re.compile(rf"/sessions/{watched}\?turn=\d+$"))


async def test_the_system_page_tells_of_every_role_and_kind_of_source(
    stage: Stage, page: Page, complaints: list[str]
) -> None:
    await log_in(page)
    await page.get_by_role("link", name="System").click()
    await expect(page.get_by_text("Everything works")).to_be_visible(timeout=WAIT_MS)
    for role in ("Ingestion", "Codec", "Interaction"):
        await expect(page.get_by_role("meter", name=role)).to_be_visible()
    for kind in ("File", "RTSP camera", "Webcam or screen"):
        await expect(page.get_by_text(kind, exact=True)).to_be_visible()
    await _look(page, "system")


async def test_a_wrong_key_is_told_with_what_to_do(stage: Stage, page: Page) -> None:
    await page.goto("/alerts")
    await expect(page).to_have_url(re.compile("/login"))
    assert await serious_findings(page) == []
    await page.get_by_label("API key", exact=True).fill("no key of anybody")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("The API key is not valid")
    await expect(page.get_by_role("alert")).to_contain_text("What to do")


async def test_a_login_leads_to_the_page_that_was_asked_for(stage: Stage, page: Page) -> None:
    await page.goto("/system")
    await page.get_by_label("API key", exact=True).fill("a-key-of-a-viewer")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/system$"))
    await page.get_by_role("button", name="Account and settings").click()
    await page.get_by_label("Language").select_option("zh")
    await expect(page.get_by_role("heading", name="系统")).to_be_visible()
    await page.get_by_role("button", name="退出登录").click()
    await expect(page).to_have_url(re.compile("/login"))


async def test_the_first_view_comes_within_a_second(stage: Stage, context: BrowserContext) -> None:
    """The best of several tries: on a machine that is busy with other work one of them has it for itself."""
    took_ms: list[float] = []

    async def came_in_time() -> bool:
        page = await context.new_page()
        await page.goto("/")
        await expect(page.get_by_label("API key", exact=True)).to_be_visible()
        entries = "() => performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)"
        took_ms.extend(await page.evaluate(entries))
        await page.close()
        return bool(took_ms) and min(took_ms) < FIRST_VIEW_MS

    await eventually(came_in_time, what=f"a first view within {FIRST_VIEW_MS} ms")


def test_all_that_a_browser_loads_is_small() -> None:
    sizes = {
        path.name: len(gzip.compress(path.read_bytes())) for path in (DIST / "assets").iterdir() if path.suffix != ".gz"
    }
    assert sum(sizes.values()) < BUNDLE_BYTES, sizes


async def _look(page: Page, name: str) -> None:
    """The page in every size and theme: a picture of each, nothing cut off, nothing that keeps people out."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for theme in THEMES:
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), (name, width)
            assert await serious_findings(page) == [], (name, theme, width)
            await page.screenshot(path=SHOTS / f"{name}-{theme}-{width}.png")
