"""The brain of an exam: a server like OpenAI's that knows what a script's hard questions are answered with.

It answers a question when the player says that its result is due, so that results come as late as in the script. A
question that no script in play has is answered at once, with an error: the model should not have delegated it. Two
scripts may ask the same question and have other answers, so those that delegate are played one after the other.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from vigil_recipe.scenarios import Result

NAME = "exam"
TIMEOUT_S = 3_600.0  # an answer may be held for the length of an episode


class StandIn:
    """Serves at `url`, which ends in `/v1`."""

    def __init__(self) -> None:
        self.url = ""
        self._held: dict[str, asyncio.Future[str]] = {}
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[StandIn]:
        """Serve while the block runs; 0 takes a free port."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/chat/completions", self._complete)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            yield self
        finally:
            await runner.cleanup()

    def write_brains_file(self, path: Path) -> Path:
        """A file of brains that names this server alone; its path."""
        brain = {"name": NAME, "kind": "openai", "url": self.url, "model": NAME, "timeout_s": TIMEOUT_S, "pictures": 0}
        path.write_text(json.dumps({"brains": [brain], "default": NAME}))
        return path

    @asynccontextmanager
    async def knowing(self, results: Sequence[Result]) -> AsyncIterator[None]:
        """Hold the answers to the questions of these results, until each is released or the block ends."""
        loop = asyncio.get_running_loop()
        async with self._one_at_a_time:
            self._held = {result.question: loop.create_future() for result in results}
            try:
                yield
            finally:
                for held in self._held.values():
                    held.cancel()
                self._held = {}

    def release(self, result: Result) -> None:
        """Let the answer of a result go."""
        held = self._held[result.question]
        if not held.done():
            held.set_result(answer_of(result))

    async def _complete(self, request: web.Request) -> web.Response:
        held = self._held.get(question_of(await request.json()))
        if held is None:
            return web.json_response({"error": {"message": "no episode asks this"}}, status=400)
        try:
            answer = await asyncio.shield(held)
        except asyncio.CancelledError:
            if not held.cancelled():
                raise
            return web.json_response({"error": {"message": "the episode is over"}}, status=400)
        message = {"role": "assistant", "content": answer}
        return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def question_of(body: dict[str, Any]) -> str:
    """The question of a request: what its last message begins with."""
    content = body["messages"][-1]["content"]
    text = content if isinstance(content, str) else str(content[0]["text"])
    return text.split("\n\n", 1)[0]


def answer_of(result: Result) -> str:
    """What is answered: the RESULT line without the question that it begins with."""
    return result.line.text.partition(f"{result.question} ")[2]
