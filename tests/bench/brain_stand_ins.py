"""Brains that answer late or fail, one for each `Behaviour`, in a process of their own: a user's run elsewhere.

python -m bench.brain_stand_ins BEHAVIOUR=PORT...
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.processes import child
from vigil.testing.ports import free_port
from vigil.testing.scripted_brain import Behaviour, ScriptedBrain

THINKS_S = 2.0
TIMEOUT_S = 5.0


@asynccontextmanager
async def stand_ins(folder: Path) -> AsyncIterator[Path]:
    """Run them until the block ends, with the lowest priority; yields the file of brains that names them."""
    ports = {behaviour: free_port() for behaviour in Behaviour}
    given = [f"{behaviour}={port}" for behaviour, port in ports.items()]
    argv = ["nice", "-n", "19", sys.executable, "-m", "bench.brain_stand_ins", *given]
    async with child("brains", argv, folder):
        urls = {str(behaviour): f"http://127.0.0.1:{port}/v1" for behaviour, port in ports.items()}
        yield write_brains(folder / "brains.json", urls, TIMEOUT_S)


def write_brains(path: Path, urls: Mapping[str, str], timeout_s: float) -> Path:
    """A file of brains by name; whose name stands in a question answers it, and the first one all others."""
    brains = [
        {"name": name, "kind": "openai", "url": url, "model": "scripted", "timeout_s": timeout_s, "concurrency": 100}
        for name, url in urls.items()
    ]
    rules = [{"if": {"contains": [f"topic {name}"]}, "brain": name} for name in urls]
    path.write_text(json.dumps({"brains": brains, "rules": rules, "default": next(iter(urls))}))
    return path


async def _serve(given: Sequence[str]) -> None:
    async with AsyncExitStack() as stack:
        for pair in given:
            behaviour, _, port = pair.partition("=")
            brain = await stack.enter_async_context(ScriptedBrain(lambda _: "It is the second.", port=int(port)))
            brain.behaviour = Behaviour(behaviour)
            brain.delay_s = THINKS_S if brain.behaviour is Behaviour.ANSWER else 0.0
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1:]))
