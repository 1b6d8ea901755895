"""One session more than the workers can hold: refused with an error of its own, and the others keep their second."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from bench.collector import collecting
from bench.front import ingestion_and_gateway
from bench.settings import BenchSettings
from bench.stack import running
from bench.statistics import longest_gap

from vigil.testing.eventually import DEADLINE_S
from vigil.testing.videos import write_video

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CAPACITY = 3
WATCHED_S = 6


async def test_what_exceeds_the_capacity_is_refused_and_nobody_is_late(tmp_path: Path) -> None:
    video = await asyncio.to_thread(write_video, tmp_path / "quiet.mp4")
    settings = BenchSettings(out=tmp_path)
    fits = {"VIGIL_CAPACITY": str(CAPACITY)}
    async with (
        running(settings, "capacity", variables=fits) as (stack, _),
        collecting(stack.nats.url) as collector,
        ingestion_and_gateway(stack) as http,
    ):
        opened = [await _opened(http, video) for _ in range(CAPACITY)]
        await collector.wait(opened, lambda found: len(found) >= 3, 60, "every session ticks")
        collector.clear()
        refusals = []
        for _ in range(WATCHED_S):  # whoever is refused may well ask again, every second
            refusals.append(await _open(http, video))
            await asyncio.sleep(1)
        ticked = dict(collector.decided)
        async with http.delete(f"/v1/sessions/{opened[0]}") as answer:
            assert answer.status == 204
        again = await _until_opened(http, video)
        await collector.wait([again], lambda found: len(found) >= 2, 30, "the place that became free is taken")
    assert {status for status, _ in refusals} == {503}
    assert {answer["type"] for _, answer in refusals} == {"urn:vigil:problem:capacity_full"}
    assert "interaction" in refusals[0][1]["detail"]
    assert refusals[0][1]["next_step"]
    assert set(ticked) == set(opened), "a session that was refused is not watched"
    for session in opened:
        assert _is_punctual(ticked, session), f"{session} kept its second"


def _is_punctual(ticked: dict[str, Any], session: str) -> bool:
    """A decision for every second of the clock, each on time to within half of one."""
    seconds = [one.decision.time_ms // 1000 for one in ticked[session]]
    gap_s = longest_gap(one.arrival_us / 1e6 for one in ticked[session])
    return (
        seconds == list(range(seconds[0], seconds[0] + len(seconds))) and len(seconds) >= WATCHED_S - 1 and gap_s < 1.5
    )


async def _open(http: aiohttp.ClientSession, video: Path) -> tuple[int, Any]:
    """Ask for a session on the video; status and answer."""
    body = {"source": {"url": video.as_uri(), "loop": True}, "model": "instant"}
    async with http.post("/v1/sessions", json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def _opened(http: aiohttp.ClientSession, video: Path) -> str:
    status, answer = await _open(http, video)
    assert status == 201, answer
    return str(answer["id"])


async def _until_opened(http: aiohttp.ClientSession, video: Path) -> str:
    """Ask until there is room: a session that ends leaves once its last events are stored."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            status, answer = await _open(http, video)
            if status == 201:
                return str(answer["id"])
            await asyncio.sleep(0.2)
