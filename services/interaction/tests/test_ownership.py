"""Who holds a session: takeover with its history, fences, the outbox, the end."""

import asyncio
from dataclasses import replace
from typing import Any

import nats
import pytest
from nats.js.api import DiscardPolicy
from prometheus_client import REGISTRY

from vigil.contract import subjects
from vigil.contract.events.envelope import decode_event
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.streams import ALERTS, SESSIONS, UTTERANCES
from vigil.core.command import Instruct
from vigil.core.control import Action
from vigil.core.instruction import Instruction, Watch
from vigil.core.session import SessionState
from vigil.core.source import Role
from vigil.runtime.errors import FenceLost
from vigil.runtime.store.bounds import MAX_OUTBOX
from vigil.runtime.store.sessions import Commit
from vigil.testing.eventually import eventually
from vigil.testing.script import Reply, when_red
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import


async def test_another_worker_goes_on_with_the_history(stage: Stage, grey: bytes, red: bytes) -> None:
    await stage.open()
    async with stage.worker("worker-1"):
        await stage.watch(grey, grey, red)
    async with stage.worker("worker-2"):
        await stage.watch(red, grey, grey, grey, start=3)
        decisions = await stage.decisions(7)
        opened, closed = await stage.alerts(2)
    assert [decision.sequence for decision in decisions] == list(range(7))
    assert opened.subject == closed.subject
    assert len((await stage.store.history(stage.key)).chunk.turns) == 7


@pytest.mark.parametrize(
    ("answered", "slow_s"), [(True, 0.0), (False, 0.0), (False, 0.7)], ids=["answered", "cut short", "taken late"]
)
async def test_a_turn_that_is_under_way_at_a_handover_is_decided_once(
    stage: Stage, grey: bytes, *, answered: bool, slow_s: float
) -> None:
    """By the other worker when it is cut short, also by one that begins to listen long after it claimed the session.

    No time runs out here: the first worker goes when the other one is at work."""
    late = asyncio.Event()
    await stage.open()
    async with stage.worker("worker-1", hand_over_s=60.0) as first:
        await stage.watch(grey)
        stage.engine.script = lambda seen: Reply(hold=late) if seen.index == 1 else Reply()
        await stage.show(1)
        await stage.engine.requests(2)
        async with stage.worker("worker-2", slow_s=slow_s):
            first.cancel()
            await eventually(lambda: _owner_is(stage, "worker-2"), what="the other worker takes the session")
            if answered:
                late.set()
            decisions = await stage.decisions(2)
            await stage.watch(grey, start=2)
    assert [(one.sequence, one.time_ms) for one in decisions] == [(0, 0), (1, 1_000)]
    assert [one.sequence for one in await stage.decisions(3)] == [0, 1, 2]


async def test_a_session_that_ends_while_its_worker_drains_is_let_go(stage: Stage, grey: bytes) -> None:
    await stage.open()
    async with stage.worker("worker-1", hand_over_s=60.0) as first:
        await stage.watch(grey)
        async with stage.worker("worker-2", slow_s=60.0):
            first.cancel()
            await eventually(lambda: _owner_is(stage, "worker-2"), what="the other worker takes the session")
            await stage.store.end(stage.key, "the client ended it")
            await eventually(lambda: _is_done(first), what="nobody waits for the other one")


async def _is_done(task: asyncio.Task[None]) -> bool:
    return task.done()


async def _owner_is(stage: Stage, worker: str) -> bool:
    return bool(await stage.placement.owner(Role.INTERACTION, stage.key) == worker)


async def test_a_session_event_that_could_not_be_stored_is_told_later(
    stage: Stage, nats_server: NatsServer, grey: bytes
) -> None:
    client = await nats.connect(nats_server.url)
    await stage.open()
    try:
        js = client.jetstream()
        found = await js.stream_info(SESSIONS.name)
        await js.update_stream(replace(found.config, max_bytes=1, discard=DiscardPolicy.NEW))
        async with stage.worker():
            await stage.watch(grey, grey)
            assert (await js.stream_info(SESSIONS.name)).state.messages == 0
            await stage.bus.ensure_streams()
            (started,) = [decode_event(one) for one in await stage.stored(SESSIONS, 1)]
    finally:
        await client.close()
    assert started.type.endswith("started")


