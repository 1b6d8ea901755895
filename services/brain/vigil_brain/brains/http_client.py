"""HTTP to a brain: its errors in the words of `BrainError`, reading that is bounded, a cancel call at the other end.

Redirects are not followed, proxies of the environment are not used, and the key is in no error.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp

from vigil.runtime.process.http_session import TRANSIENT_STATUSES, open_session
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import with_trace
from vigil_brain.brains.bounded import Allowance, EventParser, Flooded, ServerEvent
from vigil_brain.brains.port import MAX_READ_BYTES, BrainError

CONNECT_S = 10.0
SILENCE_S = 120.0  # no byte for so long: the brain hangs
CANCEL_S = 0.8  # for the call that ends the work at the other end: cancelling takes a second at most in all
MAX_REASON_CHARS = 200
NOT_TRUSTED = (
    "the brain's certificate is not trusted: name its authority in VIGIL_CA_FILE, or check the host name in its url"
)

log = get_log()


class HttpClient:
    """Calls below one base URL with one key. `http` is shared by all calls of a brain."""

    def __init__(self, http: aiohttp.ClientSession, base: str, key: str = "") -> None:
        self._http = http
        self._base = base.rstrip("/")
        self._key = key

    async def json(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Call and return the JSON object of the answer. Raises `BrainError`."""
        async with self.response(method, path, body, headers) as response:
            return json_object(await self.whole(response))

    @asynccontextmanager
    async def response(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer's head, with success; what goes wrong inside the block is a `BrainError` as well."""
        sent = with_trace(dict(headers or {}))
        if self._key:
            sent["Authorization"] = f"Bearer {self._key}"
        with in_plain_words():
            async with self._http.request(
                method, self._base + path, json=body, headers=sent, allow_redirects=False
            ) as response:
                if not 200 <= response.status < 300:
                    raise await self._refusal(response)
                yield response

    async def events(self, response: aiohttp.ClientResponse) -> AsyncIterator[ServerEvent]:
        """Server-sent events until the other end closes. Raises `Flooded` after `MAX_READ_BYTES`, and `BrainError`."""
        allowance, parser = Allowance(MAX_READ_BYTES), EventParser()
        async for chunk in response.content.iter_any():
            allowance.take(len(chunk))
            for event in parser.feed(chunk):
                yield event

    async def whole(self, response: aiohttp.ClientResponse) -> bytes:
        """The body. Raises `BrainError` when it is over `MAX_READ_BYTES`: half of a JSON text is of no use."""
        allowance, body = Allowance(MAX_READ_BYTES), bytearray()
        try:
            async for chunk in response.content.iter_any():
                allowance.take(len(chunk))
                body += chunk
        except Flooded:
            raise BrainError(f"the brain answered with more than {MAX_READ_BYTES:,} bytes of JSON") from None
        return bytes(body)

    async def _refusal(self, response: aiohttp.ClientResponse) -> BrainError:
        head = await response.content.read(4_096)
        said = _said(head)
        said = said.replace(self._key, "…") if self._key else said
        hint = {401: ": check its key", 403: ": check its key", 404: ": check its url and model"}.get(
            response.status, ""
        )
        reason = f"the brain answered {response.status}{hint}" + (f" ({said})" if said else "")
        return BrainError(reason, is_transient=response.status in TRANSIENT_STATUSES)


def http_session(trusted: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
    """A session for one brain. The number of its calls is bounded by who gives it tasks. `trusted`: see `BrainSpec`."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
    return open_session(trusted, timeout)


@contextmanager
def in_plain_words() -> Iterator[None]:
    """Turns what aiohttp raises into `BrainError`."""
    try:
        yield
    except aiohttp.ClientConnectorCertificateError:
        raise BrainError(NOT_TRUSTED) from None
    except aiohttp.ClientConnectorError as error:
        why = error.os_error.strerror or str(error.os_error)
        raise BrainError(f"the brain cannot be reached: {why}", is_transient=True) from None
    except aiohttp.ServerTimeoutError:
        raise BrainError(f"the brain said nothing for {SILENCE_S:g} s", is_transient=True) from None
    except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, ConnectionError):
        raise BrainError("the brain broke off in the middle of its answer", is_transient=True) from None
    except aiohttp.ClientError as error:
        raise BrainError(f"the request to the brain failed: {type(error).__name__}") from None


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """Raises `BrainError` when the block takes longer."""
    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            yield
    except TimeoutError:
        if not timer.expired():
            raise
        raise BrainError(f"the brain did not answer within {seconds:g} s") from None


@asynccontextmanager
async def cancelled_remotely(cancel: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """When the block does not end by itself, `cancel` is awaited for `CANCEL_S` at most, and the exception goes on. A
    cancel call that fails is logged: nobody could do more about it."""
    try:
        yield
    except (asyncio.CancelledError, BrainError, TimeoutError):
        try:
            async with asyncio.timeout(CANCEL_S):
                await cancel()
        except (BrainError, TimeoutError) as error:
            log.warning("remote task not cancelled", reason=str(error) or "no answer in time")
        raise


def json_object(body: bytes | str) -> dict[str, Any]:
    """The JSON object in `body`. Raises `BrainError` for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BrainError("the brain sent something that is no JSON") from None
    if not isinstance(value, dict):
        raise BrainError("the brain sent JSON that is no object")
    return value


def shortened(text: object) -> str:
    """`text` in one line that is short enough for a reason."""
    line = " ".join(str(text).split())
    return line if len(line) <= MAX_REASON_CHARS else line[:MAX_REASON_CHARS] + "…"


def _said(head: bytes) -> str:
    """What an error's body says: its message when it is JSON of the usual form, else nothing."""
    try:
        value = json.loads(head)
    except (ValueError, RecursionError):
        return ""
    error = value.get("error") if isinstance(value, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return shortened(message) if isinstance(message, str) else ""
