"""What is said to the model and what it should answer: instructions, queries and per-second replies (paper, listing 1).

While a watched condition holds, the reply is the same sentence every second; otherwise it is silence. A query is
answered once, in its own turn, before any alert of that turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from vigil_recipe.world.episode import Kind

SILENCE = "</silence>"
RESPONSE = "</response>"
DELEGATION = "</delegation>"
DESCRIBE = "What do you see?"
STOP = "Stop watching: "
KEEP = "Keep watching: "  # a watch that stands, after another one was taken back
NOTHING = "I see nothing unusual."
# Shares of planted mistakes in the history. Without them the model learns to repeat its last reply instead of looking.
PLANTED = (0.0, 0.12, 0.5)
PLANTED_CHANCE = (0.35, 0.35, 0.3)

ALERT: dict[Kind, str] = {
    Kind.FIRE: "A fire has started.",
    Kind.FALL: "A person has fallen.",
    Kind.OBJECT: "An object was left behind.",
    Kind.DOOR: "The door is open.",
}
SEEN: dict[Kind, str] = {
    Kind.FIRE: "a fire",
    Kind.FALL: "a fallen person",
    Kind.OBJECT: "an unattended object",
    Kind.DOOR: "an open door",
}
OPENINGS = (
    "Alert me when",
    "Alert me if",
    "Tell me if",
    "Tell me when",
    "Warn me if",
    "Let me know when",
    "Notify me if",
)
EVENTS: dict[Kind, tuple[str, ...]] = {
    Kind.FIRE: ("a fire starts", "there is a fire", "something burns", "you see flames"),
    Kind.FALL: ("someone falls", "a person falls", "a person has fallen", "somebody lies on the floor"),
    Kind.OBJECT: ("an object is left behind", "a bag is left", "a box is left behind", "something is left unattended"),
    Kind.DOOR: ("the door opens", "the door is open", "a door opens", "someone opens the door"),
}


class Mode(StrEnum):
    """What an episode asks: nothing, alerts, or a description at every turn."""

    IDLE = "idle"
    WATCH = "watch"
    DENSE = "dense"


@dataclass(frozen=True, slots=True)
class Turn:
    """One second: which turn of the clip it shows, its time marker, the new user lines, the right reply.

    ``said`` is what the history will show as the reply; it differs from ``reply`` where training plants a mistake, so
    that the model learns to recover from its own.
    """

    clip_turn: int
    marker_s: float
    lines: tuple[str, ...]
    reply: str
    said: str


def wordings(kind: Kind) -> tuple[str, ...]:
    """Every way in which an alert of ``kind`` is asked for."""
    return tuple(f"{opening} {event}." for opening in OPENINGS for event in EVENTS[kind])


def describe(truth: frozenset[Kind]) -> str:
    """The answer to the describing query."""
    seen = [SEEN[kind] for kind in Kind if kind in truth]
    if not seen:
        return NOTHING
    listed = seen[0] if len(seen) == 1 else f"{', '.join(seen[:-1])} and {seen[-1]}"
    return f"I see {listed}."


def reply_to(truth: frozenset[Kind], asked: frozenset[Kind], *, query: bool) -> str:
    """The right reply of one turn under the asked-for kinds."""
    sentences = [describe(truth)] if query else []
    sentences += [ALERT[kind] for kind in Kind if kind in truth & asked]
    return f"{RESPONSE} {' '.join(sentences)}" if sentences else SILENCE


@dataclass(frozen=True, slots=True)
class _Ask:
    kind: Kind
    text: str
    given: int
    cleared: int | None


def sample_turns(rng: np.random.Generator, truth: Sequence[frozenset[Kind]], turns: int, mode: Mode) -> list[Turn]:
    """A random interaction of ``turns`` turns over a random window of a clip's truth.

    Raises ValueError when the clip is shorter than the window.
    """
    if turns > len(truth):
        raise ValueError(f"a window of {turns} turns does not fit a clip of {len(truth)}")
    shown = _shown_turns(rng, len(truth), turns)
    window = [truth[index] for index in shown]
    asks = _sample_asks(rng, window) if mode is Mode.WATCH else []
    queries = _query_turns(rng, len(window), mode)
    mistakes = float(rng.choice(PLANTED, p=PLANTED_CHANCE))
    offset_s = float(rng.integers(0, 201)) if rng.random() < 0.5 else 0.0
    interval_s = float(rng.choice([1.0, 0.5, 2.0], p=[0.9, 0.05, 0.05]))
    out = []
    for index, held in enumerate(window):
        standing = sorted((ask for ask in asks if ask.given <= index and not _is_over(ask, index - 1)), key=_given)
        lines = [ask.text for ask in asks if ask.given == index]
        if gone := [ask for ask in asks if ask.cleared == index]:
            lines += [STOP + ask.text for ask in gone]
            lines += [KEEP + ask.text for ask in standing if ask not in gone]
        lines += [DESCRIBE] if index in queries else []
        asked = frozenset(ask.kind for ask in asks if ask.given <= index and not _is_over(ask, index))
        reply = reply_to(held, asked, query=index in queries)
        said = _mistake(rng, asked, reply) if rng.random() < mistakes and index not in queries else reply
        marker_s = offset_s + (shown[index] - shown[0]) * interval_s
        out.append(Turn(shown[index], marker_s, tuple(lines), reply, said))
    return out


def _given(ask: _Ask) -> int:
    return ask.given


def _is_over(ask: _Ask, index: int) -> bool:
    return ask.cleared is not None and index >= ask.cleared


def _shown_turns(rng: np.random.Generator, available: int, turns: int) -> list[int]:
    """Consecutive clip turns from a random start, in some episodes with a few seconds missing."""
    spare = available - turns
    missing = int(rng.integers(0, min(spare, turns // 6) + 1)) if spare and rng.random() < 0.3 else 0
    start = int(rng.integers(0, spare - missing + 1))
    span = np.arange(start, start + turns + missing)
    dropped = rng.choice(np.arange(1, len(span)), size=missing, replace=False)
    return [int(index) for index in np.delete(span, dropped)]


def _sample_asks(rng: np.random.Generator, window: Sequence[frozenset[Kind]]) -> list[_Ask]:
    kinds = list(Kind)
    occurring = [kind for kind in kinds if any(kind in held for held in window)]
    first = occurring if occurring and rng.random() < 0.6 else kinds
    chosen = [first[rng.integers(len(first))]]
    if rng.random() < 0.5:
        others = [kind for kind in kinds if kind is not chosen[0]]
        chosen.append(others[rng.integers(len(others))])
    return [_sample_ask(rng, kind, len(window)) for kind in chosen]


def _sample_ask(rng: np.random.Generator, kind: Kind, turns: int) -> _Ask:
    texts = wordings(kind)
    given = 0 if rng.random() < 0.75 else int(rng.integers(0, turns))
    cleared = int(rng.integers(given + 1, turns)) if rng.random() < 0.3 and given + 1 < turns else None
    return _Ask(kind, texts[rng.integers(len(texts))], given, cleared)


def _query_turns(rng: np.random.Generator, turns: int, mode: Mode) -> frozenset[int]:
    if mode is Mode.DENSE:
        return frozenset(range(turns))
    count = int(rng.integers(1, 3)) if rng.random() < 0.25 else 0
    return frozenset(int(turn) for turn in rng.integers(0, turns, count))


def _mistake(rng: np.random.Generator, asked: frozenset[Kind], reply: str) -> str:
    if reply != SILENCE:
        return SILENCE
    kinds = [kind for kind in Kind if kind in asked] or list(Kind)
    return f"{RESPONSE} {ALERT[kinds[rng.integers(len(kinds))]]}"
