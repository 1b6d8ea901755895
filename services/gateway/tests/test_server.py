import asyncio

import aiohttp
import pytest

from vigil.runtime.process.startup import PortInUse
from vigil_gateway.http.app import routes
from vigil_gateway.http.server import Listening, serve


async def broken() -> None:
    raise RuntimeError("a password nobody should see")


async def test_what_nobody_foresaw_is_a_problem_without_its_cause() -> None:
    app = routes()
    app.add_api_route("/broken", broken)
    async with (
        serve(app, Listening("127.0.0.1", 0, 1.0), asyncio.Event()) as port,
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{port}/broken") as answer,
    ):
        text = await answer.text()
        assert (answer.status, answer.content_type) == (500, "application/problem+json")
    assert "urn:vigil:problem:internal" in text
    assert "password" not in text


async def test_leaving_tells_endless_answers_to_end_and_frees_the_port() -> None:
    draining = asyncio.Event()
    async with serve(routes(), Listening("127.0.0.1", 0, 1.0), draining) as port:
        with pytest.raises(PortInUse, match=rf"127\.0\.0\.1:{port} .*set VIGIL_HTTP_PORT"):
            async with serve(routes(), Listening("127.0.0.1", port, 1.0), asyncio.Event()):
                pass
        assert not draining.is_set()
    assert draining.is_set()
    async with serve(routes(), Listening("127.0.0.1", port, 1.0), asyncio.Event()) as again:
        assert again == port
