"""What has come and what has gone, of things that are looked for in one picture after the other. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

MOST_THINGS = 64
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Patience:
    """A thing has come once `come_looks` looks in a row saw it, and has gone once it was unseen for `gone_s`."""

    come_looks: int = 2
    gone_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """A thing that is being seen: in how many looks in a row so far, and when last (microseconds)."""

    looks: int
    last_us: int
    has_come: bool = False


@dataclass(frozen=True, slots=True)
class Presence:
    """What is there, and what may be. `last_us` is the time of the last look."""

    sightings: Mapping[str, Sighting] = field(default_factory=lambda: MappingProxyType({}))
    last_us: int = 0

    @property
    def there(self) -> tuple[str, ...]:
        """What has come and has not gone."""
        return tuple(thing for thing, sighting in self.sightings.items() if sighting.has_come)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look changed, in the order in which it was first seen."""

    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()


def look(presence: Presence, seen: Collection[str], at_us: int, patience: Patience) -> tuple[Presence, Changes]:
    """Take in what one picture shows. A picture that is not newer than the last one changes nothing.

    At most `MOST_THINGS` are followed: while so many are there, others are not seen.
    """
    if at_us <= presence.last_us:
        return presence, Changes()
    kept: dict[str, Sighting] = {}
    came, went = [], []
    for thing, sighting in presence.sightings.items():
        if thing in seen:
            kept[thing] = replace(sighting, looks=sighting.looks + 1, last_us=at_us)
        elif sighting.has_come and at_us - sighting.last_us < patience.gone_s * SECOND_US:
            kept[thing] = sighting
        elif sighting.has_come:
            went.append(thing)
    for thing in seen:
        if thing not in kept and len(kept) < MOST_THINGS:
            kept[thing] = Sighting(1, at_us)
    for thing, sighting in kept.items():
        if not sighting.has_come and sighting.looks >= patience.come_looks:
            kept[thing] = replace(sighting, has_come=True)
            came.append(thing)
    return Presence(MappingProxyType(kept), at_us), Changes(tuple(came), tuple(went))
