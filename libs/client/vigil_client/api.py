"""The gateway's REST API, asynchronous and typed."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import quote

import aiohttp

from vigil_client import values
from vigil_client.backoff import Backoff
from vigil_client.errors import (
    BadMessage,
    Invalid,
    NotFound,
    Refused,
    Unauthorised,
    Unavailable,
    Unreachable,
)
from vigil_client.events import Connection, Event, read_event
from vigil_client.sse import Parser

PROBLEM_PREFIX = "urn:vigil:problem:"
# Creating a session opens the camera first, so it takes longer than other calls.
CREATE_S = 45.0
# The gateway sends a heartbeat more often than this; a stream that is silent for longer is dead.
SILENT_STREAM_S = 60.0


class Client:
    """A tenant's view of one gateway. Use it as an async context manager.

    Every call raises `Unreachable` when nothing answers, else a `Refused` that says what was wrong and what to do.
    """

    def __init__(self, gateway_url: str, api_key: str, timeout_s: float = 15.0) -> None:
        self.gateway_url = gateway_url.rstrip("/")
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {api_key}"}, timeout=aiohttp.ClientTimeout(total=timeout_s)
        )

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def create_session(self, new: values.NewSession) -> values.Session:
        """Watch a source. A source that cannot be opened is `Invalid` with the fault as its message."""
        return values.session(await self._call("POST", "/v1/sessions", new.body(), timeout_s=CREATE_S))

    async def sessions(self) -> tuple[values.Session, ...]:
        """The tenant's sessions: the open ones and those that ended a short while ago."""
        answer = await self._call("GET", "/v1/sessions")
        return tuple(values.session(one) for one in _listed(answer, "sessions"))

    async def session(self, session_id: str) -> values.Session:
        """One session, how far it is, and what each role says of it."""
        return values.session(await self._call("GET", _session(session_id)))

    async def update_session(
        self,
        session_id: str,
        interval_ms: int | None = None,
        frames_per_turn: int = 1,
        response_mode: str | None = None,
        text_temperature: float | None = None,
        infer_when_idle: bool | None = None,
    ) -> values.Session:
        """Change what may change while the session runs; what is None stays as it is."""
        body: dict[str, Any] = {}
        if interval_ms is not None:
            body["cadence"] = {"interval_ms": interval_ms, "frames_per_turn": frames_per_turn}
        if response_mode is not None:
            body["response_mode"] = response_mode
        if text_temperature is not None:
            body["text_temperature"] = text_temperature
        if infer_when_idle is not None:
            body["infer_when_idle"] = infer_when_idle
        return values.session(await self._call("PATCH", _session(session_id), body))

    async def end_session(self, session_id: str) -> None:
        """Stop watching."""
        await self._call("DELETE", _session(session_id))

    async def reset_session(self, session_id: str) -> None:
        """Forget the history; instructions and watches stay."""
        await self._call("POST", f"{_session(session_id)}/reset")

    async def ask(self, session_id: str, question: str) -> str:
        """Ask about what the camera shows; the id of the query. The answer comes as an event of the session."""
        answer = await self._call("POST", f"{_session(session_id)}/queries", {"text": question})
        return str(answer.get("id", ""))

    async def instructions(self, session_id: str) -> tuple[values.Instruction, ...]:
        """Standing instructions, without watches."""
        answer = await self._call("GET", f"{_session(session_id)}/instructions")
        return tuple(values.instruction(one) for one in _listed(answer, "instructions"))

    async def instruct(self, session_id: str, text: str) -> str:
        """Add a standing instruction; its id."""
        return await self._add(f"{_session(session_id)}/instructions", {"text": text})

    async def clear_instruction(self, session_id: str, instruction_id: str) -> None:
        """Take a standing instruction back."""
        await self._call("DELETE", f"{_session(session_id)}/instructions/{quote(instruction_id, safe='')}")

    async def watches(self, session_id: str) -> tuple[values.Instruction, ...]:
        """Standing instructions that raise alerts."""
        answer = await self._call("GET", f"{_session(session_id)}/watches")
        return tuple(values.instruction(one) for one in _listed(answer, "watches"))

    async def watch(self, session_id: str, watch: values.NewWatch) -> str:
        """Add a watch; its id."""
        return await self._add(f"{_session(session_id)}/watches", watch.body())

    async def clear_watch(self, session_id: str, watch_id: str) -> None:
        """Take a watch back."""
        await self._call("DELETE", f"{_session(session_id)}/watches/{quote(watch_id, safe='')}")

    async def history(self, session_id: str) -> tuple[values.Turn, ...]:
        """The last turns, oldest first."""
        answer = await self._call("GET", f"{_session(session_id)}/history")
        return tuple(values.turn(one) for one in _listed(answer, "turns"))

    async def snapshot(self, alert_id: str) -> bytes:
        """The picture that an alert was opened on."""
        async with self._request("GET", f"/v1/alerts/{quote(alert_id, safe='')}/snapshot") as response:
            return await response.read()

    async def health(self) -> dict[str, Any]:
        """Whether new sessions can be taken, and the capacity of each role."""
        return await self._call("GET", "/v1/health")

    async def events(self, session_id: str, backoff: Backoff | None = None) -> AsyncGenerator[Event, None]:
        """The session's live events, across restarts of the gateway: `Connection` says when the stream is cut and
        back. Ends never by itself; raises `Refused` when the gateway will not have it (session unknown, key wrong).
        """
        policy = backoff or Backoff()
        failures = 0
        while True:
            try:
                async for event in self._stream(session_id):
                    failures = 0
                    yield event
                reason = "the gateway closed the stream"
            except (Unreachable, Unavailable) as error:
                reason = error.message
            failures += 1
            yield Connection(connected=False, reason=reason)
            await asyncio.sleep(policy.delay_s(failures, random.random()))

    async def _stream(self, session_id: str) -> AsyncIterator[Event]:
        parser = Parser()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=SILENT_STREAM_S)
        async with self._request("GET", f"{_session(session_id)}/events", timeout=timeout) as response:
            yield Connection(connected=True)
            async for chunk in response.content.iter_any():
                for received in parser.feed(chunk):
                    event = read_event(received)
                    if event is not None:
                        yield event

    async def _add(self, path: str, body: dict[str, Any]) -> str:
        return str((await self._call("POST", path, body)).get("id", ""))

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, timeout_s: float | None = None
    ) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=timeout_s) if timeout_s else None
        async with self._request(method, path, body, timeout) as response:
            text = await response.text()
        if not text:
            return {}
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise BadMessage(f"{self.gateway_url}{path} did not answer JSON", "check that this is Vigil's gateway")
        return answer

    def _request(
        self, method: str, path: str, body: dict[str, Any] | None = None, timeout: aiohttp.ClientTimeout | None = None
    ) -> "_Request":
        keywords: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
        return _Request(
            self._http.request(method, self.gateway_url + path, json=body, **keywords),
            self.gateway_url,
        )


