"""HTTP to a summariser or an embedding model: bounded reading, errors as `SummariserError`, the key in none of them."""

import asyncio
from collections.abc import Mapping
from ssl import SSLContext
from typing import Any

import aiohttp
import msgspec

from vigil.contract.unreadable import UNREADABLE
from vigil.runtime.process.http_bodies import read_bounded
from vigil.runtime.process.http_session import TRANSIENT_STATUSES, open_session
from vigil.runtime.process.trace import with_trace
from vigil_memory.summarisers.port import SummariserError

CONNECT_S = 5.0
MAX_ANSWER_BYTES = 1 << 20


class HttpClient:
    """Posts JSON to one peer with one key. `name` is what the peer is called, `setting` what its settings begin with,
    and `most_bytes` what it may answer."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        key: str = "",
        *,
        name: str = "summariser",
        setting: str = "VIGIL_SUMMARISER",
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._http = http
        self._key = key
        self._name = name
        self._setting = setting
        self._most_bytes = most_bytes

    async def post(self, url: str, body: Mapping[str, Any], deadline_s: float) -> Any:
        """The JSON of the answer. Raises `SummariserError`."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        data = msgspec.json.encode(body)
        try:
            async with (
                asyncio.timeout(deadline_s),
                self._http.post(url, data=data, headers=with_trace(headers), allow_redirects=False) as answer,
            ):
                whole = await read_bounded(answer, self._most_bytes)
        except TimeoutError:
            raise SummariserError(f"the {self._name} did not answer within {deadline_s:g} s", "timeout") from None
        except (aiohttp.ClientError, OSError) as error:
            why = type(error).__name__
            raise SummariserError(f"the {self._name} cannot be reached, or broke off ({why})", "unavailable") from None
        return self._read(answer.status, whole)

    def _read(self, status: int, whole: bytes) -> Any:
        if not 200 <= status < 300:
            is_transient = status in TRANSIENT_STATUSES
            kind = "unavailable" if is_transient else "refused"
            hint = "" if is_transient else f": check {self._setting}_URL, _MODEL and _API_KEY"
            raise SummariserError(f"the {self._name} answered {status}{hint}", kind, is_transient=is_transient)
        if len(whole) > self._most_bytes:
            raise SummariserError(f"the {self._name} answered with more than {self._most_bytes:,} bytes", "invalid")
        try:
            return msgspec.json.decode(whole)
        except UNREADABLE:
            reason = f"the {self._name}'s answer is no JSON: check {self._setting}_URL"
            raise SummariserError(reason, "invalid") from None


def http_session(tls: SSLContext | None) -> aiohttp.ClientSession:
    """A session for one summariser; whoever gives it tasks bounds the number of its calls."""
    return open_session(tls, aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S))
