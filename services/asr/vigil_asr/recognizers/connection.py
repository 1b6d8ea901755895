"""HTTP and WebSockets to an engine, and what goes wrong with them in the words of `RecognizerError`.

Redirects are not followed, proxies of the environment are not used, and the key is in no error.
"""

import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp

from vigil.runtime.process.http_bodies import read_bounded
from vigil.runtime.process.http_session import TRANSIENT_STATUSES, open_session
from vigil_asr.recognizers.port import RecognizerError

CONNECT_S = 5.0
MAX_MESSAGE_BYTES = 1_024 * 1_024
_OF_REQUEST = frozenset({400, 422})
_HINTS = {401: ": check VIGIL_ASR_KEY", 403: ": check VIGIL_ASR_KEY", 404: ": check VIGIL_ASR_URL and VIGIL_ASR_MODEL"}


class Connection:
    """Calls to one engine, with its address and its key."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str = "") -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def post(self, path: str, form: aiohttp.FormData) -> dict[str, Any]:
        """The JSON object that a form is answered with. Raises `RecognizerError`."""
        with in_plain_words():
            async with self._http.post(
                self._url + path, data=form, headers=self._headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise _refused(response.status)
                whole = await read_bounded(response, MAX_MESSAGE_BYTES)
        if len(whole) > MAX_MESSAGE_BYTES:
            raise garbage("more than a transcript can be")
        return json_object(whole)

    @asynccontextmanager
    async def socket(
        self, path: str = "", *, protocols: tuple[str, ...] = (), headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A WebSocket for as long as the block runs; what goes wrong inside is a `RecognizerError`, too."""
        with in_plain_words():
            async with self._http.ws_connect(
                self._url + path,
                protocols=protocols,
                headers={**self._headers, **(headers or {})},
                max_msg_size=MAX_MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            ) as socket:
                yield socket


def http_session(trusted: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
    """A session for one engine. The number of its calls is bounded by the sessions that are heard."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
    return open_session(trusted, timeout, trace_configs=[_without_redirects()])


async def messages(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects that come, until the other end closes. Raises `RecognizerError`."""
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            yield json_object(message.data)
        elif message.type is aiohttp.WSMsgType.ERROR:
            raise broken_off()


def broken_off() -> RecognizerError:
    """The other end left in the middle."""
    return RecognizerError("the recognizer broke off", reason="unavailable", is_transient=True)


def garbage(what: str) -> RecognizerError:
    """The other end said something that its protocol does not have."""
    return RecognizerError(f"the recognizer answered with {what}: check VIGIL_ASR_ENGINE", reason="garbage")


def json_object(data: bytes | str) -> dict[str, Any]:
    """The JSON object in `data`. Raises `RecognizerError`."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise garbage("something that is no JSON object")
    return found


def text_in(message: Mapping[str, Any], name: str) -> str:
    """The text of that name; empty when it is not there. Raises `RecognizerError` when it is no text."""
    found = message.get(name, "")
    if not isinstance(found, str):
        raise garbage(f"a {name!r} that is no text")
    return found


@contextmanager
def in_plain_words() -> Iterator[None]:
    """Turns what aiohttp raises into `RecognizerError`."""
    try:
        yield
    except aiohttp.WSServerHandshakeError as error:
        raise _refused(error.status) from None
    except aiohttp.ClientConnectorCertificateError:
        raise RecognizerError(
            "the recognizer's certificate is not trusted: name its authority in VIGIL_CA_FILE", reason="refused"
        ) from None
    except aiohttp.ClientConnectorError as error:
        why = error.os_error.strerror or str(error.os_error)
        raise RecognizerError(
            f"the recognizer cannot be reached: {why}", reason="unavailable", is_transient=True
        ) from None
    except (aiohttp.ClientError, ConnectionError):
        raise broken_off() from None
    except TimeoutError:
        raise RecognizerError(
            "the recognizer cannot be reached in time", reason="unavailable", is_transient=True
        ) from None


def _without_redirects() -> aiohttp.TraceConfig:
    """WebSockets of aiohttp follow redirects, and cannot be told not to."""

    async def refuse(http: aiohttp.ClientSession, context: object, params: aiohttp.TraceRequestRedirectParams) -> None:
        params.response.close()
        raise _refused(params.response.status)

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


def _refused(status: int) -> RecognizerError:
    is_transient = status in TRANSIENT_STATUSES
    return RecognizerError(
        f"the recognizer answered {status}{_HINTS.get(status, '')}",
        reason="unavailable" if is_transient else "refused",
        is_transient=is_transient,
        is_of_request=status in _OF_REQUEST,
    )
