"""POSTs an alert to its endpoint: signed, within a deadline, never to a forbidden address, without redirects."""

import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from vigil.contract.outgoing import CLOUDEVENT
from vigil.core.address_policy import why_refused
from vigil.runtime.process.trace import with_trace
from vigil_webhook.endpoints import Endpoint
from vigil_webhook.signature import signed_headers
from vigil_webhook.verdict import Outcome, retry_after_s

_USER_AGENT = "Vigil-Webhook/1"


class ForbiddenAddress(OSError):
    """A name stands for an address that the policy forbids."""


class GuardedResolver(AbstractResolver):
    """Looks names up and refuses forbidden addresses, at each connection: a name cannot change in between."""

    def __init__(self, *, allow_local: bool) -> None:
        self._inner = ThreadedResolver()
        self._allow_local = allow_local

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for address in found:
            if why := why_refused(address["host"], allow_local=self._allow_local):
                raise ForbiddenAddress(f"{host} is not allowed, {why}")
        return found

    async def close(self) -> None:
        await self._inner.close()


class Sender:
    """An HTTP client for all endpoints. Endpoints share nothing that one of them could use up."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def post(self, endpoint: Endpoint, event_id: str, body: bytes) -> Outcome:
        """Try once, in the current trace. Never raises: what went wrong is in the outcome, without the URL."""
        headers = {"Content-Type": CLOUDEVENT, "User-Agent": _USER_AGENT}
        headers |= signed_headers(endpoint.key, event_id, int(time.time()), body)
        try:
            async with self._http.post(
                endpoint.url, data=body, headers=with_trace(headers), allow_redirects=False
            ) as answer:
                asked_s = retry_after_s(answer.headers.get("Retry-After", ""), datetime.now(UTC))
                return Outcome(answer.status, retry_after_s=asked_s)
        except TimeoutError:
            return Outcome(error="it did not answer in time")
        except aiohttp.ClientConnectorError as error:
            forbidden = isinstance(error.os_error, ForbiddenAddress)
            reason = error.os_error.strerror or str(error.os_error)
            return Outcome(error=f"it cannot be reached: {reason}", forbidden=forbidden)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(error=f"the request failed: {type(error).__name__}")


@asynccontextmanager
async def sending(timeout_s: float, *, allow_local: bool) -> AsyncIterator[Sender]:
    """A sender whose attempts take `timeout_s` at most."""
    connector = aiohttp.TCPConnector(
        limit=0,  # one request at a time for each endpoint bounds it
        resolver=GuardedResolver(allow_local=allow_local),
        use_dns_cache=False,
    )
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as http:
        yield Sender(http)
