"""Health gates against real servers that are well, unwell, slow or something else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from vigil.testing.servers import RedisServer
from vigil_local.supervisor import gates

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """A server that answers every request so; its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def saying(status: int, text: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    return answer


@pytest.mark.parametrize(
    ("status", "text", "why"),
    [
        (200, "{}", ""),
        (200, "no JSON at all", ""),
        (503, '{"checks": {"redis": "ok", "nats": "no connection"}}', "nats: no connection"),
        (503, '{"a": "x", "b": {"c": "y"}}', "a: x; c: y"),
        (503, '{"ready": "ok"}', "answered 503"),
        (503, "<html>", "answered 503"),
        (503, "[1]", "answered 503"),
        (404, "", "answered 404"),
    ],
)
async def test_an_http_gate_says_what_is_waited_for(status: int, text: str, why: str) -> None:
    async with answering(saying(status, text)) as url:
        assert await gates.http(f"{url}/readyz")() == why


async def test_a_long_reason_is_cut() -> None:
    async with answering(saying(503, '{"redis": "' + "x" * 1_000 + '"}')) as url:
        assert len(await gates.http(url)()) == 200


async def test_nothing_listens(two_ports: list[int]) -> None:
    for gate in (
        gates.http(f"http://127.0.0.1:{two_ports[0]}/"),
        gates.engine(f"http://127.0.0.1:{two_ports[0]}", "m"),
        gates.redis(two_ports[0], "operator", "pw"),
        gates.listening("127.0.0.1", two_ports[0]),
    ):
        assert await gate() == "not listening yet"


async def test_one_that_listens_and_says_nothing() -> None:
    async def never(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with answering(never) as url:
        port = int(url.rpartition(":")[2])
        assert await gates.http(url)() == "no answer yet"
        assert await gates.listening("127.0.0.1", port)() == ""


@pytest.mark.parametrize(
    ("health", "models", "why"),
    [
        (200, '{"data": [{"id": "m"}, {"id": "other"}]}', ""),
        (200, '{"data": [{"id": "other"}]}', "the engine has no model 'm' (it has: other)"),
        (200, "{}", "the engine has no model 'm' (it has: none)"),
        (200, "<html>", "its answer is not JSON"),
        (500, "", "/health answered 500"),
    ],
)
async def test_an_engine_must_be_healthy_and_have_the_model(health: int, models: str, why: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=health) if request.path == "/health" else web.Response(text=models)

    async with answering(answer) as url:
        assert await gates.engine(url, "m")() == why


async def test_an_engine_that_lists_no_models() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.path == "/health" else 401)

    async with answering(answer) as url:
        assert await gates.engine(url, "m")() == "/v1/models answered 401"


async def test_redis_must_take_its_password(tmp_path: Path) -> None:
    server = Guarded(tmp_path)
    await server.start()
    try:
        assert await gates.redis(server.port, "default", "right")() == ""
        assert "PING answered" in await gates.redis(server.port, "default", "wrong")()
    finally:
        await server.kill()


class Guarded(RedisServer):
    """A Redis server with a password."""

    def command(self) -> list[str]:
        return [*super().command(), "--requirepass", "right"]

    async def answers(self) -> bool:
        return (await self._exchange(b"PING\r\n")).startswith(b"-NOAUTH")
