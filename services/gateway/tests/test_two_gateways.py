"""Two gateways behind a proxy that gives each request to the next of them: calls that race, and a gateway that dies."""

import asyncio
import base64
import sys
from asyncio.subprocess import DEVNULL
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from vigil.core.command import Instruct
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.pushed import DUE
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg, mean_color
from vigil.testing.ports import free_port
from vigil.testing.round_robin import RoundRobin
from vigil.testing.scripted_decider import ScriptedDecider
from vigil_gateway.config import GatewaySettings

CHAT, SESSIONS = "/v1/chat/completions", "/v1/sessions"
COMMAND = [sys.executable, "-c", "from vigil_gateway.main import main; main()"]
KEY = {"Authorization": "Bearer a-key-of-demo"}
STEP = 42  # between two levels of a colour: no JPEG blurs that away
COLORS = [(red * STEP, green * STEP, blue * STEP) for red, green, blue in product(range(6), repeat=3)]
RACE_S = 240.0  # a whole race: of three that want the same session's turn, one may lose many times before it wins
NEW = {"source": {"url": "rtsp://camera.local/stream1"}}


def color_name(picture: bytes) -> str:
    """What the scripted model says of a picture: its colour, as one of `COLORS`."""
    return ",".join(str(round(level / STEP) * STEP) for level in mean_color(picture))


def chat(color: tuple[int, int, int], **vigil: Any) -> dict[str, Any]:
    """One turn with a picture of that colour."""
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg(color)).decode()}"
    content = [{"type": "image_url", "image_url": {"url": url}}]
    return {"model": "vigil-small", "messages": [{"role": "user", "content": content}], "vigil": vigil}


