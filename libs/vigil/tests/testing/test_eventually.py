"""Waiting for a condition: what counts towards the deadline, and what is said when it has passed."""

import asyncio
import time

import pytest

from vigil.testing.eventually import eventually


async def test_it_returns_what_the_condition_becomes() -> None:
    answers = iter([0, "", None, "there"])
    assert await eventually(lambda: next(answers)) == "there"


async def test_a_deadline_that_has_passed_is_said_with_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.1 s: it comes \(last: ''\)"):
        await eventually(lambda: "", 0.1, "it comes")


async def test_a_mistake_of_the_condition_is_raised_at_once() -> None:
    async def broken() -> bool:
        raise OSError("no such port")

    with pytest.raises(OSError, match="no such port"):
        await eventually(broken)


async def test_the_time_in_which_the_machine_stood_still_does_not_count() -> None:
    looks: list[float] = []

    def third_look() -> bool:
        looks.append(time.monotonic())
        if len(looks) == 1:
            asyncio.get_running_loop().call_later(0.01, time.sleep, 3.0)
        return len(looks) == 3

    await eventually(third_look, 2.5)
    assert looks[-1] - looks[0] > 2.9, "it stood still for longer than the deadline"
