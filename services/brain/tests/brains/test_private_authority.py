"""Brains and their tool servers whose certificates come from an authority of one's own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette

from vigil.runtime.process.tls import trusted_by
from vigil.testing.certificates import Authority, Certificate
from vigil.testing.scripted_brain import ScriptedBrain
from vigil.testing.tls_front import tls_front
from vigil_brain.brains.kinds import open_brain
from vigil_brain.brains.port import BrainError, BrainTask
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.testing.told import RecordedTold

Serve = Callable[[Starlette], AbstractAsyncContextManager[str]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.certificate()


@asynccontextmanager
async def over_tls(certificate: Certificate, url: str) -> AsyncIterator[str]:
    """The address of a server behind this certificate, as far as its port."""
    async with tls_front(certificate, urlsplit(url).port or 0) as port:
        yield f"https://localhost:{port}"


async def answer(kind: str, settings: dict[str, object], ca_file: Path | None, task: BrainTask) -> str:
    """What a brain answers that is verified with this file, or why it does not."""
    async with open_brain(BrainSpec("own", kind, settings, key="k"), trusted_by(ca_file)) as brain:
        try:
            return (await brain.solve(task, RecordedTold())).text
        except BrainError as error:
            return error.reason


async def test_a_chat_model_is_verified_with_the_file_of_the_service(
    server: ScriptedBrain, task: BrainTask, authority: Authority, certificate: Certificate, tmp_path: Path
) -> None:
    server.answers = lambda _: "It is 408."
    stranger = Authority(tmp_path / "stranger", "Another authority")
    async with over_tls(certificate, server.url) as url:
        settings: dict[str, object] = {"url": f"{url}/v1", "model": "scripted"}
        assert await answer("openai", settings, authority.ca, task) == "It is 408."
        for ca_file in (stranger.ca, None):  # another authority; those of the system
            assert "VIGIL_CA_FILE" in await answer("openai", settings, ca_file, task)


async def test_a_certificate_for_another_host_is_refused(
    server: ScriptedBrain, task: BrainTask, authority: Authority
) -> None:
    elsewhere = authority.certificate("elsewhere", ("DNS:elsewhere.example",))
    async with over_tls(elsewhere, server.url) as url:
        settings: dict[str, object] = {"url": f"{url}/v1", "model": "scripted"}
        assert "is not trusted" in await answer("openai", settings, authority.ca, task)


@pytest.mark.parametrize("kind", ["responses", "hermes", "openclaw"])
async def test_every_kind_that_calls_an_api_is_verified_with_it(
    kind: str, server: ScriptedBrain, task: BrainTask, authority: Authority, certificate: Certificate
) -> None:
    settings: dict[str, object] = {"url": "", "model": "m", "is_confined": True}
    names = {"responses": ("url", "model"), "hermes": ("url", "model"), "openclaw": ("url", "is_confined")}[kind]
    async with over_tls(certificate, server.url) as url:
        given = {name: settings[name] for name in names} | {"url": f"{url}/nowhere"}
        assert "404" in await answer(kind, given, authority.ca, task), "it was reached"
        assert "is not trusted" in await answer(kind, given, None, task)


async def test_an_agent_is_verified_with_it(
    serve: Serve, task: BrainTask, authority: Authority, certificate: Certificate
) -> None:
    async with serve(Starlette()) as plain, over_tls(certificate, plain) as url:
        assert "404" in await answer("a2a", {"url": url}, authority.ca, task), "it was reached"
        assert "cannot be reached" in await answer("a2a", {"url": url}, None, task)


async def test_a_tool_server_is_verified_with_it(
    server: ScriptedBrain, serve: Serve, task: BrainTask, authority: Authority, certificate: Certificate
) -> None:
    server.answers = lambda body: ", ".join(tool["function"]["name"] for tool in body["tools"])
    desk = MCPServer("desk")
    desk.tool(name="price")(lambda: "45 euros")
    async with serve(desk.streamable_http_app()) as plain, over_tls(certificate, plain) as url:
        tools = [{"name": "desk", "url": f"{url}/mcp"}]
        settings: dict[str, object] = {"url": server.url, "model": "scripted", "tools": tools}
        assert await answer("openai", settings, authority.ca, task) == "desk_price"
        assert "tool server desk cannot be used" in await answer("openai", settings, None, task)
