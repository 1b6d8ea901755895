"""Admission: a worker whose turns are late says so in its heartbeat, so that the next session is refused."""

from typing import Any

from prometheus_client import REGISTRY

from vigil.core.source import Role
from vigil.runtime.engine.pool import EnginePool
from vigil.runtime.placement.leases import Capacity
from vigil.testing.eventually import eventually
from vigil.testing.script import Reply, Seen, silent
from vigil.testing.scripted_engine import ScriptedEngine
from vigil_interaction.load import Load, offers

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def window(load: Load, clock: Clock, held: int, late: int, in_time: int) -> int:
    """One window with these turns; the capacity after it."""
    for _ in range(in_time):
        load.turn(late=False)
    for _ in range(late):
        load.turn(late=True)
    clock.now_s += 10
    return load.capacity(held)


def test_the_figure_moves_once_a_window_and_is_published() -> None:
    clock = Clock()
    load = Load(64, monotonic=clock)
    load.superseded(100)
    clock.now_s = 9.9
    assert load.capacity(20) == 64
    clock.now_s = 10.0
    assert load.capacity(20) == 64, "one late window may be a blip"
    assert window(load, clock, 20, late=100, in_time=0) == 10
    assert REGISTRY.get_sample_value("vigil_capacity_sessions", {"figure": "measured"}) == 10
    assert REGISTRY.get_sample_value("vigil_capacity_sessions", {"figure": "configured"}) == 64
    assert REGISTRY.get_sample_value("vigil_late_share") == 1.0
    assert [window(load, clock, 10, late=0, in_time=100) for _ in range(3)] == [10, 10, 13]
    assert [window(load, clock, 13, late=13, in_time=117) for _ in range(2)] == [13, 12]


def test_how_many_may_be_late_is_a_setting() -> None:
    clock = Clock()
    load = Load(64, max_late_share=0.5, monotonic=clock)
    assert window(load, clock, 20, late=50, in_time=50) == 64
    assert [window(load, clock, 20, late=51, in_time=49) for _ in range(2)] == [64, 14]


async def test_the_engines_picture_caches_are_a_ceiling_of_all_workers(engine: ScriptedEngine) -> None:
    async with ScriptedEngine() as other, EnginePool([engine.url, other.url]) as pool:
        offer = offers(Load(64), pool, "scripted", 27)(0)
    assert (offer.capacity, offer.ceiling, offer.models) == (64, 54, ("scripted",))
    assert REGISTRY.get_sample_value("vigil_capacity_sessions", {"figure": "pictures"}) == 54


async def test_a_worker_with_a_slow_engine_admits_nobody_until_it_is_fast_again(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    clock = Clock()
    stage.load, stage.monotonic = Load(8, monotonic=clock), clock

    def slow(_: Seen) -> Reply:
        clock.now_s += 0.25
        return Reply()

    engine.script = slow
    await stage.open(cadence=stage.cadence(200))
    async with stage.worker():
        await eventually(lambda: _capacity(stage, 8), what="the worker says what it was configured to hold")
        for start in (0, 9):
            await stage.watch(*[grey] * 9, start=start)
            await stage.decisions(start + 9)  # they are published once they are counted
            clock.now_s += 10
            await eventually(lambda: stage.load.window_began_s == clock.now_s, what="the window closed")
        await eventually(lambda: _capacity(stage, 1), what="it says what it measured")
        assert (await stage.placement.capacity(Role.INTERACTION)).free == 0
        engine.script = silent
        await stage.watch(*[grey] * 9, start=18)
        await stage.decisions(27)
        for _ in range(3):
            clock.now_s += 10
            await eventually(lambda: stage.load.window_began_s == clock.now_s, what="the window closed")
        await eventually(lambda: _capacity(stage, 2), what="it grows again")
        assert (await stage.placement.capacity(Role.INTERACTION)).free == 1


async def test_frames_that_are_overtaken_count_as_late(stage: Stage, engine: ScriptedEngine, grey: bytes) -> None:
    stage.deadline_s, stage.load = 0.2, Load(8, monotonic=Clock())
    engine.script = lambda _: Reply(hang=True)
    await stage.open()
    async with stage.worker():
        await eventually(lambda: _shown(stage, grey), what="turns were given up")
    assert stage.load.measured.capacity == 8, "no window has closed yet"
    assert stage.load.late_turns >= 3


async def _capacity(stage: Stage, count: int) -> bool:
    found: Capacity = await stage.placement.capacity(Role.INTERACTION)
    return found.capacity == count


async def _shown(stage: Stage, picture: bytes) -> bool:
    await stage.show(0, picture)
    return bool(stage.load.late_turns >= 3)
