"""Whether a new session would find workers: a session needs one of each of its roles."""

from collections.abc import Iterable, Mapping

from vigil.core.source import Role
from vigil.runtime.placement.leases import Capacity, Placement
from vigil_gateway.http.errors import CapacityFull, NotServed, NoWorker


async def capacity(placement: Placement) -> dict[Role, Capacity]:
    """What the live workers of each role can hold."""
    return {role: await placement.capacity(role) for role in Role}


def check(found: Mapping[Role, Capacity]) -> None:
    """Raise `NoWorker` when a role has none that lives, else `CapacityFull` when one has no room."""
    missing = tuple(str(role) for role, one in found.items() if not one.workers)
    if missing:
        raise NoWorker(missing)
    full = tuple(str(role) for role, one in found.items() if not one.free)
    if full:
        raise CapacityFull(full)


async def check_capacity(placement: Placement, roles: Iterable[Role]) -> None:
    """Raise `NoWorker` or `CapacityFull` when nobody could take a session that needs these roles now."""
    check({role: await placement.capacity(role) for role in roles})


async def check_served(placement: Placement, model: str, usual: str) -> None:
    """Raise `NotServed` for a model that is neither the usual one nor listed by an engine of some worker."""
    if model == usual:
        return
    served = (await placement.capacity(Role.INTERACTION)).models
    if model not in served:
        raise NotServed("model", model, *sorted({usual, *served}))
