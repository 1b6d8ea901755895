"""The gateway as the exam uses it: its OpenAI-compatible door, one turn a call, and the few REST calls around it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from vigil.core.probability import Probabilities
from vigil_recipe.exam.scoring.transcript import Heard, PlayFailed
from vigil_recipe.scenarios import Observed

CALL_S = 120.0
BUSY_S = 900.0  # a system whose ticks take over a second admits fewer sessions: the others wait their turn
AGAIN_S = 1.0
BUSY = (429, 503)
TURN = timedelta(seconds=1)


class GatewayClient:
    """One gateway and one tenant's key. The HTTP session is its caller's.

    A gateway without room is asked again every ``again_s`` seconds.
    """

    def __init__(
        self, http: aiohttp.ClientSession, url: str, api_key: str, model: str, again_s: float = AGAIN_S
    ) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._key = api_key
        self._model = model
        self._again_s = again_s

    async def turn(
        self, session: str, jpeg: bytes, time_s: float, text: str = "", extra: Mapping[str, Any] | None = None
    ) -> Heard:
        """Show one picture, with a question where there is one; the first turn of a session begins it.

        ``time_s`` is the model time of the picture; ``extra`` goes along with it (``watches``, ``instructions``).
        """
        picture = {"url": "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()}
        parts: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        parts.append({"type": "image_url", "image_url": picture})
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": parts}],
            "vigil": {"time_s": time_s, **(extra or {})},
        }
        return heard(time_s, await self.call("POST", "/v1/chat/completions", body, {"x-session-id": session}))

    async def instruct(self, session: str, text: str) -> str:
        """Add a standing instruction; its id."""
        return str((await self.call("POST", f"/v1/sessions/{session}/instructions", {"text": text}))["id"])

    async def watch(self, session: str, watch: Mapping[str, Any]) -> str:
        """Add a watch; its id."""
        return str((await self.call("POST", f"/v1/sessions/{session}/watches", watch))["id"])

    async def standing(self, session: str) -> dict[str, tuple[str, str]]:
        """What stands in the session: text to (kind, id), where kind is ``instructions`` or ``watches``."""
        found: dict[str, tuple[str, str]] = {}
        for kind in ("instructions", "watches"):
            answer = await self.call("GET", f"/v1/sessions/{session}/{kind}")
            found |= {str(entry["text"]): (kind, str(entry["id"])) for entry in answer[kind]}
        return found

    async def clear(self, session: str, kind: str, instruction: str) -> None:
        """Delete what ``standing`` listed under ``kind``."""
        await self.call("DELETE", f"/v1/sessions/{session}/{kind}/{instruction}")

    async def ask(self, session: str, text: str) -> None:
        """Leave a question for the next turn of a session with a camera of its own."""
        await self.call("POST", f"/v1/sessions/{session}/queries", {"text": text})

    async def observe(self, session: str, observed: Observed) -> None:
        """Tell the session what a module notices in the second that its next turn shows.

        The time is a second ahead: a turn says of what is older than its picture when that was.
        """
        body: dict[str, Any] = {"module": observed.module, "kind": observed.kind, "text": observed.text}
        if observed.confidence is not None:
            body["confidence"] = observed.confidence
        body["capture_time"] = (datetime.now(UTC) + TURN).isoformat()
        await self.call("POST", f"/v1/sessions/{session}/observations", body)

    async def history(self, session: str) -> Sequence[Mapping[str, Any]]:
        """The turns that were kept (the last 1,000), oldest first."""
        answer = await self.call("GET", f"/v1/sessions/{session}/history?limit=1000")
        turns: list[Mapping[str, Any]] = answer["turns"]
        return turns

    async def newest_lines(self, session: str, sequence: int) -> tuple[str, ...]:
        """The lines of text that a turn's prompt ends with: what was new in the turn."""
        answer = await self.call("GET", f"/v1/sessions/{session}/turns/{sequence}/prompt")
        parts = answer["messages"][-1]["parts"]
        return tuple("".join(part["text"] for part in parts if part["type"] == "text").splitlines())

    async def end(self, session: str) -> None:
        """End the session; its open alerts close. A session that never began, or is gone, is no error."""
        with contextlib.suppress(PlayFailed):
            await self.call("DELETE", f"/v1/sessions/{session}")

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """One call, tried again while the system has no room. Raises `PlayFailed` with the gateway's own words."""
        sent = {"Authorization": f"Bearer {self._key}", **(headers or {})}
        until_s = time.monotonic() + BUSY_S
        while True:
            try:
                async with self._http.request(
                    method, self._url + path, json=body, headers=sent, timeout=aiohttp.ClientTimeout(total=CALL_S)
                ) as answer:
                    text = await answer.text()
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError) as error:
                raise PlayFailed(f"the gateway at {self._url} does not answer ({error!r})") from None
            if status not in BUSY or time.monotonic() > until_s:
                break
            await asyncio.sleep(self._again_s)
        if status >= 400:
            raise PlayFailed(f"the gateway refused {method} {path} ({status}): {_reason(text)}")
        decoded = json.loads(text) if text else {}
        return decoded if isinstance(decoded, dict) else {}


def heard(time_s: float, answer: Mapping[str, Any]) -> Heard:
    """A turn from the door's answer. Raises `PlayFailed` for what is none."""
    try:
        extra = answer["vigil"]
        p = extra.get("p")
        return Heard(
            time_s=time_s,
            reply=str(answer["choices"][0]["message"]["content"]),
            p=Probabilities(p["silent"], p["speak"], p["delegate"]) if p else None,
            latency_ms=float(extra["latency_ms"]),
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise PlayFailed(f"the gateway's answer is no turn of Vigil's ({error!r})") from None


def _reason(text: str) -> str:
    """The words of an RFC 9457 problem or of an OpenAI error."""
    try:
        problem = json.loads(text)
        error = problem.get("error", problem)
        return str(error.get("message") or error.get("detail") or error.get("title") or text[:200])
    except (ValueError, AttributeError):
        return text[:200]
