"""The health check of a container: what it says of an endpoint that is well, unwell, silent or not there."""

import asyncio
import inspect
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from vigil.runtime.process.health import Health, Phase
from vigil.runtime.process.http_endpoint import serve_http
from vigil.runtime.process.probe import main, probe
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.ports import free_port

HOST = "127.0.0.1"
SHORT_S = 0.2


@asynccontextmanager
async def saying(answer: bytes) -> AsyncIterator[str]:
    """The address of a server that says this to whoever connects, then waits for the client to leave."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}/readyz"


async def refuses() -> None:
    raise ConnectionRefusedError("nobody there")


async def test_a_ready_service_is_well() -> None:
    health = Health()
    health.phase = Phase.SERVING
    async with serve_http(health, HOST, 0) as port:
        assert await asyncio.to_thread(probe, f"http://{HOST}:{port}/readyz") == ""


async def test_a_service_that_is_not_ready_says_why() -> None:
    health = Health()
    health.register("redis", refuses)
    health.phase = Phase.SERVING
    async with serve_http(health, HOST, 0) as port:
        url = f"http://{HOST}:{port}/readyz"
        said = await asyncio.to_thread(probe, url)
    assert said.startswith(f"{url} answered 503: ")
    assert "nobody there" in said
    assert "\n" not in said


async def test_an_answer_of_many_lines_becomes_one_line() -> None:
    body = b"first\r\nsecond\n\nthird"
    async with saying(b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as url:
        assert await asyncio.to_thread(probe, url) == f"{url} answered 500: first second third"


async def test_a_silent_service_is_waited_for_no_longer_than_the_limit() -> None:
    started = time.monotonic()
    async with saying(b"") as url:
        said = await asyncio.to_thread(probe, url, SHORT_S)
    assert said.startswith(f"{url} does not answer: TimeoutError")
    assert SHORT_S <= time.monotonic() - started < DEADLINE_S, "the server would be silent for ever"


async def test_what_speaks_no_http_is_unwell() -> None:
    async with saying(b"INFO {}\r\n") as url:
        assert (await asyncio.to_thread(probe, url, DEADLINE_S)).startswith(f"{url} does not answer: BadStatusLine")


def test_nobody_listens() -> None:
    url = f"http://{HOST}:{free_port()}/readyz"
    assert probe(url).startswith(f"{url} does not answer: ConnectionRefusedError")


@pytest.mark.parametrize("url", ["readyz", "nats://127.0.0.1:4222", "http://127.0.0.1:many/readyz", "http:///readyz"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    assert "usage: probe http://127.0.0.1:PORT/PATH" in probe(url)


@pytest.mark.parametrize("arguments", [[], ["http://127.0.0.1:1/a", "http://127.0.0.1:1/b"]])
def test_it_asks_exactly_one_address(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().out.startswith("usage: probe ")


def test_as_a_command_it_needs_the_standard_library_alone() -> None:
    """The image of the engine has the file alone: `-S` leaves out every installed package, `-I` the folder's others."""
    url = f"http://{HOST}:{free_port()}/health"
    command = [sys.executable, "-I", "-S", inspect.getfile(probe), url]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (asked.returncode, asked.stderr) == (1, "")
    assert asked.stdout.startswith(f"{url} does not answer: ConnectionRefusedError")
