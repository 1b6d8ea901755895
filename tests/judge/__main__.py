"""`make judge`: redocly, spectral and the AsyncAPI parser read the documents, schemathesis tries a running gateway.

Each prints its own report; the last lines say who found nothing. Exits 1 when one of them found something.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway_stage import KEYS, gateway_stage

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
TOOLS = ROOT / "build" / "judges"
BIN = TOOLS / "node_modules" / ".bin"
OPENAPI = ROOT / "services" / "gateway" / "openapi.json"
ASYNCAPI = ROOT / "proto" / "asyncapi.yaml"


def say(text: str) -> None:
    """For whoever reads the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def judged(name: str, *command: str | Path) -> bool:
    """Run one judge; whether it found nothing."""
    say(f"==> {name}")
    process = await asyncio.create_subprocess_exec(*map(str, command), cwd=ROOT, stdout=PIPE, stderr=STDOUT)
    told, _ = await process.communicate()
    say(told.decode())
    return process.returncode == 0


def schemathesis(url: str, report: Path, *more: str) -> Sequence[str | Path]:
    """The command that tries every operation at `url`."""
    options = ("--config-file", HERE / "schemathesis.toml", "run", OPENAPI, "--url", url, "--checks", "all")
    return (TOOLS / "venv" / "bin" / "schemathesis", *options, "--report", "junit", "--report-dir", report, *more)


async def main() -> int:
    """Ask all of them."""
    found = {
        "redocly": await judged("redocly", BIN / "redocly", "lint", OPENAPI, "--format=stylish"),
        "spectral": await judged("spectral", BIN / "spectral", "lint", OPENAPI, "-r", HERE / "spectral.yaml"),
        "asyncapi": await judged("asyncapi", "node", HERE / "asyncapi.mjs", TOOLS / "node_modules", ASYNCAPI),
    }
    with TemporaryDirectory() as folder:
        async with gateway_stage(Path(folder)) as stage:
            key = ("--header", f"Authorization:Bearer {KEYS['demo']}")
            report = TOOLS / "reports"
            found["schemathesis"] = await judged("schemathesis", *schemathesis(stage.url, report, *key))
            found["schemathesis, no key"] = await judged("schemathesis", *schemathesis(stage.url, report))
    for name, nothing in found.items():
        say(f"{name:24} {'found nothing' if nothing else 'FOUND SOMETHING'}")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
