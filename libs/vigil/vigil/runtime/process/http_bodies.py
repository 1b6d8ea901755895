"""Reads the bodies of HTTP answers whole, and none that is larger than it may be."""

import aiohttp


async def read_bounded(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """The body to its end, however many pieces it comes in; of a larger one a little more than `most` bytes.

    aiohttp's `content.read(most)` returns what has come so far, which is a part of an answer that the network cut.
    """
    whole = bytearray()
    async for piece in answer.content.iter_any():
        whole += piece
        if len(whole) > most:
            break
    return bytes(whole)
