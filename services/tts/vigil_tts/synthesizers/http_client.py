"""HTTP to a speech engine: what it sends is passed on as it comes, and errors are `SynthesizerError`. The key is in no
error."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

import aiohttp
import msgspec

from vigil.contract.unreadable import UNREADABLE
from vigil.runtime.process.http_bodies import read_bounded
from vigil.runtime.process.http_session import TRANSIENT_STATUSES, open_session
from vigil.runtime.process.trace import with_trace
from vigil_tts.synthesizers.port import SynthesizerError

CONNECT_S = 2.0
MAX_JSON_BYTES = 1 << 20


class HttpClient:
    """Asks below one root, with one key."""

    def __init__(self, http: aiohttp.ClientSession, root: str, key: str = "") -> None:
        self._http = http
        self._root = root.rstrip("/")
        self._key = key

    @asynccontextmanager
    async def post(self, path: str, **body: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """The head of the answer, with success. What goes wrong in the block is a `SynthesizerError` as well; leaving
        it early closes the connection. `body` is what aiohttp takes: `json` or `data`."""
        async with self._asked("POST", path, **body) as answer:
            yield answer

    async def json(self, path: str) -> Any:
        """The JSON that is at `path`. Raises `SynthesizerError`."""
        async with self._asked("GET", path) as answer:
            whole = await read_bounded(answer, MAX_JSON_BYTES)
        try:
            return msgspec.json.decode(whole)
        except UNREADABLE:
            raise SynthesizerError("the speech engine sent something that is no JSON", "invalid") from None

    @asynccontextmanager
    async def _asked(self, method: str, path: str, **body: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._http.request(
                method, self._root + path, headers=self._headers(), allow_redirects=False, **body
            ) as answer:
                if not 200 <= answer.status < 300:
                    raise _refusal(answer.status)
                yield answer
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, ConnectionError):
            raise SynthesizerError("the speech engine broke off", "broken") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SynthesizerError(
                f"the speech engine cannot be reached ({type(error).__name__})", "unavailable"
            ) from None

    def _headers(self) -> Mapping[str, str]:
        return with_trace({"Authorization": f"Bearer {self._key}"} if self._key else {})


def http_session(tls: SSLContext | None) -> aiohttp.ClientSession:
    """A session for one engine. How many calls there are at once, and how long each waits, bounds who makes them."""
    return open_session(tls, aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S))


def _refusal(status: int) -> SynthesizerError:
    if status in TRANSIENT_STATUSES:
        return SynthesizerError(f"the speech engine answered {status}", "unavailable")
    hint = "check VIGIL_TTS_URL, _MODEL, _VOICE and _KEY"
    return SynthesizerError(f"the speech engine answered {status}: {hint}", "refused")
