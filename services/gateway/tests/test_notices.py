"""Weights that know only the rendered world are not pointed at other pictures without a word."""

from pathlib import Path

import aiohttp
import grpc
import pytest
from structlog.testing import capture_logs

from vigil.core.profile import PROFILES, World
from vigil.core.session import SessionSpec
from vigil.core.source import Source, SourceKind
from vigil.runtime.process.config import load
from vigil.runtime.process.service import Service
from vigil.v1.gateway_pb2 import OpenSessionRequest, SessionSource
from vigil.v1.gateway_pb2_grpc import GatewayServiceStub
from vigil_gateway.config import GatewaySettings
from vigil_gateway.sessions.notices import NOT_RENDERED, notices_of

DEMO = "file:///var/lib/vigil/demo.mp4"
OTHER = "file:///var/lib/vigil/exam.mp4"


@pytest.fixture
def settings(settings: GatewaySettings) -> GatewaySettings:
    """Settings that name the rendered camera."""
    return load(GatewaySettings, settings.model_dump() | {"rendered_sources": DEMO})


def codes(url: str, profile: str = "vigil-small", rendered: str = f"{OTHER},{DEMO}") -> list[str]:
    kind = SourceKind.FILE if url else SourceKind.PUSHED
    spec = SessionSpec("demo", "s-1", Source("lobby", kind, url), profile=profile, model="m")
    return [notice.code for notice in notices_of(spec, rendered)]


@pytest.mark.parametrize(
    "url", ["rtsp://camera/1", "https://host/film.mp4", "file:///home/me/demo.mp4", f"{DEMO}x", ""]
)
def test_what_is_not_known_to_be_rendered_gets_a_notice(url: str) -> None:
    assert codes(url) == [NOT_RENDERED]
    assert codes(url, rendered="") == [NOT_RENDERED]


@pytest.mark.parametrize("url", [DEMO, OTHER])
def test_the_rendered_camera_gets_none(url: str) -> None:
    assert codes(url) == []


@pytest.mark.parametrize("profile", [name for name, profile in PROFILES.items() if profile.world is World.ANY])
def test_weights_for_any_picture_get_none(profile: str) -> None:
    assert codes("rtsp://camera/1", profile) == []


def test_a_profile_of_another_version_gets_none() -> None:
    assert codes("rtsp://camera/1", "of-tomorrow") == []


def test_the_notice_says_what_to_do() -> None:
    spec = SessionSpec("demo", "s-1", Source("lobby", SourceKind.PUSHED), profile="vigil-small", model="m")
    (notice,) = notices_of(spec, "")
    for needed in (
        "vigil-small",
        "rendered world",
        "mean nothing",
        "--engine-url",
        "--profile harness",
        "VIGIL_ENGINE_URLS",
        "compose.remote-engine.yaml",
        "operations.md",
    ):
        assert needed in notice.message


def test_the_place_that_the_notice_names_is_there() -> None:
    operations = Path(__file__).parents[3] / "docs" / "operations.md"
    assert "\n## A real camera\n" in operations.read_text()
    assert "\n### Engines elsewhere\n" in operations.with_name("compose.md").read_text()
    assert (operations.parents[1] / "deploy/compose.remote-engine.yaml").is_file()


@pytest.mark.usefixtures("workers")
async def test_the_answer_and_the_log_say_it_once(http: aiohttp.ClientSession) -> None:
    with capture_logs() as logs:
        async with http.post("/v1/sessions", json={"source": {"url": "rtsp://camera/1"}}) as answer:
            created = await answer.json()
            assert answer.status == 201
        async with http.get(f"/v1/sessions/{created['id']}") as answer:
            shown = await answer.json()
        async with http.post("/v1/sessions", json={"source": {"url": DEMO}}) as answer:
            rendered = await answer.json()
    assert [notice["code"] for notice in created["notices"]] == [NOT_RENDERED]
    assert shown["notices"] == created["notices"]
    assert rendered["notices"] == []
    warned = [entry for entry in logs if entry["event"] == "session warned"]
    assert [(entry["session"], entry["notice"], entry["log_level"]) for entry in warned] == [
        (created["id"], NOT_RENDERED, "warning")
    ]


@pytest.mark.usefixtures("workers")
async def test_grpc_says_it_too(gateway: Service[GatewaySettings]) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.settings.grpc_port}") as channel:
        stub = GatewayServiceStub(channel)
        key = (("authorization", "Bearer a-key-of-demo"),)
        requests = [OpenSessionRequest(source=SessionSource(url=url)) for url in ("rtsp://camera/1", DEMO)]
        opened, rendered = [await stub.OpenSession(request, metadata=key, timeout=10) for request in requests]
    assert [notice.code for notice in opened.notices] == [NOT_RENDERED]
    assert list(rendered.notices) == []
