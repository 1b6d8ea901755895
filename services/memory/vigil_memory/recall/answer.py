"""The lines of memory that go with a question: what its times and its words find in the archive. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from vigil.core.recall import MAX_CHARS, MAX_LINES
from vigil.core.task import KeyFrame
from vigil_memory.recall.blending import NO_NEARNESS, Nearness, blended
from vigil_memory.recall.moment import Moment, Span
from vigil_memory.recall.passages import Entry, EntryKind, Passage, passages
from vigil_memory.recall.ranking import Hit, groups
from vigil_memory.recall.time_expressions import read

MAX_SAME = 4  # lines that speak of the same: the newest, and some before it
MAX_PICTURES = 2  # of one line
NEAR_MS = 30_000  # a picture so long before or after a line's span still shows it
NEWEST = "(newest)"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of an answer. What begins at `known_from_ms` or later is in the prompt anyway and is left out; 0: nothing
    is."""

    lines: int = MAX_LINES
    chars: int = MAX_CHARS
    known_from_ms: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A recalled sentence in plain words, with the span of model time that it is about and the pictures of it that are
    nearest. `is_newest` says that it is the newest of several that speak of the same; its text says so, too."""

    text: str
    from_ms: int
    to_ms: int
    kind: EntryKind
    frames: tuple[KeyFrame, ...] = ()
    is_newest: bool = False


@dataclass(frozen=True, slots=True)
class Recalled:
    """The lines, best first (in order of time where the question names only a time), and the span that the question
    names."""

    lines: tuple[Line, ...] = ()
    span: Span | None = None


def recall(
    question: str,
    entries: Iterable[Entry],
    moment: Moment,
    limits: Limits | None = None,
    pictures: Sequence[KeyFrame] = (),
    nearness: Nearness = NO_NEARNESS,
) -> Recalled:
    """What the archive holds about a question that is asked at `moment`; `pictures` are those that the store still has,
    `nearness` is what an embedding model says of the sentences. Never raises.

    Where a time is named, only what lies in it counts, unless nothing does. Of what changed, the newest value comes
    first. A question with neither a time nor a word to search by finds nothing.
    """
    limits = limits or Limits()
    asked = read(question, moment)
    known = limits.known_from_ms or moment.now_ms + 1
    searched = [passage for passage in passages(entries) if passage.entry.from_ms < known]
    within = [passage for passage in searched if asked.span and asked.span.touches(passage.from_ms, passage.to_ms)]
    lines = _found(blended(asked.rest, within, nearness), searched)
    if not within:
        lines = _found(blended(asked.rest, searched, nearness), searched)
    elif not lines:
        lines = [_line(passage) for passage in _spread(within, limits.lines)]
    told = tuple(replace(line, frames=_near(line, pictures)) for line in _bounded(lines, limits))
    return Recalled(told, asked.span)


def _found(hits: Iterable[Hit], searched: Sequence[Passage]) -> list[Line]:
    """The lines of what was found, group by group, then the neighbours of the best."""
    found = groups(hits)
    lines: list[Line] = []
    for group in found:
        kept = _distinct(hit.passage for hit in group)[:MAX_SAME]
        lines += [_line(passage, is_newest=place == 0 and len(kept) > 1) for place, passage in enumerate(kept)]
    if found:
        lines += [_line(passage) for passage in _neighbours(found[0][0].passage, searched)]
    return lines


def _distinct(found: Iterable[Passage]) -> list[Passage]:
    """Each text once, at its newest."""
    kept: dict[str, Passage] = {}
    for passage in found:
        kept.setdefault(passage.text, passage)
    return list(kept.values())


def _neighbours(passage: Passage, searched: Sequence[Passage]) -> Iterator[Passage]:
    """What its entry says right before and after it."""
    for near in searched:
        if near.entry is passage.entry and abs(near.place - passage.place) == 1:
            yield near


def _spread(found: Sequence[Passage], most: int) -> Iterator[Passage]:
    """At most so many of them, evenly over the time."""
    count = min(most, len(found))
    for place in range(count):
        yield found[place * len(found) // count]


def _line(passage: Passage, *, is_newest: bool = False) -> Line:
    text = passage.text if passage.has_time else f"{_when(passage)}: {passage.text}"
    marked = f"{text} {NEWEST}" if is_newest else text
    return Line(marked, passage.from_ms, passage.to_ms, passage.entry.kind, is_newest=is_newest)


def _when(passage: Passage) -> str:
    begin, end = passage.from_ms // 1_000, passage.to_ms // 1_000
    is_said = passage.entry.kind is EntryKind.EXCHANGE
    return f"At {begin} seconds" if begin == end or is_said else f"Between {begin} and {end} seconds"


def _near(line: Line, pictures: Sequence[KeyFrame]) -> tuple[KeyFrame, ...]:
    """The pictures of the line's span that are nearest to its middle, in order of time."""
    begin, end = line.from_ms - NEAR_MS, line.to_ms + NEAR_MS
    middle = (begin + end) / 2
    shown = [picture for picture in pictures if begin <= picture.time_ms <= end]
    nearest = sorted(shown, key=lambda picture: abs(picture.time_ms - middle))[:MAX_PICTURES]
    return tuple(sorted(nearest, key=lambda picture: picture.time_ms))


def _bounded(lines: Iterable[Line], limits: Limits) -> Iterator[Line]:
    """The first lines that fit, each once."""
    left, told = limits.chars, set[str]()
    for line in lines:
        bare = line.text.removesuffix(f" {NEWEST}")
        if bare in told or len(line.text) > left:
            continue
        if len(told) == limits.lines:
            return
        told.add(bare)
        left -= len(line.text)
        yield line
