"""What clients do before two gateways: a push that a gateway did not answer goes to the other, with the same key; a
live stream that ended goes on where it was."""

import asyncio
import base64
import contextlib
import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import aiohttp

from bench.pictures import scenes

_PICTURES = 8
_ANSWER_S = 10.0
_AGAIN_S = 0.1
_GIVEN_UP_S = 8.0
_LATER = (429, 502, 503, 504)  # of a picture with a key of its own: it may be sent again


@dataclass(slots=True)
class Doors:
    """Gateways that stand for one another, each by its base URL, and the headers of a key."""

    urls: Sequence[str]
    headers: dict[str, str]
    http: aiohttp.ClientSession
    given: int = 0

    def next(self) -> str:
        """Each in turn."""
        self.given += 1
        return self.urls[self.given % len(self.urls)]


@dataclass(slots=True)
class Pusher:
    """A client that pushes one picture a second. `answered_s` is how long each waited for its decision; `unanswered`
    counts those without one, `repeats` how often one was sent again."""

    session: str
    answered_s: list[float] = field(default_factory=list)
    unanswered: int = 0
    repeats: int = 0

    async def run(self, doors: Doors, model: str) -> None:
        """Push until cancelled."""
        pictures = [base64.b64encode(picture).decode() for picture in scenes(_PICTURES, (128, 128))]
        began_s = time.monotonic()
        for second in itertools.count():
            await asyncio.sleep(max(0.0, began_s + second - time.monotonic()))
            await self._push(doors, _chat(model, pictures[second % _PICTURES]))

    async def _push(self, doors: Doors, body: dict[str, object]) -> None:
        headers = {**doors.headers, "x-session-id": self.session, "Idempotency-Key": uuid4().hex}
        shown_s = time.monotonic()
        while time.monotonic() - shown_s < _GIVEN_UP_S:
            if await _is_answered(doors, headers, body):
                self.answered_s.append(time.monotonic() - shown_s)
                return
            self.repeats += 1
            await asyncio.sleep(_AGAIN_S)
        self.unanswered += 1


async def _is_answered(doors: Doors, headers: dict[str, str], body: dict[str, object]) -> bool:
    """Whether the push got its decision. Raises `RuntimeError` for an answer that no repeat can mend."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    url = f"{doors.next()}/v1/chat/completions"
    try:
        async with doors.http.post(url, json=body, headers=headers, timeout=timeout) as answer:
            if answer.status == 200:
                await answer.read()
                return True
            if answer.status not in _LATER:
                raise RuntimeError(f"a push was refused: {answer.status} {await answer.text()}")
    except (aiohttp.ClientError, TimeoutError):
        pass
    return False


def _chat(model: str, picture: str) -> dict[str, object]:
    part = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}}
    return {"model": model, "messages": [{"role": "user", "content": [part]}]}


@dataclass(slots=True)
class Listener:
    """A client that reads a session's live events. `sequences` are those of the decisions that it heard, in order."""

    session: str
    sequences: list[int] = field(default_factory=list)
    connections: int = 0
    last_id: str = ""

    async def run(self, doors: Doors) -> None:
        """Read until cancelled; connect again, to the other gateway, whenever a stream ends."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                await self._read(doors)
            await asyncio.sleep(_AGAIN_S)

    async def _read(self, doors: Doors) -> None:
        headers = {**doors.headers, **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        url = f"{doors.next()}/v1/sessions/{self.session}/events"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_ANSWER_S)
        async with doors.http.get(url, headers=headers, timeout=timeout) as answer:
            if answer.status != 200:
                return
            self.connections += 1
            kind = ""
            async for line in answer.content:
                name, _, value = line.decode().rstrip("\r\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "id":
                    self.last_id = value
                elif name == "data" and kind == "decision":
                    self.sequences.append(int(json.loads(value)["sequence"]))
