"""Whether a new session would find workers: every session needs one of each role."""

from collections.abc import Mapping

from vigil.runtime.placement import Capacity, Placement, Role
from vigil_gateway.errors import CapacityFull, NoWorker, UnknownModel


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


def check_served(found: Mapping[Role, Capacity], model: str) -> None:
    """Raise `UnknownModel` when the workers say what their engines serve, and this model is not among it."""
    served = found[Role.INTERACTION].models
    if served and model not in served:
        raise UnknownModel(model, served)


async def check_capacity(placement: Placement, model: str) -> None:
    """Raise `NoWorker`, `CapacityFull` or `UnknownModel` when nobody could take a session with this model now."""
    found = await capacity(placement)
    check(found)
    check_served(found, model)
