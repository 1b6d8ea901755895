"""A real RTSP camera that dies and comes back in the middle of a session."""

import asyncio
import itertools
from pathlib import Path

import pytest
from system import Rest, System, decisions, rest, subscriber

from vigil.testing.eventually import eventually
from vigil.testing.rtsp import RtspServer
from vigil_recipe.render.camera import render_mp4
from vigil_recipe.world import Kind, Span, Split, make_episode

pytestmark = [pytest.mark.engine, pytest.mark.rtsp, pytest.mark.timeout(300)]


async def test_the_session_outlives_its_camera(vigil: System, videos: Path) -> None:
    video = videos / "yard.mp4"
    episode = make_episode(904, Split.TEST, 20, spans=(Span(Kind.FIRE, 6, 12),), layout="room")
    await asyncio.to_thread(render_mp4, episode, video)
    camera = RtspServer(video)
    await camera.start()
    try:
        async with subscriber(vigil, "vigil.v1.alert.demo.yard.>") as alerts, rest(vigil) as gateway:
            watch = {"name": "fire", "text": "Alert me when a fire starts.", "hold_s": 2, "cooldown_s": 0}
            session = await gateway.open(camera.url, source={"id": "yard"}, watches=[watch])
            await alerts.wait_for(lambda subject, _: subject.endswith(".opened"), 60)
            await camera.kill()
            await eventually(lambda: _gave_up(gateway, session, 3), 60, "three attempts at reconnecting failed")
            before = await decisions(vigil, session)
            await camera.start()
            await eventually(lambda: gateway.turns(session, len(before) + 5), 60, "five turns after the break")
            after = await decisions(vigil, session)
            _, history = await gateway.call("GET", f"/v1/sessions/{session}/history")
    finally:
        await camera.kill()
    assert [one.sequence for one in after] == list(range(len(after)))
    assert [one.sequence for one in after[: len(before)]] == [one.sequence for one in before]
    assert len(history["turns"]) >= len(after)
    model_s = [one.time_ms / 1000 for one in after]
    camera_s = [(one.capture_time_us - after[0].capture_time_us) / 1e6 + model_s[0] for one in after]
    apart = [abs(model - camera) for model, camera in zip(model_s, camera_s, strict=True)]
    print(f"the break lasted {max(b - a for a, b in itertools.pairwise(model_s)):g} s")  # noqa: T201  the figure
    assert max(apart) < 1.1, "model time follows capture time, also over the break"


async def _gave_up(gateway: Rest, session: str, attempts: int) -> bool:
    """Whether ingestion has told of at least so many failed attempts."""
    _, answer = await gateway.call("GET", f"/v1/sessions/{session}")
    status = answer["status"].get("ingestion", {})
    return status.get("state") == "reconnecting" and int(status.get("failures", 0)) >= attempts
