"""Readiness: it is true when the process serves and every port answers, and it says which one does not."""

import asyncio

import pytest

from vigil.runtime.process.health import Health, Phase
from vigil.testing.timing import once_within


async def answers() -> None:
    """A port that works."""


async def refuses() -> None:
    raise ConnectionRefusedError("nobody there")


async def test_ready_needs_the_serving_phase() -> None:
    health = Health()
    health.register("nats", answers)
    assert [(await health.check()).ready] == [False]
    health.phase = Phase.SERVING
    assert (await health.check()).as_json() == {"ready": True, "phase": "serving", "checks": {"nats": "ok"}}
    health.phase = Phase.DRAINING
    assert not (await health.check()).ready


async def test_a_dead_port_is_named_and_the_others_are_still_reported() -> None:
    health = Health()
    health.phase = Phase.SERVING
    health.register("redis", refuses)
    health.register("nats", answers)
    readiness = await health.check()
    assert not readiness.ready
    assert readiness.checks == {"redis": "ConnectionRefusedError: nobody there", "nats": "ok"}


async def test_a_port_that_hangs_is_given_a_second_and_pings_run_side_by_side() -> None:
    health = Health()
    health.phase = Phase.SERVING
    for name in ("a", "b", "c"):
        health.register(name, asyncio.Event().wait)

    async def check(_: int) -> None:
        assert set((await health.check()).checks.values()) == {"no answer within 1 s"}

    await once_within(2.5, check)  # one after the other would take three seconds


async def test_a_port_that_registers_during_a_check_is_of_the_next_one() -> None:
    health, late = Health(), list[str]()

    async def registers_another() -> None:
        if not late:
            late.append("late")
            health.register("late", refuses)

    health.register("early", registers_another)
    assert (await health.check()).checks == {"early": "ok"}
    assert set((await health.check()).checks) == {"early", "late"}


def test_two_ports_of_one_name_are_a_mistake() -> None:
    health = Health()
    health.register("nats", answers)
    with pytest.raises(ValueError, match="'nats' is registered already"):
        health.register("nats", answers)
