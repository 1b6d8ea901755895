"""`make judge`: redocly, spectral and the AsyncAPI parser read the documents, schemathesis and the judges of agents try
a running gateway.

Each prints its own report; the last lines say who found nothing. Exits 1 when one of them found something.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway_stage import KEYS, gateway_stage

from judge.agents import judge_agents
from judge.telling import ROOT, TOOLS, judged, say

HERE = Path(__file__).parent
BIN = TOOLS / "node_modules" / ".bin"
OPENAPI = ROOT / "services" / "gateway" / "openapi.json"
ASYNCAPI = ROOT / "proto" / "asyncapi.yaml"

# A judge takes a refusal for a fault: a busy machine gets time to probe a camera.
SETTINGS = {"AGENT_DOORS": "true", "PROBE_DEADLINE_S": 10.0}


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
        async with gateway_stage(Path(folder), more=SETTINGS) as stage:
            key = ("--header", f"Authorization:Bearer {KEYS['demo']}")
            report = TOOLS / "reports"
            found["schemathesis"] = await judged("schemathesis", *schemathesis(stage.url, report, *key))
            found["schemathesis, no key"] = await judged("schemathesis", *schemathesis(stage.url, report))
            found |= await judge_agents(stage)
    for name, nothing in found.items():
        say(f"{name:24} {'found nothing' if nothing else 'FOUND SOMETHING'}")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
