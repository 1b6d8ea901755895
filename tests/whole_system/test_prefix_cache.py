"""The prefix is stable: over a chunk the real engine's own counters say so, and requests stay small."""

import asyncio
from pathlib import Path

import av
import pytest
from system import System, decisions, rest

from vigil.testing.eventually import eventually
from vigil_recipe.world import Split, make_episode, render

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(300)]  # 90 turns in real time

TURNS = 90
INTERVAL_MS = 500


async def test_a_chunk_of_ninety_turns_is_served_from_the_prefix_cache(vigil: System, videos: Path) -> None:
    video = videos / "still.mp4"
    await asyncio.to_thread(_still, video)  # so that the size of a request tells of its history, not of its picture
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


def _still(path: Path) -> None:
    """Thirty seconds of one and the same picture of a room."""
    picture = render(make_episode(902, Split.TEST, 30), 0.0, (640, 384))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"g": "5"})
        stream.width, stream.height, stream.pix_fmt = 640, 384, "yuv420p"
        for _ in range(150):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _grown(before: dict[str, float], after: dict[str, float], name: str) -> float:
    return after[name] - before[name]