async def test_an_engine_that_dies_costs_the_session_no_turn(stage: Stage, grey: bytes, red: bytes) -> None:
    async with ScriptedEngine(when_red()) as other:
        stage.engine_urls = (stage.engine.url, other.url)
        await stage.open()
        async with stage.worker():
            await stage.watch(grey, grey, grey)
            first, second = (stage.engine, other) if stage.engine.seen else (other, stage.engine)
            await first.__aexit__(None, None, None)
            await stage.watch(red, red, start=3)
            decisions = await stage.decisions(5)
        await first.__aenter__()
    assert [decision.sequence for decision in decisions] == list(range(5))
    assert [one.frames_skipped for one in decisions] == [0] * 5
    assert decisions[-1].action is Action.SPEAK
    assert [len(one.fresh) for one in second.seen] == [1, 4, 1], "all pictures once, then only the new one"


async def test_a_worker_that_was_overtaken_cannot_commit(stage: Stage, grey: bytes) -> None:
    await stage.open()
    async with stage.worker("worker-1"):
        await stage.watch(grey)
        held = await stage.placement.owner(Role.INTERACTION, stage.key)
        taken = await stage.store.take(stage.key, fence=1_000)
        with pytest.raises(FenceLost):
            await stage.store.commit(stage.key, 1, Commit(SessionState()))
    assert held == "worker-1"
    assert taken.state.next_sequence == 1


async def test_what_was_committed_while_nats_was_down_is_published_once(
    stage: Stage, nats_server: NatsServer, grey: bytes, red: bytes
) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(grey, red)
        await stage.alerts(1)
        await nats_server.kill()
        await nats_server.start()
        await stage.bus.connected()
        await eventually(lambda: _ticks(stage, grey), what="frames are decided on again")
        decisions = await stage.decisions((await stage.store.history(stage.key)).next_sequence)
    assert [decision.sequence for decision in decisions] == list(range(len(decisions)))


async def test_ending_a_session_closes_its_alert_and_frees_it(stage: Stage, grey: bytes, red: bytes) -> None:
    counted = REGISTRY.get_sample_value("vigil_alerts_total", {"state": "closed"}) or 0.0
    await stage.open()
    async with stage.worker():
        await stage.watch(grey, red)
        await stage.store.end(stage.key, "the client ended it")
        await stage.nudge()
        opened, closed = await stage.alerts(2)
        await eventually(lambda: _closed(stage), what="nobody holds the session any more")
    assert closed.subject == opened.subject
    assert closed.data["reason"] == "the session ended: the client ended it"
    assert REGISTRY.get_sample_value("vigil_alerts_total", {"state": "closed"}) == counted + 1


async def test_a_session_that_ended_while_nobody_held_it_is_closed_by_who_comes(
    stage: Stage, grey: bytes, red: bytes
) -> None:
    await stage.open()
    async with stage.worker("worker-1"):
        await stage.watch(grey, red)
        await stage.alerts(1)
    await stage.store.end(stage.key, "the client ended it")
    async with stage.worker("worker-2"):
        events = await stage.stored(ALERTS, 2)
        await eventually(lambda: _closed(stage), what="nobody holds the session any more")
    assert len(events) == 2


async def test_a_session_that_ends_with_a_full_outbox_tells_all_of_it(stage: Stage, grey: bytes, red: bytes) -> None:
    await stage.open()
    async with stage.worker("worker-1"):
        await stage.watch(grey, red)
        await stage.alerts(1)
    taken = await stage.store.take(stage.key, fence=1)
    room = MAX_OUTBOX - await stage.outbox()
    waiting = [Outgoing(subjects.utterance(stage.key), f"w.{number}", b"{}", CLOUDEVENT) for number in range(room)]
    await stage.store.commit(stage.key, 1, Commit(taken.state, outgoing=tuple(waiting)))
    await stage.store.end(stage.key, "the client ended it")
    async with stage.worker("worker-2"):
        _, closed = await stage.alerts(2)
        await eventually(lambda: _closed(stage), what="nobody holds the session any more")
    assert closed.type == "vigil.alert.closed"
    assert len(await stage.stored(UTTERANCES, room + 1)) == room + 1


