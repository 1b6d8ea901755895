"""The HTTP under an A2A client, which reads so much of an answer and not more."""

from collections.abc import AsyncIterator

import httpx

from vigil_brain.brains.port import MAX_READ_BYTES


class TooMuch(httpx.ReadError):
    """The agent sent more than is read."""


class BoundedTransport(httpx.AsyncHTTPTransport):
    """Reads `MAX_READ_BYTES` of an answer and not more."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Counted(response.stream)
        return response


class _Counted(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream
        self._left = MAX_READ_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise TooMuch(f"more than {MAX_READ_BYTES:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
