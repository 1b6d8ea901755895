"""What was said against what was due: a one-to-one match, closest in time first. Pure.

A due that is said once (an answer, a count, a comment) meets an utterance of exactly its words, from two turns before
its best turn (never before it was asked for) to two turns after, or to the end of its span where that is longer. What
says its words again within that time is a duplicate.

A watched condition is said in every turn while it holds, so what counts is its onset: the first turn of its span in
which it is said. Words that begin up to two turns early are early, and words that go on up to two turns too long are
forgiven, but not after the instruction was taken back; all others are false alarms, one for each uninterrupted run of
them. Falling silent for three turns within the span and speaking again is a duplicate: a product would raise a second
alert.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vigil_recipe.exam.scoring.utterances import Utterance
from vigil_recipe.scenarios import Due

EARLY_TURNS = 2
LATE_TURNS = 2
QUIET_TURNS = 3


@dataclass(frozen=True, slots=True)
class Match:
    """A due that was heard, at ``turn``."""

    due: Due
    turn: int

    @property
    def lag(self) -> int:
        """Turns after the best one; negative when early."""
        return self.turn - self.due.first


@dataclass(frozen=True, slots=True)
class Matched:
    """Every due is in ``matches`` or ``missed``. ``wrong`` are other words in the time of a missed due, at most one
    for each; ``false`` is everything else that was said, a run of the same words counted once."""

    matches: tuple[Match, ...]
    missed: tuple[Due, ...]
    duplicates: tuple[Utterance, ...]
    wrong: tuple[Utterance, ...]
    false: tuple[Utterance, ...]

    @property
    def said(self) -> int:
        """How many things were said in all."""
        return len(self.matches) + len(self.duplicates) + len(self.wrong) + len(self.false)


def window(due: Due) -> range:
    """The turns in which a due that is said once can be met."""
    return range(max(due.asked, due.first - EARLY_TURNS, 0), max(due.end, due.first + LATE_TURNS + 1))


def match(dues: Sequence[Due], said: Sequence[Utterance], cleared: Collection[int] = ()) -> Matched:
    """Match what was said with what was due. In the turns ``cleared`` an instruction was taken back."""
    repeated = _repeated([due for due in dues if due.repeats], said, cleared)
    rest = [utterance for utterance in said if utterance not in repeated.used]
    once = [due for due in dues if not due.repeats]
    matches = _closest(once, rest)
    taken = {id(utterance) for _, utterance in matches}
    rest = [utterance for utterance in rest if id(utterance) not in taken]
    met = {id(due) for due, _ in matches}
    missed = [due for due in once if id(due) not in met]
    asked_for = {due.text for due in dues}
    wrong = _answers_beside(missed, [utterance for utterance in rest if utterance.text not in asked_for])
    duplicates = [
        utterance
        for utterance in rest
        if any(_says(utterance, due) and utterance.turn in window(due) for due, _ in matches)
    ]
    set_apart = {id(utterance) for utterance in (*wrong, *duplicates)}
    false = [utterance for utterance in rest if id(utterance) not in set_apart]
    return Matched(
        matches=tuple(sorted((*repeated.matches, *(Match(due, found.turn) for due, found in matches)), key=_by_turn)),
        missed=(*repeated.missed, *missed),
        duplicates=(*repeated.duplicates, *duplicates),
        wrong=tuple(wrong),
        false=tuple(_runs(false, once)),
    )


def _by_turn(matched: Match) -> tuple[int, int]:
    return matched.turn, matched.due.first


def _says(utterance: Utterance, due: Due) -> bool:
    return (utterance.text, utterance.question) == (due.text, due.question)


def _says_any(utterance: Utterance, dues: Iterable[Due]) -> bool:
    return any(_says(utterance, due) for due in dues)


def _closest(dues: Sequence[Due], said: Sequence[Utterance]) -> list[tuple[Due, Utterance]]:
    """Greedy: the pair that is closest in time first, the earlier due and then the earlier words where equal."""
    pairs = [
        (due, utterance)
        for due in dues
        for utterance in said
        if utterance.turn in window(due) and _says(utterance, due)
    ]
    pairs.sort(key=lambda pair: (abs(pair[1].turn - pair[0].first), pair[0].first, pair[1].turn))
    chosen: list[tuple[Due, Utterance]] = []
    used: set[int] = set()
    for due, utterance in pairs:
        if id(due) not in used and id(utterance) not in used:
            used |= {id(due), id(utterance)}
            chosen.append((due, utterance))
    return chosen


def _answers_beside(missed: Sequence[Due], said: Sequence[Utterance]) -> list[Utterance]:
    """For each missed due the first other words from its best turn on, while its time lasts."""
    found: list[Utterance] = []
    for due in missed:
        left = [
            utterance
            for utterance in said
            if utterance.turn in window(due) and utterance.turn >= due.first and utterance not in found
        ]
        found += left[:1]
    return found


def _runs(said: Sequence[Utterance], once: Sequence[Due]) -> list[Utterance]:
    """The first utterance of each run of the same words. Words that are due once are each an utterance of their own."""
    last: dict[tuple[str, str], int] = {}
    found = []
    for utterance in said:
        key = (utterance.text, utterance.question)
        alone = _says_any(utterance, once)
        if alone or key not in last or utterance.turn - last[key] > QUIET_TURNS:
            found.append(utterance)
        last[key] = utterance.turn
    return found


@dataclass(frozen=True, slots=True)
class _Repeated:
    matches: list[Match]
    missed: list[Due]
    duplicates: list[Utterance]
    used: list[Utterance]


def latest(due: Due, cleared: Collection[int]) -> int:
    """The turn from which on words of a watched condition are too late for its onset."""
    return due.end if due.end in cleared else max(due.end, due.first + LATE_TURNS + 1)


def _repeated(dues: Sequence[Due], said: Sequence[Utterance], cleared: Collection[int]) -> _Repeated:
    """Onsets of watched conditions, with every utterance that belongs to one."""
    found = _Repeated([], [], [], [])
    for text in dict.fromkeys(due.text for due in dues):
        spans = sorted((due for due in dues if due.text == text), key=lambda due: due.first)
        spoken = {utterance.turn: utterance for utterance in said if utterance.text == text}
        for due in spans:
            earlier = [other for other in spans if other.first < due.first]
            own = _own_turns(due, earlier, sorted(spoken), cleared)
            found.used.extend(spoken[turn] for turn in own)
            heard = [turn for turn in own if turn < latest(due, cleared)]
            if not heard or any(match.due.text == text and match.turn == heard[0] for match in found.matches):
                found.missed.append(due)
                continue
            found.matches.append(Match(due, heard[0]))
            again = [later for before, later in pairwise(heard) if later - before > QUIET_TURNS]
            found.duplicates.extend(spoken[turn] for turn in again)
    return found


def _own_turns(due: Due, earlier: Sequence[Due], spoken: Sequence[int], cleared: Collection[int]) -> list[int]:
    """The turns among ``spoken`` that belong to ``due``: its span, its forgiven end, and an early beginning."""
    first = due.first
    turns = [turn for turn in spoken if first <= turn < _forgiven(due, cleared)]
    tails = {turn for other in earlier for turn in range(other.first, _forgiven(other, cleared))}
    early = [turn for turn in spoken if max(due.asked, first - EARLY_TURNS) <= turn < first and turn not in tails]
    goes_on = bool(early) and early[0] - 1 in spoken  # it did not begin early: it was being said for other reasons
    return early + turns if early and not goes_on else turns


def _forgiven(due: Due, cleared: Collection[int]) -> int:
    """The turn from which on words of a watched condition are a false alarm."""
    return due.end if due.end in cleared else max(due.end, due.first + 1) + LATE_TURNS
