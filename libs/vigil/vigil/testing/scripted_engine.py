"""A real OpenAI-compatible HTTP server that plays a script instead of a model.

It treats pictures as vLLM does: one that came with a UUID is remembered, one that is named by a UUID it does not
know is a 400 "Cache miss for image at index N", and so are more than 256 in one prompt. A picture can be poisoned. It
counts a prefix cache (message by message), has `/v1/models`, `/tokenize`, `/health` and `/metrics`, and records what it
was asked. As a process:

    python -m vigil.testing.scripted_engine --port 8000 --script red
"""

import argparse
import asyncio
import base64
import hashlib
import json
import signal
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from vigil.core.control import CONTROL_TOKENS
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.script import Reply, Script, Seen, named, silent

REMEMBERED_REQUESTS = 2_000
IMAGE_TOKENS = 18  # sixteen visual tokens and two markers: a 128 x 128 picture
MAX_IMAGES = 256  # as deploy/engine/serve.sh starts vLLM
_MAX_BODY_BYTES = 64 * 1024 * 1024


class ScriptedEngine:
    """The server. `script` may be replaced at any time; `splits` are control tokens that its tokenizer lacks.

    With `gzip` it says that it takes compressed requests, as an engine that deploy/engine/serve.sh started does; with
    `context_tokens` how long a prompt may be, as vLLM does.
    """

    def __init__(
        self,
        script: Script = silent,
        *,
        model: str = "scripted",
        port: int = 0,
        host: str = "127.0.0.1",
        splits: frozenset[str] = frozenset(),
        gzip: bool = False,
        context_tokens: int = 0,
    ) -> None:
        self.script = script
        self.model = model
        self.healthy = True
        self.seen: deque[Seen] = deque(maxlen=REMEMBERED_REQUESTS)
        self._splits = splits
        self.gzip = gzip
        self._context_tokens = context_tokens
        self._port = port
        self._host = host
        self._images: dict[str, bytes] = {}
        self._poisoned: dict[str, Reply] = {}
        self._prefixes: set[str] = set()
        self._queried = self._hit = self._answered = 0
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Its root address."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.on_response_prepare.append(self._announce)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._complete),
                web.get("/v1/models", self._models),
                web.post("/tokenize", self._tokenize),
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = int(self._runner.addresses[0][1])  # kept, so that it comes back at the same address
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def forget(self, *uuids: str) -> None:
        """Drop these pictures, or all of them; what was poisoned about them is gone as well."""
        for uuid in uuids or tuple(self._images):
            self._images.pop(uuid, None)
            self._poisoned.pop(uuid, None)

    def poison(self, uuid: str, reply: Reply) -> None:
        """From now on answer `reply` to every prompt that names this picture, until it is forgotten."""
        self._poisoned[uuid] = reply

    async def requests(self, count: int, deadline_s: float = DEADLINE_S) -> list[Seen]:
        """Wait until `count` completions were asked for, and return all. Raises `TimeoutError`."""
        async with asyncio.timeout(deadline_s), self._arrived:
            await self._arrived.wait_for(lambda: len(self.seen) >= count)
            return list(self.seen)

    async def _complete(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = json.loads(raw)
        fresh = {uuid: pixels for uuid, pixels in _pictures(body) if pixels is not None}
        uuids = tuple(uuid for uuid, _ in _pictures(body))
        self._images = fresh | self._images  # as vLLM: a UUID that is known stays the picture that it was
        missing = next((index for index, uuid in enumerate(uuids) if uuid not in self._images), None)
        newest = self._images.get(uuids[-1], b"") if uuids else b""
        key = request.headers.get("Authorization", "")
        length = request.content_length or len(raw)  # a compressed request is unpacked by now
        trace = request.headers.get("traceparent", "")
        seen = Seen(self._answered, length, body, uuids, fresh, newest, missing is not None, key, trace)
        await self._record(seen)
        if body["model"] != self.model:
            return _error(404, f"The model `{body['model']}` does not exist.")
        if missing is not None:
            return _error(400, f"Cache miss for image at index {missing} but data is not provided.")
        if len(uuids) > MAX_IMAGES:
            return _error(400, f"At most {MAX_IMAGES} image(s) may be provided in one prompt.")
        self._answered += 1
        poisoned = next((self._poisoned[uuid] for uuid in uuids if uuid in self._poisoned), None)
        return await self._answer(poisoned or self.script(seen), body)

    async def _record(self, seen: Seen) -> None:
        async with self._arrived:
            self.seen.append(seen)
            self._arrived.notify_all()

    async def _answer(self, reply: Reply, body: Mapping[str, Any]) -> web.Response:
        if reply.hang:
            await asyncio.Event().wait()
        if reply.hold is not None:
            await reply.hold.wait()
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)  # the script's slowness: nobody waits for anything here
        if reply.body:
            return web.Response(body=reply.body, content_type="application/json")
        if reply.status != 200:
            return _error(reply.status, reply.text)
        return web.json_response(_completion(self.model, reply, *self._prefix_cache(body["messages"])))

    def _prefix_cache(self, messages: list[Any]) -> tuple[int, int]:
        """Tokens of the prompt, and how many of them were in the longest prefix that an earlier prompt had."""
        digest, total, cached = hashlib.sha256(), 0, 0
        for message in messages:
            text, images = _flatten(message)
            digest.update(f"{message['role']}\n{text}\n".encode())
            total += len(text) // 4 + 4 + images * IMAGE_TOKENS
            prefix = digest.hexdigest()
            if prefix in self._prefixes:
                cached = total
            self._prefixes.add(prefix)
        self._queried, self._hit = self._queried + total, self._hit + cached
        return total, cached

    async def _announce(self, _: web.Request, response: web.StreamResponse) -> None:
        if self.gzip:
            response.headers["Accept-Encoding"] = "gzip"

    async def _models(self, _: web.Request) -> web.Response:
        length = {"max_model_len": self._context_tokens} if self._context_tokens else {}
        return web.json_response({"object": "list", "data": [{"id": self.model, "object": "model", **length}]})

    async def _tokenize(self, request: web.Request) -> web.Response:
        text = str((await request.json())["prompt"])
        if text in CONTROL_TOKENS and text not in self._splits:
            tokens = [7 + CONTROL_TOKENS.index(text)]
        else:
            tokens = [256 + byte for byte in text.encode()]
        return web.json_response({"tokens": tokens, "count": len(tokens)})

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.healthy else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        lines = (f"vllm:prefix_cache_queries_total {self._queried}", f"vllm:prefix_cache_hits_total {self._hit}")
        return web.Response(text="\n".join(lines) + "\n")


