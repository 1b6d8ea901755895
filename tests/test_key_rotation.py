"""A key is rotated while clients use it without a pause: no request is lost, and no stream that is open is cut."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from gateway_stage import Stage, gateway_stage
from system import BIN

from vigil.testing.eventually import DEADLINE_S, eventually
from vigil_client.testing.command import invoked

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CLIENTS = 8
ROTATIONS = 3


@dataclass(slots=True)
class Load:
    """Clients that make one request after the other, each with the newest key that it was given."""

    stage: Stage
    key: str
    answers: Counter[int] = field(default_factory=Counter)

    async def run(self) -> None:
        """For ever."""
        async with self.stage.http(None) as http:
            while True:
                async with http.get("/v1/sessions", headers={"Authorization": f"Bearer {self.key}"}) as answer:
                    await answer.read()
                    self.answers[answer.status] += 1
                await asyncio.sleep(0.01)

    async def more(self, count: int = CLIENTS * 4) -> None:
        """Wait for so many more answers."""
        before = self.answers.total()
        await eventually(lambda: self.answers.total() >= before + count)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rotation")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """The gateway as a process."""
    async with gateway_stage(folder) as opened:
        yield opened


async def typed(folder: Path, *arguments: str) -> str:
    """Run `vigil keys` as a program; all that it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(BIN / "vigil"), "keys", *arguments, "--file", str(folder / "keys.json")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode().strip()


async def vigil_keys(folder: Path, *arguments: str) -> str:
    """Run `vigil keys` in this process; the key that it prints."""
    result = await asyncio.to_thread(invoked, "keys", *arguments, "--file", str(folder / "keys.json"))
    assert result.status == 0, result.output
    return result.output.splitlines()[-1]


async def accepts(stage: Stage, key: str) -> bool:
    async with stage.http(key) as http, http.get("/v1/key") as answer:
        return answer.status == 200


async def test_rotating_a_key_with_an_overlap_loses_no_request(stage: Stage, folder: Path) -> None:
    first = await vigil_keys(folder, "add", "pager")
    await eventually(lambda: accepts(stage, first))
    load = Load(stage, first)
    clients = [asyncio.create_task(load.run()) for _ in range(CLIENTS)]
    try:
        await load.more()
        for _ in range(ROTATIONS):
            # Clients are given the new key once it is accepted, as a secret store gives it: some time after the change.
            fresh = await vigil_keys(folder, "rotate", "pager", "--overlap", "1h")
            await load.more()
            await eventually(lambda key=fresh: accepts(stage, key))  # type: ignore[misc]
            load.key = fresh
            await load.more()
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
    assert set(load.answers) == {200}, load.answers
    kept = json.loads((folder / "keys.json").read_text())["keys"]
    assert sum(key.get("name") == "pager" for key in kept) == ROTATIONS + 1, "each of the old keys holds for an hour"
    assert await accepts(stage, first)


async def test_without_an_overlap_the_old_key_ends_and_the_new_one_holds(stage: Stage, folder: Path) -> None:
    old = await typed(folder, "add", "ticker")
    await eventually(lambda: accepts(stage, old))
    fresh = await vigil_keys(folder, "rotate", "ticker")
    await eventually(lambda: accepts(stage, fresh))
    assert not await accepts(stage, old)


async def test_a_stream_that_is_open_outlives_the_rotation_of_its_key(stage: Stage, folder: Path) -> None:
    key = await vigil_keys(folder, "add", "console")
    await eventually(lambda: accepts(stage, key))
    async with stage.http(key) as http:
        async with http.post("/v1/sessions", json={"source": {"kind": "pushed"}}) as answer:
            session = (await answer.json())["id"]
        async with http.get(f"/v1/sessions/{session}/events", timeout=aiohttp.ClientTimeout(total=None)) as events:
            fresh = await vigil_keys(folder, "rotate", "console", "--overlap", "1h")
            await eventually(lambda: accepts(stage, fresh))
            async with http.post(f"/v1/sessions/{session}/queries", json={"text": "Who is there?"}) as answer:
                assert answer.status < 300, await answer.text()
            assert not events.content.at_eof()
            async with http.delete(f"/v1/sessions/{session}") as answer:
                assert answer.status < 300
            async with asyncio.timeout(DEADLINE_S):
                assert b"ended" in await events.read()