@dataclass(slots=True)
class Client:
    """A client that sends a picture again when it is told that a turn is in flight, and counts each refusal."""

    http: aiohttp.ClientSession
    refusals: Counter[str]

    async def push(self, session: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The answer's `vigil` part; None when the call was refused."""
        async with self.http.post(CHAT, json=body, headers={"x-session-id": session}) as answer:
            found: dict[str, dict[str, Any]] = await answer.json()
        if answer.status == 200:
            return found["vigil"]
        self.refusals[f"{answer.status} {found['error']['code']}"] += 1
        return None

    async def answered(self, session: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer's `vigil` part, once the picture was shown."""
        pushed = partial(self.push, session, body)
        found: dict[str, Any] | None = await eventually(pushed, RACE_S, "the picture is shown")
        assert found is not None
        return found


@pytest.fixture
async def browser(proxy: RoundRobin) -> AsyncIterator[Client]:
    """A client behind the proxy."""
    async with aiohttp.ClientSession(proxy.url, headers=KEY) as http:
        yield Client(http, Counter())


@pytest.fixture
async def decider(bus: Bus, store: SessionStore, placement: Placement) -> AsyncIterator[ScriptedDecider]:
    """Workers with room for forty sessions that say the colour of each picture."""
    for role in Role:
        await placement.heartbeat(role, f"{role}-1", 40)
    async with ScriptedDecider(bus, store, color_name).working() as working:
        yield working


async def test_two_hundred_racing_pushes_get_the_decision_of_their_own_picture(
    browser: Client, proxy: RoundRobin, decider: ScriptedDecider
) -> None:
    sessions = [f"room-{number}" for number in range(8)]
    waiting = [(sessions[number % len(sessions)], color) for number, color in enumerate(COLORS[:200])]
    answers: dict[str, list[float]] = {session: [] for session in sessions}

    async def work() -> None:
        while waiting:
            session, color = waiting.pop()
            answer = await browser.answered(session, chat(color))
            assert answer["text"] == ",".join(map(str, color)), "it is told of its own picture"
            answers[session].append(answer["time_s"])

    await asyncio.gather(*(work() for _ in range(24)))
    assert sum(map(len, answers.values())) == 200
    for session, times in answers.items():
        shown = decider.seen[SessionKey("demo", session)]
        assert shown == sorted(set(shown)), "no model time is shown twice, none after a later one"
        assert sorted(round(time_s * 1_000) for time_s in times) == shown, "each picture is shown once"
    assert set(browser.refusals) == {"429 turn_in_flight"}
    assert min(proxy.served.values()) > 100, "both gateways serve"


async def test_first_calls_that_race_begin_one_session_with_its_watches_once(
    browser: Client, decider: ScriptedDecider, store: SessionStore
) -> None:
    body = chat(COLORS[7], watches=[{"name": "fire", "text": "Alert me when a fire starts."}])
    answers = await asyncio.gather(*(browser.push("kitchen", body) for _ in range(20)))
    assert len([answer for answer in answers if answer]) == 1
    assert set(browser.refusals) <= {"429 turn_in_flight", "409 already_begun"}
    key = SessionKey("demo", "kitchen")
    commands = await store.commands(key)
    assert [command.instruction.text for command in commands if isinstance(command, Instruct)] == [
        "Alert me when a fire starts."
    ]
    assert len(decider.seen[key]) == 1


@pytest.mark.parametrize("pushed", [False, True], ids=["cameras", "first pictures"])
async def test_fifty_that_race_for_the_last_places_get_as_many_as_there_are(
    browser: Client, decider: ScriptedDecider, placement: Placement, store: SessionStore, pushed: bool
) -> None:
    await placement.heartbeat(Role.INTERACTION, "interaction-1", 3)

    async def opened(number: int) -> bool:
        if pushed:
            return await browser.push(f"room-{number}", chat(COLORS[number])) is not None
        async with browser.http.post(SESSIONS, json=NEW) as answer:
            found = await answer.json()
        if answer.status != 201:
            browser.refusals[f"{answer.status} {found['type'].removeprefix('urn:vigil:problem:')}"] += 1
        return answer.status == 201

    answers = await asyncio.gather(*(opened(number) for number in range(50)))
    assert answers.count(True) == 3
    assert browser.refusals == Counter({"503 capacity_full": 47})
    assert len(await store.sessions("demo")) == 3
    assert {role: (await placement.capacity(role)).open_sessions for role in Role} == {
        Role.INGESTION: 0 if pushed else 3,
        Role.CODEC: 3,
        Role.INTERACTION: 3,
        Role.ASR: 0,
        Role.TTS: 0,
    }


async def test_a_gateway_that_is_killed_during_a_turn_frees_it(
    settings: GatewaySettings, browser: Client, decider: ScriptedDecider
) -> None:
    key = SessionKey("demo", "kitchen")
    await browser.answered("kitchen", chat(COLORS[1]))
    decider.open_gate.clear()
    async with gateway_process(settings) as (process, url), aiohttp.ClientSession(url, headers=KEY) as http:
        lost = asyncio.create_task(Client(http, Counter()).push("kitchen", chat(COLORS[2])))
        await eventually(lambda: len(decider.seen[key]) == 2, what="its picture is shown")
        assert await browser.push("kitchen", chat(COLORS[3])) is None
        process.kill()
        with pytest.raises(aiohttp.ClientError):
            await lost
    waiting = asyncio.create_task(browser.answered("kitchen", chat(COLORS[3])))
    await eventually(lambda: len(decider.seen[key]) == 3, what="the next picture is shown")
    decider.open_gate.set()
    assert (await waiting)["text"] == ",".join(map(str, COLORS[3]))
    assert set(browser.refusals) == {"429 turn_in_flight"}


@pytest.mark.parametrize("idle_s", [2.0])
async def test_a_silent_session_is_ended_by_one_of_the_two(
    browser: Client, decider: ScriptedDecider, store: SessionStore, redis: Redis
) -> None:
    await browser.answered("kitchen", chat(COLORS[1]))
    ended = await eventually(lambda: store.ended(SessionKey("demo", "kitchen")), what="the session is ended")
    assert ended is not None
    assert "pushed no picture" in ended.reason

    async def is_forgotten() -> bool:
        return not await redis.exists(DUE)

    await eventually(is_forgotten, what="it is forgotten")


@asynccontextmanager
async def gateway_process(settings: GatewaySettings) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A gateway as a process of its own, ready, and its URL."""
    port = free_port()
    variables = {
        "VIGIL_HTTP_PORT": str(port),
        "VIGIL_GRPC_PORT": "0",
        "VIGIL_METRICS_PORT": "0",
        "VIGIL_API_KEYS_FILE": str(settings.api_keys_file),
        "VIGIL_NATS_URL": settings.nats_url,
        "VIGIL_REDIS_URL": settings.redis_url,
        "VIGIL_INGESTION_GRPC": settings.ingestion_grpc,
    }
    process = await asyncio.create_subprocess_exec(*COMMAND, env=variables, stdout=DEVNULL, stderr=DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        await eventually(lambda: _is_ready(url), what="the gateway is ready")
        yield process, url
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _is_ready(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False
