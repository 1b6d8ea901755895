"""What a turn tells the model of what modules noticed: bounded lines of plain words. Pure.

A line is data and says whose it is: `faces (face, 0.92): Anna is at the door`. What is older than the turn's pictures
says when it was: `faces (face, 0.92) at 12.0 seconds: …`. A text that the chunk's prompt tells already is folded: it is
told again when it has changed meanwhile, or when its time to live has passed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vigil.core.control import plain
from vigil.core.memory import MAX_OBSERVED, MAX_OBSERVED_CHARS
from vigil.core.observation import Observation
from vigil.core.prompt import OBSERVED_HEADER
from vigil.core.turn import Turn

MAX_LINES = 8
MAX_CHARS = 1_000  # of all lines of a turn
MAX_CHUNK_CHARS = 8_000  # of all lines that a chunk's turns tell, with the header of each of these turns
MAX_MODULE_CHARS = 4_000  # of those, one module's
MAX_KNOWN = 64
LEAST_AHEAD_MS = 2_000


class Unshown(StrEnum):
    """Why an observation is never told."""

    FUTURE = "future"  # its time is too far ahead of the pictures
    STALE = "stale"  # its time to live has passed, or it is from before the session's first picture
    EMPTY = "empty"  # nothing is left of its text in plain words
    NO_ROOM = "no_room"  # the turn, or the chunk, has told as much as it may


@dataclass(frozen=True, slots=True)
class Now:
    """The turn that is to tell something: its model time, when its first picture was captured, and the time between two
    turns. Nothing is told of what was before `since_ms`."""

    time_ms: int
    capture_time_us: int
    interval_ms: int
    since_ms: int = 0

    def model_ms(self, observation: Observation) -> int:
        """The model time of what was observed."""
        return self.time_ms + (observation.capture_time_us - self.capture_time_us) // 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """A text that the prompt tells, with the model time of the turn that told it last."""

    module: str
    kind: str
    text: str
    at_ms: int

    @property
    def key(self) -> tuple[str, str]:
        """What it is one of several texts of."""
        return self.module, self.kind


@dataclass(frozen=True, slots=True)
class Observed:
    """What a turn makes of the observations that wait for it. All of them are done with, once the turn is committed:
    `lines` tell as many of them, `folded` others are told already, and `unshown` says why each other one is not told.
    `known` is what a later turn need not tell.
    """

    lines: tuple[str, ...] = ()
    given: tuple[Observation, ...] = ()
    folded: int = 0
    unshown: tuple[tuple[Observation, Unshown], ...] = ()
    known: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An observation that may be told, and how."""

    observation: Observation
    text: str
    line: str

    @property
    def key(self) -> tuple[str, str]:
        return self.observation.module, self.observation.kind


def observed(given: Sequence[Observation], now: Now, turns: Sequence[Turn], known: Sequence[Told] = ()) -> Observed:
    """What the turn `now` tells, whose prompt shows `turns` before it. Of what is `known` only that counts which one of
    these turns tells."""
    known = [told for told in known if turns and told.at_ms >= turns[0].time_ms]
    unshown: list[tuple[Observation, Unshown]] = []
    newest: dict[tuple[str, str, str], _Candidate] = {}
    for observation in sorted(given, key=lambda observation: observation.capture_time_us):
        found = _candidate(observation, now)
        if isinstance(found, Unshown):
            unshown.append((observation, found))
        else:
            newest[(*found.key, found.text)] = found
    fresh = [candidate for candidate in newest.values() if not _is_told(candidate, known, now)]
    room = _Room(turns)
    shown = [candidate for candidate in _fairly(fresh) if room.takes(candidate)]
    unshown += [(candidate.observation, Unshown.NO_ROOM) for candidate in fresh if candidate not in shown]
    shown.sort(key=lambda candidate: candidate.observation.capture_time_us)
    return Observed(
        tuple(candidate.line for candidate in shown),
        tuple(given),
        folded=len(given) - len(shown) - len(unshown),
        unshown=tuple(unshown),
        known=_known(known, list(newest.values()), shown, now),
    )


def line_of(observation: Observation, text: str, now: Now) -> str:
    """How it is told. Without a time it is of the turn's own pictures, or newer."""
    confidence = "" if observation.confidence is None else f", {observation.confidence:.2f}"
    was, shown_at = (f"{time_ms / 1_000:.1f}" for time_ms in (now.model_ms(observation), now.time_ms))
    when = f" at {was} seconds" if now.model_ms(observation) < now.time_ms and was != shown_at else ""
    return f"{observation.module} ({observation.kind}{confidence}){when}: {text}"


