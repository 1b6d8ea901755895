"""A worker that was held up is waited for; a full one is not."""

from collections.abc import Awaitable, Callable

from vigil.core.source import Role
from vigil.runtime.placement.leases import Shortage
from vigil_gateway.sessions.capacity import live_workers

HELD_UP = Shortage((Role.CODEC,), ())
FULL = Shortage((), (Role.CODEC,))


def answers(*found: Shortage | None) -> tuple[Callable[[], Awaitable[Shortage | None]], list[Shortage | None]]:
    """A question that is answered so, one after the other, and the answers that nobody has taken yet."""
    left = list(found)

    async def ask() -> Shortage | None:
        return left.pop(0)

    return ask, left


async def test_a_worker_that_was_held_up_is_waited_for() -> None:
    ask, left = answers(HELD_UP, HELD_UP, None)
    assert await live_workers(ask, wait_s=60) is None
    assert not left


async def test_a_worker_that_does_not_come_is_missed() -> None:
    ask, left = answers(HELD_UP, None)
    assert await live_workers(ask, wait_s=0) == HELD_UP
    assert left == [None]


async def test_room_is_not_waited_for() -> None:
    ask, left = answers(FULL, None)
    assert await live_workers(ask, wait_s=60) == FULL
    assert left == [None]
