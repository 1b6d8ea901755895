"""Draws the trace of one alert, from the spans that a collector received of a whole system: docs/trace.svg."""

import asyncio
import tempfile
from pathlib import Path

from reference.code import ROOT

from observability.drawing import drawn
from observability.evidence import alert_trace
from observability.stage import whole_system

PICTURE = ROOT / "docs" / "trace.svg"
TITLE = "One alert: from the capture of the picture to the webhook's answer"


async def draw() -> None:
    """Watch a camera until an alert is delivered, and draw its trace."""
    with tempfile.TemporaryDirectory() as folder:
        async with whole_system(Path(folder)) as stage:
            await stage.open("lobby")
            trace = await alert_trace(stage, settled=True)
    PICTURE.write_text(drawn(trace, TITLE))
    print(f"{PICTURE.relative_to(ROOT)}: {len(trace)} spans")  # noqa: T201  a command's answer


if __name__ == "__main__":
    asyncio.run(draw())
