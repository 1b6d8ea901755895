"""The live connection is cut: the page says so, heals by itself, and has lost and doubled nothing."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from console_journey import WAIT_MS
from console_stage import DIST, MISSING, NEEDS
from gateway_stage import KEYS, Stage, gateway_stage
from playwright.async_api import Browser, Page, Request, expect

from vigil.testing.emitted import decided
from vigil.testing.eventually import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.skipif(MISSING, reason=NEEDS)]

BEFORE, MEANWHILE, AFTER = 5, 7, 5
LOST = re.compile("Connection lost")


class Cable:
    """What lies between the browser and the gateway. While it is cut, connections end at once and none is made."""

    def __init__(self, port: int) -> None:
        self.is_cut = False
        self._port = port
        self._ends: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        """The address of its near end."""
        server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        try:
            yield f"http://localhost:{server.sockets[0].getsockname()[1]}"
        finally:
            self.cut()
            server.close()
            await server.wait_closed()

    def cut(self) -> None:
        """End every connection; make none until `mend`."""
        self.is_cut = True
        for writer in self._ends:
            writer.transport.abort()

    def mend(self) -> None:
        """Make connections again."""
        self.is_cut = False

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        ends = {writer, far_writer}
        self._ends |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_carry(reader, far_writer))
                group.create_task(_carry(far_reader, writer))
        finally:
            self._ends -= ends


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A gateway with the console; what workers decide is played."""
    async with gateway_stage(tmp_path, more={"CONSOLE_DIR": DIST}) as made:
        yield made


async def test_a_page_that_was_cut_off_says_so_and_misses_nothing(stage: Stage, browser: Browser) -> None:
    cable = Cable(int(stage.url.rpartition(":")[2]))
    resumed: list[str] = []

    async def note(request: Request) -> None:
        if request.url.endswith("/events") and (last := await request.header_value("last-event-id")):
            resumed.append(last)

    async with cable.laid() as url, stage.http(KEYS["demo"]) as http:
        async with http.post("/v1/sessions", json={"source": {"url": "rtsp://camera.local/1"}}) as answer:
            session = (await answer.json())["id"]
        context = await browser.new_context(base_url=url, locale="en-GB")
        page = await context.new_page()
        page.on("request", note)
        await page.goto(f"/sessions/{session}")
        await page.get_by_label("API key", exact=True).fill(KEYS["demo"])
        async with page.expect_response(lambda answer: answer.url.endswith(f"{session}/events"), timeout=WAIT_MS):
            await page.keyboard.press("Enter")  # once the stream is answered, nothing that is decided is missed
        await expect(page.get_by_role("log")).to_be_visible(timeout=WAIT_MS)
        await _decide(stage, session, range(BEFORE))
        await _shows(page, BEFORE)
        await expect(page.get_by_text(LOST)).to_have_count(0)

        cable.cut()
        await expect(page.get_by_text(LOST).first).to_be_visible(timeout=WAIT_MS)
        await expect(page.get_by_role("button", name="Try now").first).to_be_visible()
        await _decide(stage, session, range(BEFORE, BEFORE + MEANWHILE))
        cable.mend()
        await _shows(page, BEFORE + MEANWHILE)
        await expect(page.get_by_text(LOST)).to_have_count(0, timeout=WAIT_MS)
        await eventually(lambda: bool(resumed), what="the stream went on from its last event")
        await _decide(stage, session, range(BEFORE + MEANWHILE, BEFORE + MEANWHILE + AFTER))
        await _shows(page, BEFORE + MEANWHILE + AFTER)
        await context.close()


async def _decide(stage: Stage, session: str, sequences: range) -> None:
    for sequence in sequences:
        await stage.bus.publish_stored(decided(session, sequence, f"Somebody is at door {sequence}."))


async def _shows(page: Page, count: int) -> None:
    """The conversation has the words of so many decisions, each once and in order."""
    wanted = [f"Somebody is at door {sequence}." for sequence in range(count)]

    async def shown() -> bool:
        texts = await page.get_by_role("log").get_by_role("button").all_inner_texts()
        return [match[0] for text in texts if (match := re.search(r"Somebody is at door \d+\.", text))] == wanted

    await eventually(shown, WAIT_MS / 1_000, f"{count} decisions are shown")
