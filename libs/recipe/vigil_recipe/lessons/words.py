"""Lessons in words alone for what the scenarios ask too seldom: to copy, to look up, to remember, to reckon with time.

A small model learns such skills late, and only where nearly every token it learns depends on them: so something is
asked in every turn. Random words make sure that nothing but copying helps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from vigil_recipe.scenarios import all_texts
from vigil_recipe.scenarios.chat import UNKNOWN
from vigil_recipe.scenarios.commentary import CHANGE
from vigil_recipe.scenarios.delegation import HOLDING
from vigil_recipe.scenarios.memory import TOPICS, draw_facts, memory_line
from vigil_recipe.scenarios.script_builder import choose
from vigil_recipe.scenarios.timing import HOW_LONG, lasted
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import DELEGATION, RESPONSE, SILENCE
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Kind

REPEAT, NOTES, START, SINCE = "Repeat:", "Notes:", "Start.", "How long is it now?"
MOST_WORDS = 10
PAIRS = range(2, 7)
EARLY_S, LATEST_S = 40, 600
LONGEST_S, LONGEST_STEP_S = 24, 3
BEGIN_SHARE = 0.6
ASKED_SHARE = 0.6  # of the turns in which something can be asked about a time that has passed


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Every word that the scenarios use, once, in lower case and without punctuation."""
    words = {word.strip(".,?!:'").lower() for text in all_texts() for word in text.split()}
    return tuple(sorted(word for word in words if word.isalpha()))


def echo(rng: np.random.Generator, turns: int) -> tuple[Exchange, ...]:
    """In every turn random words, to be said again; in some they are delegated instead, behind a holding reply."""
    out = []
    for second in _seconds(rng, turns):
        text = " ".join(_words(rng, int(rng.integers(1, MOST_WORDS + 1))))
        if rng.random() < 0.3:
            question = f"{text.capitalize()}?"
            out.append(_exchange(second, question, f"{RESPONSE} {HOLDING} {DELEGATION} {question}"))
        else:
            out.append(_exchange(second, f"{REPEAT} {text}", f"{RESPONSE} {text}"))
    return tuple(out)


def recall(rng: np.random.Generator, turns: int) -> tuple[Exchange, ...]:
    """Notes of one to three words under one word each, asked for in every turn; at times the notes change."""
    out: list[Exchange] = []
    notes: dict[str, str] = {}
    for second in _seconds(rng, turns):
        lines = []
        if not notes or rng.random() < 0.15:
            notes = _notes(rng)
            lines.append(" ".join([NOTES, *(f"{key} {value}." for key, value in notes.items())]))
        key = choose(rng, tuple(notes))
        lines.append(f"{key.capitalize()}?")
        out.append(_exchange(second, "\n".join(lines), f"{RESPONSE} {notes[key].capitalize()}."))
    return tuple(out)


def since(rng: np.random.Generator, turns: int) -> tuple[Exchange, ...]:
    """The seconds since the last start, asked in most turns; some turns are missing, as when a camera was slow."""
    out: list[Exchange] = []
    second, started = first_second(rng), -1
    for _ in range(turns):
        if started < 0 or rng.random() < 0.12 or second - started > LONGEST_S:
            started = second
            out.append(_exchange(second, START, SILENCE))
        elif rng.random() < ASKED_SHARE:
            out.append(_exchange(second, SINCE, f"{RESPONSE} {lasted(second - started)}"))
        else:
            out.append(_quiet(second))
        second += _step(rng)
    return tuple(out)


def spans(rng: np.random.Generator, turns: int) -> tuple[Exchange, ...]:
    """What begins and ends is told, and it is asked how long each of those that are over lasted.

    Each duration is asked for once. A model would copy an answer that it has given already, not compute it.
    """
    out: list[Exchange] = []
    second = first_second(rng)
    began: dict[Kind, int] = {}
    ends: dict[Kind, int] = {}
    took: dict[Kind, int] = {}
    for _ in range(turns):
        over = [kind for kind in began if second >= ends[kind]]
        idle = [kind for kind in Kind if kind not in began]
        if over:
            took[over[0]] = second - began.pop(over[0])
            out.append(_exchange(second, CHANGE[over[0], False], SILENCE))
        elif took and rng.random() < ASKED_SHARE:
            kind = choose(rng, tuple(took))
            out.append(_exchange(second, choose(rng, HOW_LONG[kind]), f"{RESPONSE} {lasted(took.pop(kind))}"))
        elif idle and rng.random() < BEGIN_SHARE:
            kind = choose(rng, idle)
            began[kind], ends[kind] = second, second + int(rng.integers(1, LONGEST_S - len(Kind) * LONGEST_STEP_S))
            took.pop(kind, None)
            out.append(_exchange(second, CHANGE[kind, True], SILENCE))
        else:
            out.append(_quiet(second))
        second += _step(rng)
    return tuple(out)


def remembering(rng: np.random.Generator, turns: int) -> tuple[Exchange, ...]:
    """A memory, and in every turn a question about it; of one that it does not hold now and then."""
    known = draw_facts(rng)
    out: list[Exchange] = []
    for second in _seconds(rng, turns):
        topic = choose(rng, tuple(known) if rng.random() < 0.93 else tuple(TOPICS))
        answer = known[topic][1].answer if topic in known else UNKNOWN
        lines = [] if out else [memory_line(known)]
        lines.append(choose(rng, TOPICS[topic].questions))
        out.append(_exchange(second, "\n".join(lines), f"{RESPONSE} {answer}"))
    return tuple(out)


LESSONS_IN_WORDS: dict[str, Callable[[np.random.Generator, int], tuple[Exchange, ...]]] = {
    "echo": echo,
    "recall": recall,
    "since": since,
    "spans": spans,
    "remembering": remembering,
}


def first_second(rng: np.random.Generator) -> int:
    """Where the time markers of a lesson begin: a session's first minute is learnt as often as all that follows.

    Computing with numbers of one or two digits is learnt apart from computing with three.
    """
    return int(rng.integers(LATEST_S)) if rng.random() < 0.5 else int(rng.integers(EARLY_S))


def _notes(rng: np.random.Generator) -> dict[str, str]:
    keys = rng.choice(vocabulary(), int(rng.integers(PAIRS.start, PAIRS.stop)), replace=False)
    return {str(key): " ".join(_words(rng, int(rng.integers(1, 4)))) for key in keys}


def _words(rng: np.random.Generator, count: int) -> Sequence[str]:
    return [str(int(rng.integers(1000))) if rng.random() < 0.2 else choose(rng, vocabulary()) for _ in range(count)]


def _seconds(rng: np.random.Generator, turns: int) -> Sequence[int]:
    first = first_second(rng)
    return range(first, first + turns)


def _step(rng: np.random.Generator) -> int:
    """Seconds to the next turn: mostly one, more where turns are missing."""
    return 1 if rng.random() < 0.85 else int(rng.integers(2, LONGEST_STEP_S + 1))


def _quiet(second: int) -> Exchange:
    return Exchange(prompt_format.user_text((), float(second), ()), SILENCE, SILENCE)


def _exchange(second: int, line: str, reply: str) -> Exchange:
    return Exchange(prompt_format.user_text((line,), float(second), ()), reply, reply)
