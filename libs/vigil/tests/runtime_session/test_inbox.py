"""Commands into a session's inbox, and the nudge that tells its worker."""

import asyncio

import pytest

from vigil.contract import subjects
from vigil.core.command import Ask, Reset
from vigil.core.ids import SessionKey
from vigil.core.turn import Result
from vigil.runtime.errors import SessionEnded, UnknownSession
from vigil.runtime.session.inbox import nudge, submit, submit_result
from vigil.runtime.store.sessions import Waiting
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.opened_session import Opened
from vigil.testing.servers import NatsServer


async def test_a_command_is_in_the_inbox_before_its_nudge_comes(opened: Opened) -> None:
    async with opened.ports.bus.keep_latest(subjects.command(opened.key)) as nudges, asyncio.timeout(DEADLINE_S):
        await submit(opened.ports, opened.key, Ask("q-1", "Who is there?"))
        assert (await anext(nudges)).payload == b""
        assert await opened.ports.store.commands(opened.key) == (Ask("q-1", "Who is there?"),)


async def test_a_result_is_in_its_inbox_before_its_nudge_comes(opened: Opened) -> None:
    async with opened.ports.bus.keep_latest(subjects.command(opened.key)) as nudges, asyncio.timeout(DEADLINE_S):
        await submit_result(opened.ports, opened.key, Result("s-1-4", "A rose."))
        assert (await anext(nudges)).payload == b""
    assert (await opened.ports.store.look(opened.key)).waiting == Waiting(results=(Result("s-1-4", "A rose."),))


async def test_without_the_bus_a_command_is_kept_all_the_same(opened: Opened, nats_server: NatsServer) -> None:
    await nats_server.kill()
    await submit(opened.ports, opened.key, Reset())
    assert await opened.ports.store.commands(opened.key) == (Reset(),)


async def test_a_command_that_the_store_refuses_nudges_nobody(opened: Opened) -> None:
    unknown = SessionKey("demo", "s-2")
    async with (
        opened.ports.bus.subscribe(subjects.command(opened.key), capacity=8) as nudges,
        opened.ports.bus.subscribe(subjects.command(unknown), capacity=8) as nudges_of_unknown,
    ):
        with pytest.raises(UnknownSession):
            await submit(opened.ports, unknown, Reset())
        await opened.ports.store.end(opened.key, "the client ended it")
        with pytest.raises(SessionEnded):
            await submit(opened.ports, opened.key, Reset())
        await nudge(opened.ports.bus, opened.key)  # the last message: whatever was sent before it has come by then
        async with asyncio.timeout(DEADLINE_S):
            await anext(nudges)
        assert nudges.statistics.offered == 1
        assert nudges_of_unknown.statistics.offered == 0
