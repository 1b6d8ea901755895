"""Zones: polygons with names, in shares of the picture's width and height, so that they hold at any size. Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

Point: TypeAlias = tuple[float, float]

MOST_ZONES = 16
MOST_POINTS = 32
MOST_NAME_CHARS = 80
LEAST_AREA = 0.0005  # of the picture: about ten pixels of the small picture in which motion is looked for
LEAST_SHARE = 0.01
FIELDS = {"name", "polygon", "session", "least_share"}


class InvalidZone(ValueError):
    """A zone that cannot be watched; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the picture. `session` limits it to one session, empty for all of the tenant's.

    `least_share` is how much of the zone, from 0 to 1, must differ from what it usually looks like.
    """

    name: str
    polygon: tuple[Point, ...]
    session: str = ""
    least_share: float = LEAST_SHARE

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > MOST_NAME_CHARS:
            raise InvalidZone(
                f"a zone is named {self.name!r}: give it a name of 1 to {MOST_NAME_CHARS} printable characters"
            )
        if not 3 <= len(self.polygon) <= MOST_POINTS:
            raise InvalidZone(f"{self.name} has {len(self.polygon)} points: give 3 to {MOST_POINTS}")
        if not all(0 <= x <= 1 and 0 <= y <= 1 for x, y in self.polygon):
            raise InvalidZone(f"a point of {self.name} is outside the picture: give shares of its sides, from 0 to 1")
        if crosses_itself(self.polygon):
            raise InvalidZone(f"the edges of {self.name} cross: give the points in their order around the zone")
        if area(self.polygon) < LEAST_AREA:
            raise InvalidZone(f"{self.name} is too small to see motion in: make it larger")
        if not 0 < self.least_share <= 1:
            raise InvalidZone(f"least_share of {self.name} is {self.least_share}: give a share above 0, at most 1")

    def holds_for(self, session: str) -> bool:
        """Whether the zone is one of this session's picture."""
        return self.session in ("", session)


def area(polygon: Sequence[Point]) -> float:
    """The area as a share of the picture's."""
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in _edges(polygon))) / 2


def crosses_itself(polygon: Sequence[Point]) -> bool:
    """Whether two edges that are no neighbours touch."""
    edges = _edges(polygon)
    last = len(edges) - 1
    return any(
        _touch(*edges[first], *edges[second])
        for first in range(len(edges))
        for second in range(first + 2, len(edges))
        if (first, second) != (0, last)
    )


def read_zones(text: str) -> tuple[Zone, ...]:
    """The zones of a TOML file with tables `[[zone]]`. Raises `InvalidZone`."""
    try:
        tables = tomllib.loads(text).get("zone", [])
    except tomllib.TOMLDecodeError as error:
        raise InvalidZone(f"the file of zones is no TOML: {error}") from None
    if not isinstance(tables, list) or not 1 <= len(tables) <= MOST_ZONES:
        raise InvalidZone(f"the file of zones needs 1 to {MOST_ZONES} tables [[zone]]")
    zones = tuple(_zone(table) for table in tables)
    named = [(zone.session, zone.name) for zone in zones]
    if len(set(named)) < len(named):
        raise InvalidZone("two zones have one name: give each its own")
    return zones


def _zone(table: Mapping[str, Any]) -> Zone:
    if unknown := set(table) - FIELDS:
        raise InvalidZone(f"a zone has the unknown fields {sorted(unknown)}: there are {sorted(FIELDS)}")
    try:
        polygon = tuple((float(x), float(y)) for x, y in table["polygon"])
        share = float(table.get("least_share", LEAST_SHARE))
        return Zone(str(table["name"]), polygon, str(table.get("session", "")), share)
    except InvalidZone:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidZone(f"a zone needs `name` and `polygon`, a list of [x, y]: {error!r}") from None


def _edges(polygon: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(pairwise((*polygon, polygon[0])))


def _touch(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments ab and cd share a point."""
    sides = _side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)
    if sides[0] * sides[1] < 0 and sides[2] * sides[3] < 0:
        return True
    corners = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(side == 0 and _is_between(*corner) for side, corner in zip(sides, corners, strict=True))


def _side(a: Point, b: Point, p: Point) -> float:
    """On which side of ab the point lies: positive, negative, or 0 for on its line."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _is_between(a: Point, b: Point, p: Point) -> bool:
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])
