"""The system under examination: one that runs is used, one that is only written down is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from vigil_client.endpoints import FILE, Endpoints, write
from vigil_local.errors import Missing
from vigil_recipe.exam.options import ExamOptions
from vigil_recipe.exam.running_system import open_system


def options(folder: Path) -> ExamOptions:
    return ExamOptions(0, 1, (), "accelerated", False, 1, "test", folder, folder / "no-model", folder)


@pytest.fixture
async def gateway() -> AsyncIterator[TestServer]:
    """A gateway that takes sessions while its path says so."""

    async def health(request: web.Request) -> web.Response:
        takes = request.match_info["state"] == "open"
        return web.json_response({"ready": True, "takes_sessions": takes, "sources": {}, "checks": {}, "capacity": {}})

    app = web.Application()
    app.router.add_get("/{state}/v1/health", health)
    async with (server := TestServer(app)):
        yield server


def written_down(folder: Path, url: str) -> Endpoints:
    endpoints = Endpoints(url, "nats://127.0.0.1:1", "key-1", tenant="demo", model="vigil-small")
    write(folder / FILE, endpoints)
    return endpoints


async def test_the_system_that_runs_from_the_data_directory_is_used(gateway: TestServer, tmp_path: Path) -> None:
    endpoints = written_down(tmp_path, f"{gateway.make_url('/open')}")
    async with open_system(options(tmp_path)) as running:
        assert running.endpoints == endpoints
        assert not running.http.closed
    assert running.http.closed
    assert (tmp_path / FILE).exists(), "it was not started here, so it is not stopped here"


@pytest.mark.parametrize("state", ["closed", "gone"])
async def test_else_one_is_started_and_what_is_missing_for_it_is_named(
    gateway: TestServer, tmp_path: Path, state: str
) -> None:
    if state == "closed":
        written_down(tmp_path, f"{gateway.make_url('/closed')}")
    with pytest.raises(Missing) as refused:
        async with open_system(options(tmp_path)):
            pass
    assert refused.value.next_step
