"""A question asks for the newest picture at once: by value, and over real NATS and Redis."""

import asyncio
from typing import Any

from vigil.contract import subjects
from vigil.core.command import Ask, Clear, Instruct
from vigil.core.instruction import Instruction
from vigil.runtime.session.inbox import submit
from vigil.runtime.session.ports import WorkerPorts
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil_interaction.picture_wish import PictureWish

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import

ASK = Ask("q-1", "What do you see?")


async def test_a_new_question_wants_one_picture_however_often_it_is_read(stage: Stage) -> None:
    wish = PictureWish(stage.bus, stage.key, ())
    async with stage.bus.subscribe(subjects.frame_asked(stage.key), 10) as asked, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(wish.run())
        wish.waiting([ASK])
        async with asyncio.timeout(DEADLINE_S):
            await anext(asked)
        wish.waiting([ASK])
        wish.waiting([])
        wish.waiting([Clear("w-fire")])
        wish.waiting([Ask("q-2", "And now?")])
        async with asyncio.timeout(DEADLINE_S):
            await anext(asked)
        await stage.bus.publish(subjects.frame_asked(stage.key), b"end")
        assert (await anext(asked)).payload == b"end", "nothing else was asked for"
        running.cancel()


async def test_what_waited_before_and_what_is_no_question_wants_none(stage: Stage) -> None:
    wish = PictureWish(stage.bus, stage.key, [ASK])
    async with stage.bus.subscribe(subjects.frame_asked(stage.key), 10) as asked, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(wish.run())
        wish.waiting([ASK])
        wish.waiting([ASK, Instruct(Instruction("i-1", "Count the people."))])
        await asyncio.sleep(0)
        await stage.bus.publish(subjects.frame_asked(stage.key), b"end")
        async with asyncio.timeout(DEADLINE_S):
            assert (await anext(asked)).payload == b"end"
        running.cancel()


async def test_a_question_is_in_reach_of_the_turn_whose_picture_is_asked_for(stage: Stage, grey: bytes) -> None:
    await stage.open()
    asker = WorkerPorts(stage.store, stage.bus, stage.placement)
    async with stage.worker(), stage.bus.subscribe(subjects.frame_asked(stage.key), 10) as asked:
        await stage.watch(grey)
        await eventually(lambda: stage.bus.is_heard(subjects.command(stage.key)), what="nudges are heard")
        await submit(asker, stage.key, ASK)
        async with asyncio.timeout(DEADLINE_S):
            await anext(asked)
        assert stage.sessions[0].runner.waiting.commands == (ASK,)
        await stage.watch(grey, start=1)
    state = await stage.store.history(stage.key)
    assert [exchange.query for exchange in state.dialogue] == [ASK.text]
    assert state.last_time_ms == 1_000