class _Request:
    """One request: what the transport or the gateway says against it becomes an error of this package."""

    def __init__(self, sent: Any, gateway_url: str) -> None:
        self._sent = sent
        self._gateway_url = gateway_url

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            response: aiohttp.ClientResponse = await self._sent.__aenter__()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from None
        if response.status >= HTTPStatus.BAD_REQUEST:
            try:
                raise refusal(response.status, await response.text())
            finally:
                response.release()
        return response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sent.__aexit__(kind, error, trace)
        if isinstance(error, aiohttp.ClientError | TimeoutError | OSError):
            raise self._unreachable(error) from None

    def _unreachable(self, error: BaseException) -> Unreachable:
        why = "took too long to answer" if isinstance(error, TimeoutError) else "does not answer"
        return Unreachable(
            f"the gateway at {self._gateway_url} {why}", "start Vigil with `vigil up`, or check --gateway"
        )


def refusal(status: int, body: str) -> Refused:
    """The error for an answer of 400 and above, from its RFC 9457 body where it has one."""
    try:
        problem = json.loads(body)
        message = str(problem.get("detail") or problem.get("title") or f"status {status}")
        next_step = str(problem.get("next_step", ""))
        kind = str(problem.get("type", "")).removeprefix(PROBLEM_PREFIX)
    except (ValueError, AttributeError):
        message, next_step, kind = f"the gateway answered {status} without saying why", "", ""
    return _class_of(status)(message, next_step, status=status, kind=kind)


def _session(session_id: str) -> str:
    """The path of a session; an id that a person mistyped must not become another path."""
    return f"/v1/sessions/{quote(session_id, safe='')}"


def _class_of(status: int) -> type[Refused]:
    if status == HTTPStatus.UNAUTHORIZED:
        return Unauthorised
    if status == HTTPStatus.NOT_FOUND:
        return NotFound
    return Unavailable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Invalid


def _listed(answer: dict[str, Any], name: str) -> list[Any]:
    found = answer.get(name)
    if not isinstance(found, list):
        raise BadMessage(f"the gateway's answer has no list of {name}", "use a gateway of this version")
    return found
