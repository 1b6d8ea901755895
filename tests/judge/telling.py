"""What every judge does: it is run, and its report is shown."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "build" / "judges"


def say(text: str) -> None:
    """For whoever reads the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def judged(name: str, *command: str | Path, folder: Path = ROOT) -> bool:
    """Run one judge; whether it found nothing."""
    say(f"==> {name}")
    process = await asyncio.create_subprocess_exec(*map(str, command), cwd=folder, stdout=PIPE, stderr=STDOUT)
    told, _ = await process.communicate()
    say(told.decode())
    return process.returncode == 0
