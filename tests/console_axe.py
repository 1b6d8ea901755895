"""axe-core in the page: what it finds that would keep somebody out."""

from functools import cache

from console_stage import ROOT
from playwright.async_api import Page

# A theme that was just changed has its colours, which fade, only with the frames that follow.
_DRAWN = "() => Promise.all(document.getAnimations().map((fading) => fading.finished)).then(() => undefined)"
_SCRIPT = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"


async def serious_findings(page: Page) -> list[str]:
    """Rule and places of each finding of the impact serious or critical."""
    await page.evaluate(_source())
    await page.evaluate(_DRAWN)
    found = await page.evaluate("() => axe.run()")
    return [
        f"{finding['id']}: {[node['target'] for node in finding['nodes']][:3]} {finding['nodes'][0]['failureSummary']}"
        for finding in found["violations"]
        if finding["impact"] in ("serious", "critical")
    ]


@cache
def _source() -> str:
    return _SCRIPT.read_text()
