"""The exam's delegated questions through the real brain service, whose brain is the exam's stand-in."""

import re
from pathlib import Path

import aiohttp
import pytest
from chat_stage import KEYS, chat_stage
from door import process

from vigil.testing.ports import free_port
from vigil.testing.script import Reply, Seen
from vigil_recipe.exam.players.accelerated import AcceleratedSystem, Bus
from vigil_recipe.exam.players.gateway import GatewayClient
from vigil_recipe.exam.players.stand_in import StandIn
from vigil_recipe.scenarios import Scenario, exam_script
from vigil_recipe.world import Split

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TURNS = 24
LATE_TURNS = 2  # the worker hears of a result a moment after it is there


async def test_results_reach_the_model_from_the_brain_when_they_are_due(tmp_path: Path) -> None:
    script = exam_script(7, Scenario.DELEGATION, Split.VALIDATION, TURNS)
    assert script.results

    def by_heart(seen: Seen) -> Reply:
        """An engine that gives the right reply of each second."""
        second = float(re.findall(r"<([\d.]+) seconds>", seen.text)[-1])
        return Reply(script.turns[int(second)].reply)

    async with chat_stage(tmp_path) as stage, StandIn().serving() as stand_in, aiohttp.ClientSession() as http:
        brains = stand_in.write_brains_file(tmp_path / "brains.json")
        settings = stage.settings | {"BRAINS_FILE": brains, "HTTP_PORT": free_port(), "GRPC_PORT": 0}
        async with process("brain", tmp_path, settings):
            stage.engine.script = by_heart
            gateway = GatewayClient(http, stage.url, KEYS["demo"], "scripted")
            system = AcceleratedSystem(gateway, Bus(str(stage.settings["NATS_URL"]), "demo"), stand_in)
            transcript = await system.play(script)
    due = {line.text: index for index, turn in enumerate(script.turns) for line in turn.lines}
    told = {line: index for index, turn in enumerate(transcript.turns) for line in turn.results}
    assert told.keys() == {result.line.text for result in script.results}
    assert all(due[line] <= turn <= due[line] + LATE_TURNS for line, turn in told.items())
    assert [turn.reply for turn in transcript.turns] == [turn.reply for turn in script.turns]
