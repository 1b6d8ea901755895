"""kill -9 of any process in mid-session: the session goes on, and no decision is missing or doubled."""

import asyncio
from pathlib import Path

import pytest
from system import System, decisions, rest

from vigil.testing.eventually import eventually
from vigil_recipe.render.camera import render_mp4
from vigil_recipe.world import Split, make_episode

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

# Each kill takes half a minute; the kills of all services with the scripted engine are tests/test_faults.py.
OTHERS = ("gateway", "ingestion", "codec", "nats", "redis", "engine")


@pytest.mark.parametrize("name", ["interaction", *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)])
async def test_the_session_goes_on_after_a_kill(vigil: System, videos: Path, name: str) -> None:
    video = videos / "quiet.mp4"
    if not video.exists():
        await asyncio.to_thread(render_mp4, make_episode(903, Split.TEST, 30), video)
    async with rest(vigil) as gateway:
        watch = {"name": "fire", "text": "Alert me when a fire starts."}
        session = await gateway.open(video.as_uri(), source={"loop": True}, watches=[watch])
        await eventually(lambda: gateway.turns(session, 3), 60, "three turns before the kill")
        before = await decisions(vigil, session)
        pid = vigil.kill(name)
        await eventually(lambda: _restarted(vigil, name, pid), 120, f"{name} is started again")
        await eventually(lambda: gateway.turns(session, len(before) + 5), 120, "five more turns after the kill")
        stored = await decisions(vigil, session)
        _, history = await gateway.call("GET", f"/v1/sessions/{session}/history")
    assert [decision.sequence for decision in stored] == list(range(len(stored)))
    times = [decision.time_ms for decision in stored]
    assert times == sorted(set(times))
    assert [turn["sequence"] for turn in history["turns"]] == list(range(len(history["turns"])))


def _restarted(vigil: System, name: str, pid: int) -> bool:
    return bool(vigil.endpoints["pids"].get(name, pid) != pid)
