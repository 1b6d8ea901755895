"""Pictures of the console's pages: left in build/console, from where those of the documentation come."""

from console_axe import serious_findings
from console_stage import ROOT
from playwright.async_api import Page

PICTURES = ROOT / "build" / "console"
SIZES = ((1440, 900), (390, 844))  # a desk, a phone


async def picture(page: Page, name: str) -> list[str]:
    """Keep the page's picture; what is wrong with the page, each with the picture's name."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.wait_for_load_state("load")
    await page.wait_for_function("() => [...document.images].every(image => image.complete)")
    await page.evaluate("() => Promise.all([...document.images].map(image => image.decode().catch(() => null)))")
    await page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
    found = await serious_findings(page)
    wide = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    return [f"{name}: {finding}" for finding in (*found, *([f"{wide} px too wide"] if wide > 0 else []))]
