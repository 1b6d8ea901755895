"""The people who agreed to be recognised: names, what was measured of their faces, and their consent. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

# A face as 128 numbers. It is no picture, but it identifies a person as well as one does.
Embedding: TypeAlias = tuple[float, ...]

DIMENSIONS = 128
MOST_PEOPLE = 100
MOST_FACES = 8  # of one person
MOST_NAME_CHARS = 60
LEAST_CONSENT_CHARS, MOST_CONSENT_CHARS = 10, 500
MOST_KEPT_DAYS = 3_650
DAY_S = 86_400

# dlib's authors take two faces as one person's below a distance of 0.6. Of 253 pairs of strangers 9 were below it, so
# less is asked for here, and the next best person must be clearly farther away.
NEAREST = 0.5
CLEARLY = 0.05


class Refused(ValueError):
    """What cannot be done with the gallery; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who agreed: `consent` says to whom, when and for what. `until_s` (since the Unix epoch) ends it."""

    name: str
    consent: str
    enrolled_s: int
    until_s: int
    faces: tuple[Embedding, ...]

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > MOST_NAME_CHARS:
            raise Refused(f"the name {self.name!r} cannot be told: give 1 to {MOST_NAME_CHARS} printable characters")
        if not LEAST_CONSENT_CHARS <= len(self.consent.strip()) <= MOST_CONSENT_CHARS:
            raise Refused("nobody is enrolled without consent: note who agreed, when, and to what, in a sentence")
        if not 0 < self.until_s - self.enrolled_s <= MOST_KEPT_DAYS * DAY_S:
            raise Refused(f"a face is kept for 1 to {MOST_KEPT_DAYS:,} days")
        if not 1 <= len(self.faces) <= MOST_FACES:
            raise Refused(f"{self.name} has {len(self.faces)} faces: at most {MOST_FACES} are kept, forget some")
        if any(len(face) != DIMENSIONS or not all(map(math.isfinite, face)) for face in self.faces):
            raise Refused(f"a face of {self.name} is not {DIMENSIONS} finite numbers")


@dataclass(frozen=True, slots=True)
class Match:
    """A person, and how far the face in the picture is from the nearest that was enrolled (0 is the same)."""

    name: str
    distance: float

    @property
    def confidence(self) -> float:
        """Nearness from 0 to 1: what is left of a distance of 1. It is no probability."""
        return max(0.0, round(1 - self.distance, 2))


@dataclass(frozen=True, slots=True)
class Gallery:
    """Everybody who is enrolled, by name."""

    people: tuple[Person, ...] = ()

    def enrol(self, person: Person) -> "Gallery":
        """With one more person, or with more faces of one; the newer consent holds for all of them."""
        known = self.person(person.name)
        others = tuple(other for other in self.people if other.name != person.name)
        if len(others) >= MOST_PEOPLE:
            raise Refused(f"{MOST_PEOPLE} people are enrolled, which is the most: forget somebody first")
        return Gallery((*others, replace(person, faces=(*(known.faces if known else ()), *person.faces))))

    def forget(self, name: str) -> "Gallery":
        """Without the person. Raises `Refused` when nobody has this name."""
        if self.person(name) is None:
            raise Refused(f"nobody called {name!r} is enrolled: `list` shows who is")
        return Gallery(tuple(person for person in self.people if person.name != name))

    def at(self, now_s: float) -> "Gallery":
        """Those whose consent has not ended."""
        return Gallery(tuple(person for person in self.people if now_s < person.until_s))

    def person(self, name: str) -> Person | None:
        """The person with this name."""
        return next((person for person in self.people if person.name == name), None)

    def recognise(self, face: Embedding) -> Match | None:
        """Whose face this is; None for a stranger, and where two people are about equally near."""
        near = sorted((Match(person.name, _distance(person.faces, face)) for person in self.people), key=_far)
        if not near or near[0].distance >= NEAREST:
            return None
        if len(near) > 1 and near[1].distance - near[0].distance < CLEARLY:
            return None
        return near[0]


def _far(match: Match) -> float:
    return match.distance


def _distance(known: Sequence[Embedding], face: Embedding) -> float:
    return min(math.dist(enrolled, face) for enrolled in known)
