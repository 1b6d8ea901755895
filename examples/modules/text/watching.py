"""From one picture's readings after the other's to what is told. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from finding import Box, Finding
from presence import Patience, Presence, look

from text.reading import Reading, is_same, key, legible

PATIENCE = Patience(come_looks=2, gone_s=6.0)
MOST_TEXT_CHARS = 500


@dataclass(frozen=True, slots=True)
class Watched:
    """What is written in a session's picture: the texts that are there by their keys, each as it was read best."""

    presence: Presence = field(default_factory=Presence)
    best: Mapping[str, Reading] = field(default_factory=lambda: MappingProxyType({}))


def watch(watched: Watched, readings: Iterable[Reading], at_us: int) -> tuple[Watched, tuple[Finding, ...]]:
    """Take in what was read in one picture. A text is told once two pictures in a row show it."""
    seen: dict[str, Reading] = {}
    for reading in legible(readings):
        name = _known(key(reading.text), (*watched.presence.sightings, *seen))
        seen[name] = _better(seen.get(name), reading)
    best = {**watched.best, **{name: _better(watched.best.get(name), reading) for name, reading in seen.items()}}
    presence, changes = look(watched.presence, seen, at_us, PATIENCE)
    findings = []
    if changes.came:
        readings_of = [best[name] for name in changes.came]
        sure = min(reading.confidence for reading in readings_of)
        box = _around([seen[name].box for name in changes.came])
        findings.append(Finding(_sentence("the picture shows the text", readings_of), sure, box))
    if changes.went:
        gone = [best[name] for name in changes.went]
        findings.append(Finding(_sentence("no longer in the picture is the text", gone)))
    kept = {name: reading for name, reading in best.items() if name in presence.sightings}
    return Watched(presence, MappingProxyType(kept)), tuple(findings)


def _known(new: str, names: Iterable[str]) -> str:
    """The name of the text that this is a reading of; itself for a new one."""
    return next((name for name in names if is_same(name, new)), new)


def _better(one: Reading | None, other: Reading) -> Reading:
    return other if one is None or other.confidence > one.confidence else one


def _around(boxes: list[Box]) -> Box:
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    return left, top, right - left, bottom - top


def _sentence(begin: str, readings: Iterable[Reading]) -> str:
    """The texts in the order of a page, quoted, as many as an observation holds."""
    sentence = begin
    for number, reading in enumerate(sorted(readings, key=lambda reading: (reading.box[1], reading.box[0]))):
        quoted = f'{"," if number else ""} "{reading.text}"'
        if len(sentence) + len(quoted) > MOST_TEXT_CHARS:
            break
        sentence += quoted
    return sentence
