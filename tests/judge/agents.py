"""Judges of the doors for other agents: MCP's conformance package, and A2A's compatibility kit where it could be had.

The conformance package mostly judges kits for making servers, by fixture tools with names of its own. The scenarios
here are those that apply to any server.
"""

import asyncio
from pathlib import Path

from gateway_stage import KEYS, Stage

from judge.key_proxy import key_proxy
from judge.played_camera import play, with_camera
from judge.telling import TOOLS, judged, say

MCP_REVISION = "2026-07-28"
MCP_SCENARIOS = ("server-stateless", "tools-list", "dns-rebinding-protection", "caching")
MCP = TOOLS / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
# By git, from github.com/a2aproject/a2a-tck; no registry has it.
A2A = TOOLS / "a2a-tck"


async def judge_agents(stage: Stage) -> dict[str, bool]:
    """Ask each of them; whether it found nothing."""
    found: dict[str, bool] = {}
    async with key_proxy(stage.url, KEYS["demo"]) as url:
        for scenario in MCP_SCENARIOS:
            command = ("server", "--url", f"{url}/mcp", "--scenario", scenario, "--spec-version", MCP_REVISION)
            found[f"mcp {scenario}"] = await judged(f"mcp {scenario}", "node", MCP, *command, folder=TOOLS)
    if not (A2A / "run_tck.py").exists():
        say("==> a2a-tck: not here (make judge tries to clone it): the SDK's own client judges in tests/test_a2a.py")
        return found
    async with key_proxy(stage.url, KEYS["demo"], with_camera) as url:
        playing = asyncio.create_task(play(stage))
        try:
            found["a2a-tck"] = await judged("a2a-tck", *_kit(url), folder=A2A)
        finally:
            playing.cancel()
            await asyncio.wait({playing})
    return found


def _kit(url: str) -> tuple[str | Path, ...]:
    """The command that judges by the kit's level MUST."""
    python = TOOLS / "a2a-venv" / "bin" / "python"
    return (python, "run_tck.py", "--sut-host", url, "--level", "must")
