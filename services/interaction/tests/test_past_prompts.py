"""What the store has is enough to show any prompt of the chunk again: byte for byte as the engine received it."""

import json
from typing import Any

from vigil.core.command import Ask, Clear, Command, Instruct, Reset
from vigil.core.instruction import Instruction, Watch
from vigil.core.message import Message
from vigil.core.profile import VIGIL_SMALL
from vigil.core.prompt import asked_for
from vigil.core.session import Window
from vigil.core.turn import Result
from vigil.runtime.engine.wire import completion_body
from vigil.testing.script import Reply, in_order
from vigil.testing.scripted_engine import ScriptedEngine

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import

CHUNK, TAIL, TURNS = 5, 2, 14
DOOR = Instruction("w-door", "Alert me when the door opens.", Watch("door"))
REPLIES = {
    2: "</response> A grey wall.",
    3: "</response> Let me see. </delegation> How many bricks are there?",
    7: "</response> Hello. Ünïcödé, 'quoted' </b>",
    8: "neither word nor token",
}
COMMANDS: dict[int, Command] = {
    2: Ask("q-1", "What do you see?"),
    5: Instruct(DOOR),
    7: Ask("q-2", "Wie heißt das? 你好 <image>"),
    9: Clear("w-door"),
    11: Reset(),
}


def wire(messages: tuple[Message, ...]) -> Any:
    """The messages as they travel, all pictures by name."""
    return json.loads(completion_body("any", messages, {}, max_tokens=1, logit_bias={}, regex=""))["messages"]


def received(body: Any) -> Any:
    """What the engine received, without the pixels of the new picture."""
    for message in body["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "image_url":
                part["image_url"] = None
    return body["messages"]


async def test_a_prompt_is_shown_again_as_the_engine_received_it(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    engine.script = in_order([Reply(REPLIES.get(turn, "</silence>")) for turn in range(TURNS)])
    await stage.open(window=Window(CHUNK, TAIL))
    shown: list[int] = []
    async with stage.worker():
        for second in range(TURNS):
            if second in COMMANDS:
                await stage.store.submit(stage.key, COMMANDS[second])
                await stage.nudge()
            if second == 6:
                await stage.store.submit_result(stage.key, Result(f"{stage.key.session}-3", "Four hundred."))
            await stage.watch(grey, start=second)
            chunk = (await stage.store.history(stage.key)).chunk
            seen = list(engine.seen)
            assert len(seen) == second + 1
            for turn in chunk.turns:
                messages = asked_for(VIGIL_SMALL, chunk, turn.sequence)
                if messages is not None:
                    assert wire(messages) == received(seen[turn.sequence].body)
                    shown.append(turn.sequence)
    assert sorted(set(shown)) == list(range(TURNS)), "each was shown while its chunk lasted"
    text = json.dumps([received(seen.body) for seen in engine.seen], ensure_ascii=False)
    assert all(words in text for words in ("你好", "Four hundred.", "Stop watching: Alert me when the door opens."))
