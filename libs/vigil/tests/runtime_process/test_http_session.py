"""A session for a server that an operator names, against one that hands out cookies."""

from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestServer

from vigil.runtime.process.http_session import open_session


async def test_it_keeps_no_cookies() -> None:
    cookies: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        cookies.append(dict(request.cookies))
        response = web.Response()
        response.set_cookie("visitor", "1")
        return response

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app, host="localhost") as server, open_session(None, ClientTimeout(total=30)) as http:
        for _ in range(2):
            async with http.get(server.make_url("/")) as response:
                assert response.status == 200
    assert cookies == [{}, {}]
