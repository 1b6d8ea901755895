"""Whether a new session would find workers: a session needs one of each of its roles."""

from collections.abc import Iterable, Mapping

from vigil.core.ids import SessionKey
from vigil.core.source import Role, SourceKind, has_address, roles_of
from vigil.runtime.placement.leases import Capacity, Placement, Shortage
from vigil_gateway.api.errors import CapacityFull, NotServed, NoWorker


async def capacity(placement: Placement) -> dict[Role, Capacity]:
    """What the live workers of each role can hold."""
    return {role: await placement.capacity(role) for role in Role}


def sources_taken(found: Mapping[Role, Capacity], *, can_check: bool) -> dict[SourceKind, bool]:
    """The kinds of source, and whether a session on one could be created now: each role that it needs has a live worker
    with room. A source that Vigil pulls is checked before, which takes ingestion (`can_check`)."""
    has_room = {role for role, offered in found.items() if offered.workers and offered.free}
    return {kind: has_room.issuperset(roles_of(kind)) and (can_check or not has_address(kind)) for kind in SourceKind}


async def check_capacity(placement: Placement, roles: Iterable[Role]) -> None:
    """Raise `NoWorker` or `CapacityFull` when nobody could take a session that needs these roles now."""
    _check(await placement.shortage(roles))


async def take_place(placement: Placement, key: SessionKey, roles: Iterable[Role]) -> None:
    """Let workers claim the session when there is room for it, or raise `NoWorker` or `CapacityFull`. The last place
    is given to one of those who ask at the same time, whichever gateway they ask."""
    _check(await placement.admit(key, roles))


async def check_served(placement: Placement, model: str, usual: str) -> None:
    """Raise `NotServed` for a model that is neither the usual one nor listed by an engine of some worker."""
    if model == usual:
        return
    served = (await placement.capacity(Role.INTERACTION)).models
    if model not in served:
        raise NotServed("model", model, *sorted({usual, *served}))


def _check(shortage: Shortage | None) -> None:
    """Raise `NoWorker` when a role has no live worker, else `CapacityFull` when one has no room."""
    if shortage is None:
        return
    if shortage.without_worker:
        raise NoWorker(tuple(str(role) for role in shortage.without_worker))
    raise CapacityFull(tuple(str(role) for role in shortage.full))
