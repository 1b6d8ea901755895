"""An engine that answers every question at once, each in other words, and says nothing else.

python -m bench.speech.answering_engine PORT
"""

import asyncio
import itertools
import sys

from vigil.core.control import RESPONSE
from vigil.core.prompt import QUERY_HEADER
from vigil.testing.script import Reply, Script, Seen
from vigil.testing.scripted_engine import ScriptedEngine

MODEL = "answering"


def answering() -> Script:
    """The script."""
    numbers = itertools.count(1)

    def reply(seen: Seen) -> Reply:
        is_asked = QUERY_HEADER in seen.text
        return Reply(f"{RESPONSE} This is answer number {next(numbers)}, and all is well.") if is_asked else Reply()

    return reply


async def _serve(port: int) -> None:
    async with ScriptedEngine(answering(), model=MODEL, port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