async def test_an_alert_of_a_session_that_ends_while_nats_is_away_still_closes(
    stage: Stage, nats_server: NatsServer, grey: bytes, red: bytes
) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(grey, red)
        await stage.alerts(1)
        await nats_server.kill()
        await stage.store.end(stage.key, "the client ended it")
        await eventually(lambda: _has_committed_the_end(stage), what="the end is committed without NATS")
        await nats_server.start()
        await stage.bus.connected()
        _, closed = await stage.alerts(2)
        await eventually(lambda: _closed(stage), what="nobody holds the session any more")
    assert closed.type == "vigil.alert.closed"


async def test_a_session_that_was_half_ended_stops_although_its_camera_goes_on(stage: Stage, grey: bytes) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(grey)
        await stage.store.end(stage.key, "the gateway died right after this")

        async def stopped() -> bool:
            await stage.show(int(asyncio.get_running_loop().time()), grey)
            return await _closed(stage)

        await eventually(stopped, what="the worker finds out by itself")


async def test_a_session_that_the_store_forgot_is_let_go(stage: Stage, grey: bytes) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(grey)
        await stage.forget_session()
        await stage.show(1, grey)
        await eventually(lambda: _closed(stage), what="nobody tries to hold it any more")


async def test_a_session_of_the_same_id_begins_and_decides_as_one_of_its_own(stage: Stage, grey: bytes) -> None:
    for created_us in (1, 2):
        await stage.open(created_us=created_us)
        async with stage.worker():
            await stage.watch(grey)
            await stage.stored(SESSIONS, 2 * created_us - 1)
            await stage.store.end(stage.key, "the client ended it")
            await stage.nudge()
            await eventually(lambda: _closed(stage), what="nobody holds the session any more")
        await stage.forget_session()
    told = [decode_event(one) for one in await stage.stored(SESSIONS, 4)]
    assert [one.type for one in told] == ["vigil.session.started", "vigil.session.ended"] * 2
    assert len({one.id for one in told}) == 4
    assert [one.sequence for one in await stage.decisions(2)] == [0, 0]


async def test_an_idle_session_empties_its_outbox(stage: Stage, grey: bytes) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(grey)
        await stage.decisions(1)
        await eventually(lambda: _outbox_empty(stage), what="the outbox is trimmed without another frame")


async def test_a_storm_of_words_is_one_alert(stage: Stage, red: bytes) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(*[red] * 30)
        decisions = await stage.decisions(30)
        events = await stage.alerts(3)
    assert all(one.action is Action.SPEAK for one in decisions)
    assert [one.type.rsplit(".", 1)[1] for one in events] == ["opened", "updated", "updated"]
    assert len({one.subject for one in events}) == 1


async def test_an_instruction_given_twice_stands_once(stage: Stage, grey: bytes) -> None:
    await stage.open(Instruct(_watch("w-1")), Instruct(_watch("w-1")))
    async with stage.worker():
        await stage.watch(grey)
        state = await stage.store.history(stage.key)
    assert [one.id for one in state.instructions] == ["w-1"]


def _watch(name: str) -> Instruction:
    return Instruction(name, "Tell me when the door opens.", Watch("door"))


async def _ticks(stage: Stage, picture: bytes) -> bool:
    state = await stage.store.history(stage.key)
    await stage.show(state.last_time_ms // 1000 + 1, picture)
    return bool(state.next_sequence >= 5)


async def _has_committed_the_end(stage: Stage) -> bool:
    return not (await stage.store.history(stage.key)).alerts


async def _closed(stage: Stage) -> bool:
    return bool((await stage.placement.capacity(Role.INTERACTION)).open_sessions == 0)


async def _outbox_empty(stage: Stage) -> bool:
    return bool(await stage.outbox() == 0)