def is_of(module: str, line: str) -> bool:
    """Whether the line tells something of this module."""
    return line.startswith(f"{module} (")


def timed(turns: Iterable[Turn]) -> list[str]:
    """What these turns told of modules, each line with its time: that of its turn where it says none."""
    return [_timed(turn.time_ms, line) for turn in turns for line in turn.observed]


def spread(lines: Sequence[str]) -> tuple[str, ...]:
    """As many of the lines as memory keeps of a span, spread evenly over it."""
    count = min(MAX_OBSERVED, len(lines))
    kept: list[str] = []
    left = MAX_OBSERVED_CHARS
    for line in (lines[place * len(lines) // count] for place in range(count)):
        if len(line) <= left:
            kept.append(line)
            left -= len(line)
    return tuple(kept)


def _timed(time_ms: int, line: str) -> str:
    head, _, rest = line.partition(")")
    return f"{head}) at {time_ms / 1_000:.1f} seconds{rest}" if rest.startswith(":") else line


class _Room:
    """How much a turn still tells."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._told = [line for turn in turns for line in turn.observed]
        self._lines, self._chars = MAX_LINES, MAX_CHARS
        headers = 1 + sum(bool(turn.observed) for turn in turns)  # the turn's own is counted before its first line
        self._chunk = MAX_CHUNK_CHARS - sum(map(len, self._told)) - headers * len(OBSERVED_HEADER)
        self._modules: dict[str, int] = {}

    def takes(self, candidate: _Candidate) -> bool:
        """Whether the line fits; then it is taken."""
        module, size = candidate.observation.module, len(candidate.line)
        left = self._left(module)
        if not self._lines or size > min(self._chars, self._chunk, left):
            return False
        self._lines, self._chars, self._chunk = self._lines - 1, self._chars - size, self._chunk - size
        self._modules[module] = left - size
        return True

    def _left(self, module: str) -> int:
        if module not in self._modules:
            told = sum(len(line) for line in self._told if is_of(module, line))
            self._modules[module] = MAX_MODULE_CHARS - told
        return self._modules[module]


def _candidate(observation: Observation, now: Now) -> _Candidate | Unshown:
    at_ms = now.model_ms(observation)
    if at_ms > now.time_ms + max(LEAST_AHEAD_MS, 2 * now.interval_ms):
        return Unshown.FUTURE
    if at_ms < max(now.time_ms - observation.ttl_ms, now.since_ms):
        return Unshown.STALE
    text = plain(observation.text)
    return _Candidate(observation, text, line_of(observation, text, now)) if text else Unshown.EMPTY


def _is_told(candidate: _Candidate, known: Sequence[Told], now: Now) -> bool:
    told_ms = (told.at_ms for told in known if told.key == candidate.key and told.text == candidate.text)
    return now.time_ms < next(told_ms, -candidate.observation.ttl_ms) + candidate.observation.ttl_ms


def _fairly(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """The newest of each module, then the second newest of each, and so on: no module crowds out another."""
    ranked: dict[str, int] = {}
    order: list[tuple[int, int, _Candidate]] = []
    for candidate in sorted(candidates, key=lambda each: -each.observation.capture_time_us):
        module = candidate.observation.module
        ranked[module] = ranked.get(module, 0) + 1
        order.append((ranked[module], len(order), candidate))
    return [candidate for _, _, candidate in sorted(order, key=lambda entry: entry[:2])]


def _known(
    known: Sequence[Told], seen: Sequence[_Candidate], shown: Sequence[_Candidate], now: Now
) -> tuple[Told, ...]:
    """What is known after the turn. Where a module says something new of a kind, what it does not say at the same time
    is over: it is told again when it comes back."""
    said = {(*candidate.key, candidate.text) for candidate in seen}
    new = {(*candidate.key, candidate.text) for candidate in shown}
    before = {(*told.key, told.text) for told in known}
    changed = {(module, kind) for module, kind, _ in new - before}
    left = [
        told
        for told in known
        if (*told.key, told.text) not in new and (told.key not in changed or (*told.key, told.text) in said)
    ]
    told_now = [Told(*candidate.key, candidate.text, now.time_ms) for candidate in shown]
    return (*left, *told_now)[-MAX_KNOWN:]
