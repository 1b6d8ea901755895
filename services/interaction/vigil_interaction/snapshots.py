"""Keeps the pictures that alerts refer to."""

from collections.abc import Iterable

from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil_interaction.ports import StoredBus
from vigil_interaction.sight import Sight

log = get_log()


async def keep(bus: StoredBus, names: Iterable[str], seen: Sight) -> frozenset[str]:
    """Store the turn's first picture under each of `names`; those under which it can be fetched."""
    kept: set[str] = set()
    for name in names:
        try:
            await bus.put_snapshot(name, next(iter(seen.pixels.values())))
            kept.add(name)
        except BusError as error:  # an alert without its picture is better than no alert
            log.warning("snapshot not stored", name=name, error=str(error))
    return frozenset(kept)