def _pictures(body: Mapping[str, Any]) -> Iterator[tuple[str, bytes | None]]:
    """UUID and pixels (None when it goes by name) of each picture of the prompt, in order."""
    for message in body["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "image_url":
                url = (part["image_url"] or {}).get("url")
                yield part["uuid"], base64.b64decode(url.partition(",")[2]) if url else None


def _flatten(message: Mapping[str, Any]) -> tuple[str, int]:
    content = message["content"]
    if isinstance(content, str):
        return content, 0
    images = sum(part["type"] == "image_url" for part in content)
    return "".join(part.get("text") or f"<{part['uuid']}>" for part in content), images


def _completion(model: str, reply: Reply, prompt_tokens: int, cached_tokens: int) -> dict[str, Any]:
    logprobs = reply.first_logprobs()
    first = {"token": reply.first_token, "logprob": logprobs.get(reply.first_token, -0.1)}
    top = [{"token": token, "logprob": value} for token, value in logprobs.items()]
    return {
        "id": "scripted",
        "object": "chat.completion",
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": reply.text},
                "logprobs": {"content": [{**first, "top_logprobs": top}]},
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": len(reply.text) // 4 + 1,
            "total_tokens": prompt_tokens + len(reply.text) // 4 + 1,
            "prompt_tokens_details": {"cached_tokens": cached_tokens},
        },
    }


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "Scripted", "code": status}}, status=status)


async def _serve(script: Script, model: str, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with ScriptedEngine(script, model=model, host=host, port=port) as engine:
        sys.stdout.write(f"{engine.url}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Run until SIGTERM; the first line on standard output is the address."""
    parser = argparse.ArgumentParser(prog="vigil.testing.scripted_engine", description="A scripted engine")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--model", default="scripted")
    parser.add_argument(
        "--script", default="silent", help="silent, red, answering, or a JSON file with a list of replies"
    )
    options = parser.parse_args()
    try:
        script = named(options.script)
    except ValueError as error:
        parser.error(str(error))
    asyncio.run(_serve(script, options.model, options.host, options.port))


if __name__ == "__main__":
    main()
