"""Whether a new session would find workers: a session needs one of each of its roles."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from vigil.core.context_length import check_fits
from vigil.core.ids import SessionKey
from vigil.core.profile import profile
from vigil.core.session import SessionSpec
from vigil.core.source import Role, SourceKind, has_address, roles_of
from vigil.runtime.placement.leases import Capacity, Placement, Shortage
from vigil_gateway.api.errors import CapacityFull, NotServed, NoWorker

# A worker that a busy machine or a Redis that restarted held up says nothing for longer than its heartbeat is valid.
# It is back within this time, or it is gone.
WORKER_WAIT_S = 3.0
_ASK_AGAIN_S = 0.25


async def capacity(placement: Placement) -> dict[Role, Capacity]:
    """What the live workers of each role can hold."""
    return {role: await placement.capacity(role) for role in Role}


def sources_taken(found: Mapping[Role, Capacity], *, can_check: bool) -> dict[SourceKind, bool]:
    """The kinds of source, and whether a session on one could be created now: each role that it needs has a live worker
    with room. A source that Vigil pulls is checked before, which takes ingestion (`can_check`)."""
    has_room = {role for role, offered in found.items() if offered.workers and offered.free}
    return {kind: has_room.issuperset(roles_of(kind)) and (can_check or not has_address(kind)) for kind in SourceKind}


async def check_capacity(placement: Placement, roles: Iterable[Role]) -> None:
    """Raise `NoWorker` or `CapacityFull` when nobody could take a session that needs these roles now.

    `NoWorker` comes only after `WORKER_WAIT_S` seconds without a live worker.
    """
    wanted = tuple(roles)
    _check(await live_workers(lambda: placement.shortage(wanted)))


async def take_place(placement: Placement, key: SessionKey, roles: Iterable[Role]) -> None:
    """Let workers claim the session when there is room for it, or raise `NoWorker` or `CapacityFull`. The last place
    is given to one of those who ask at the same time, whichever gateway they ask. `NoWorker` comes only after
    `WORKER_WAIT_S` seconds without a live worker."""
    wanted = tuple(roles)
    _check(await live_workers(lambda: placement.admit(key, wanted)))


async def check_served(placement: Placement, model: str, usual: str) -> None:
    """Raise `NotServed` for a model that is neither the usual one nor listed by an engine of some worker."""
    if model == usual:
        return
    served = (await placement.capacity(Role.INTERACTION)).models
    if model not in served:
        raise NotServed("model", model, *sorted({usual, *served}))


async def check_context(placement: Placement, spec: SessionSpec) -> None:
    """Raise `InvalidSpec` when the session's prompts would be longer than the context of its model, as far as an engine
    says how long that is."""
    contexts = (await placement.capacity(Role.INTERACTION)).contexts
    check_fits(spec, profile(spec.profile), contexts.get(spec.model, 0))


async def live_workers(ask: Callable[[], Awaitable[Shortage | None]], wait_s: float = WORKER_WAIT_S) -> Shortage | None:
    """What is short once every role has a live worker, or after `wait_s` seconds. Room is not waited for."""
    end_s = time.monotonic() + wait_s
    while True:
        shortage = await ask()
        if shortage is None or not shortage.without_worker or time.monotonic() >= end_s:
            return shortage
        await asyncio.sleep(_ASK_AGAIN_S)


def _check(shortage: Shortage | None) -> None:
    """Raise `NoWorker` when a role has no live worker, else `CapacityFull` when one has no room."""
    if shortage is None:
        return
    if shortage.without_worker:
        raise NoWorker(tuple(str(role) for role in shortage.without_worker))
    raise CapacityFull(tuple(str(role) for role in shortage.full))
