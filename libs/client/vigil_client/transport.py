"""Requests to the gateway over one HTTP session: JSON out and in, and every failure an error of this package."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any

import aiohttp

from vigil_client.errors import BadMessage, Invalid, NotFound, Refused, Unauthorised, Unavailable, Unreachable
from vigil_client.trust import trusting

PROBLEM_PREFIX = "urn:vigil:problem:"
TOO_MANY_REQUESTS = "too_many_requests"
# A WebSocket that is silent for so long is asked whether it lives.
HEARTBEAT_S = 20.0
_HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dmlnaWwgYXNrcyBhZ2Fpbg==",
}


class Transport:
    """One tenant's connections to one gateway. Close it when it is no longer needed. `ca_file`: see `trusting`."""

    def __init__(self, gateway_url: str, api_key: str, ca_file: str, timeout_s: float) -> None:
        self.gateway_url = gateway_url.rstrip("/")
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusting(ca_file) or True),
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        )

    async def close(self) -> None:
        """End the connections."""
        await self._http.close()

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """The JSON object that answers a call; empty when the answer has no body."""
        timeout = aiohttp.ClientTimeout(total=timeout_s) if timeout_s else None
        async with self.request(method, path, body, timeout) as response:
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

    def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "_Request":
        """The response as an async context manager, for what is not one JSON object."""
        keywords: dict[str, Any] = {"headers": headers} | ({} if timeout is None else {"timeout": timeout})
        return _Request(
            self._http.request(method, self.gateway_url + path, json=body, **keywords),
            self.gateway_url,
        )

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A WebSocket while the block runs. Raises `Unreachable`, and `Refused` with what the gateway says."""
        try:
            opened = await self._http.ws_connect(self.gateway_url + path, heartbeat=HEARTBEAT_S)
        except aiohttp.WSServerHandshakeError as error:
            # The answer's words are gone: the same handshake as a plain request is refused with them.
            async with self.request("GET", path, headers=_HANDSHAKE):
                raise Unavailable(f"the gateway at {self.gateway_url} answered {error.status} once", "") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self.gateway_url, error) from None
        async with opened:
            yield opened


class _Request:
    """One request: what the transport or the gateway says against it becomes an error of this package."""

    def __init__(self, sent: Any, gateway_url: str) -> None:
        self._sent = sent
        self._gateway_url = gateway_url

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            response: aiohttp.ClientResponse = await self._sent.__aenter__()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self._gateway_url, error) from None
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
            raise unreachable(self._gateway_url, error) from None


def unreachable(gateway_url: str, error: BaseException) -> Unreachable:
    """Why the gateway did not answer, in words."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Unreachable(
            f"the gateway at {gateway_url} shows a certificate that is not trusted: {error.certificate_error}",
            "give the file of the authority that made it with --ca-file, and the host name that is in it",
        )
    why = "took too long to answer" if isinstance(error, TimeoutError) else "does not answer"
    return Unreachable(f"the gateway at {gateway_url} {why}", "start Vigil with `vigil up`, or check --gateway")


def refusal(status: int, body: str) -> Refused:
    """The error for an answer of 400 and above, from its RFC 9457 body where it has one."""
    try:
        problem = json.loads(body)
        message = str(problem.get("detail") or problem.get("title") or f"status {status}")
        next_step = str(problem.get("next_step", ""))
        kind = str(problem.get("type", "")).removeprefix(PROBLEM_PREFIX)
    except (ValueError, AttributeError):
        message, next_step, kind = f"the gateway answered {status} without saying why", "", ""
    return _class_of(status, kind)(message, next_step, status=status, kind=kind)


def _class_of(status: int, kind: str) -> type[Refused]:
    if status == HTTPStatus.UNAUTHORIZED:
        return Unauthorised
    if status == HTTPStatus.NOT_FOUND:
        return NotFound
    is_later = status >= HTTPStatus.INTERNAL_SERVER_ERROR or kind == TOO_MANY_REQUESTS
    return Unavailable if is_later else Invalid
