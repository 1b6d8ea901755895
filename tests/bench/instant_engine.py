"""An engine that costs next to nothing: the scripted one without its bookkeeping, so that it is not what is measured.

    python -m bench.instant_engine PORT [TOPIC...]

It speaks just enough HTTP for the engine client. It knows every picture, is silent, and speaks when the picture that
travels with the request is the red one. With topics it then delegates a question about one topic after the other; every
second of its holding replies has the words of the benchmark's watch, which makes the question urgent.
"""

import asyncio
import base64
import itertools
import sys
from collections.abc import Sequence
from typing import cast

import msgspec
import uvloop

from bench.pictures import red

MODEL = "instant"
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_CONTROL = ("</silence>", "</response>", "</delegation>")
_IMAGE_LINE = base64.b64encode(red())


def _answer(text: str) -> bytes:
    token = next(one for one in _CONTROL if text.startswith(one))
    top = [{"token": one, "logprob": -0.1 if one == token else -3.0} for one in _CONTROL]
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text},
        "logprobs": {"content": [{"token": token, "logprob": -0.1, "top_logprobs": top}]},
    }
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 0}}
    return _response({"id": "instant", "object": "chat.completion", "choices": [choice], "usage": usage})


def _response(value: object) -> bytes:
    body = msgspec.json.encode(value)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_SILENT = _answer("</silence>")
_SPEAKS = _answer("</response> A fire has started.")
_NOTES = ("A fire has started.", "Let me see.")


class Replies:
    """What is said to a red picture."""

    def __init__(self, topics: Sequence[str] = ()) -> None:
        self._topics = topics
        self._numbers = itertools.count()

    def to_red(self) -> bytes:
        """The next answer. No question comes twice."""
        if not self._topics:
            return _SPEAKS
        number = next(self._numbers)
        topic, note = self._topics[number % len(self._topics)], _NOTES[number % len(_NOTES)]
        return _answer(f"</response> {note} </delegation> What is number {number} of the topic {topic}?")


_MODELS = _response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests come one after the other."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._received = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's own, no subclass of it

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(_END)
        if end < 0:
            return
        head = bytes(self._received[:end])
        start, length = end + len(_END), _content_length(head)
        if len(self._received) < start + length:
            return
        body = bytes(self._received[start : start + length])
        del self._received[: start + length]
        if self._transport is not None:
            self._transport.write(_reply(self._replies, head, body))


def _content_length(head: bytes) -> int:
    found = head.lower().find(_LENGTH)
    return int(head[found + len(_LENGTH) :].split(b"\r\n", 1)[0]) if found >= 0 else 0


def _reply(replies: Replies, head: bytes, body: bytes) -> bytes:
    match head.split(b" ", 2)[1]:
        case b"/v1/chat/completions":
            return replies.to_red() if _IMAGE_LINE in body else _SILENT
        case b"/tokenize":
            text = msgspec.json.decode(body)["prompt"]
            return _response({"tokens": [7 + _CONTROL.index(text)] if text in _CONTROL else [1, 2]})
        case _:
            return _MODELS


async def _serve(port: int, topics: Sequence[str]) -> None:
    replies = Replies(topics)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(replies), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1]), sys.argv[2:]))


if __name__ == "__main__":
    main()
