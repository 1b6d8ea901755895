"""The prefix is stable: over a chunk the real engine's own counters say so, and requests stay small."""

from pathlib import Path

import pytest
from system import System, decisions, rest

from vigil.testing.eventually import eventually
from vigil_recipe.camera import render_mp4
from vigil_recipe.world import Split, make_episode

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

TURNS = 90
INTERVAL_MS = 500


async def test_a_chunk_of_ninety_turns_is_served_from_the_prefix_cache(vigil: System, videos: Path) -> None:
    video = videos / "long.mp4"
    render_mp4(make_episode(902, Split.TEST, 30), video)
    before = vigil.engine_metrics()
    async with rest(vigil) as gateway:
        watch = {"name": "fire", "text": "Alert me when a fire starts."}
        cadence = {"interval_ms": INTERVAL_MS, "frames_per_turn": 1}
        session = await gateway.open(video.as_uri(), source={"loop": True}, watches=[watch], cadence=cadence)
        await eventually(lambda: gateway.turns(session, TURNS), 150, "ninety turns")
    chunk = (await decisions(vigil, session))[:TURNS]
    after = vigil.engine_metrics()
    queries = _grown(before, after, "vllm:prefix_cache_queries_total")
    hits = _grown(before, after, "vllm:prefix_cache_hits_total")
    sizes = [one.request_bytes for one in chunk[1:]]
    print(f"prefix cache {hits / queries:.4f}, request bytes {min(sizes)} to {max(sizes)}")  # noqa: T201  the figures
    assert [one.sequence for one in chunk] == list(range(TURNS))
    assert all(one.prefix_share == 1.0 for one in chunk)
    assert hits / queries >= 0.90
    middle = sorted(sizes)[len(sizes) // 2]
    assert 0.8 * middle <= min(sizes)
    assert max(sizes) <= 1.2 * middle


def _grown(before: dict[str, float], after: dict[str, float], name: str) -> float:
    return after[name] - before[name]
