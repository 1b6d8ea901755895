"""What a distribution brings with it when it is installed alone: read from the metadata of what is installed here."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution, packages_distributions

from packaging.requirements import Requirement


def normal(name: str) -> str:
    """A distribution's name as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def requires(name: str) -> frozenset[str]:
    """The distributions that this one requires directly, without its extras."""
    found = map(Requirement, distribution(name).requires or ())
    return frozenset(
        normal(requirement.name) for requirement in found if not requirement.marker or requirement.marker.evaluate()
    )


def of_extras(name: str) -> frozenset[str]:
    """The distributions that its extras require directly."""
    known = distribution(name)
    found = [requirement for requirement in map(Requirement, known.requires or ()) if requirement.marker]
    extras = known.metadata.get_all("Provides-Extra") or ()
    return frozenset(
        normal(requirement.name)
        for requirement in found
        for extra in extras
        if requirement.marker and requirement.marker.evaluate({"extra": extra})
    )


@cache
def installed_with(name: str, *, extras: bool = False) -> frozenset[str]:
    """A distribution and all that comes with it, or with all of its `extras`."""
    reached: set[str] = set()
    waiting = [normal(name), *(of_extras(name) if extras else ())]
    while waiting:
        reached.add(current := waiting.pop())
        waiting.extend(requires(current) - reached)
    return frozenset(reached)


@cache
def by_package() -> dict[str, frozenset[str]]:
    """Import package to the distributions that have it."""
    return {package: frozenset(map(normal, names)) for package, names in packages_distributions().items()}


def packages_of(names: frozenset[str]) -> Iterator[str]:
    """The import packages and modules of these distributions."""
    return (package for package, homes in by_package().items() if homes & names)
