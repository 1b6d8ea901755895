"""A session that a former release stored is taken over: nothing is lost, and it is written anew in today's form."""

import json
from typing import Any

from vigil.contract.streams import UTTERANCES
from vigil.core.control import Action
from vigil.runtime.store import form
from vigil.runtime.store.keys import Part, part_key
from vigil.testing.former import restore
from vigil.testing.former.session import KEY, OUTGOING, RESULT, TURNS, WAITING, state
from vigil.testing.scripted_engine import ScriptedEngine

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import
LATER = 4


async def test_the_bytes_of_the_former_release_go_on_as_a_session_of_today(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    await restore(stage.redis, 0)
    async with stage.worker():
        await stage.watch(*[grey] * LATER, start=TURNS)
        decisions = await stage.decisions(LATER)
        (closed,) = await stage.alerts(1)
        said = await stage.stored(UTTERANCES, 1)
    assert [decision.sequence for decision in decisions] == list(range(TURNS, TURNS + LATER))
    assert {decision.action for decision in decisions} == {Action.SILENT}
    assert (closed.type, closed.subject) == ("vigil.alert.closed", state().alerts[0].id)
    assert said[0] == OUTGOING.payload, "what it had not published is published"

    prompts = [seen for seen in engine.seen if not seen.refused]
    former = tuple(frame.uuid for frame in state().chunk.frames)
    assert prompts[0].uuids[:TURNS] == former, "the model sees the turns of before"
    assert WAITING.text in str(prompts[0].body["messages"][-1])
    assert RESULT.text in str(prompts[1].body["messages"][-1]), "a result waits while the user asks something"

    history = await stage.store.history(KEY)
    assert [turn.sequence for turn in history.chunk.turns] == list(range(TURNS + LATER))
    assert history.chunk.prefix == state().chunk.prefix
    assert history.instructions == state().instructions
    assert (await stage.store.look(KEY)).waiting.commands == ()
    assert json.loads(await stage.redis.get(part_key(KEY, Part.HEAD)))["form"] == form.WRITTEN
