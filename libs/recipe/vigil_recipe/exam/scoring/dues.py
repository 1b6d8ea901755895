"""What was due when a script was played: a result comes after the model has delegated, not when it should have.

Pure. A script has each RESULT line in the turn in which it comes if all goes right. Where it came in another turn, what
it calls for is due from that turn on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vigil_recipe.exam.scoring.transcript import Transcript
from vigil_recipe.scenarios import Due, Said, Script


def lines_of(script: Script, turn: int, *kinds: Said) -> tuple[str, ...]:
    """The texts of one turn's lines of these kinds."""
    return tuple(line.text for line in script.turns[turn].lines if line.said in kinds)


def called_by(script: Script, due: Due, kind: Said) -> bool:
    """Whether a line of this kind called for the due. Where a turn has several lines, any of them counts."""
    return due.asked < len(script.turns) and bool(lines_of(script, due.asked, kind))


def is_result(script: Script, due: Due) -> bool:
    """Whether the due tells what the background answered."""
    return not due.repeats and not due.question and called_by(script, due, Said.RESULT)


def actual_dues(script: Script, transcript: Transcript) -> tuple[Due, ...]:
    """The script's dues, those of a result moved to where the result came. One that never came stays, as missed."""
    came = {text: turn for turn, heard in enumerate(transcript.turns) for text in heard.results}
    return tuple(_moved(script, due, came) if is_result(script, due) else due for due in script.dues)


def _moved(script: Script, due: Due, came: dict[str, int]) -> Due:
    turns = [came[text] for text in lines_of(script, due.asked, Said.RESULT) if text in came]
    by = turns[0] - due.asked if turns else 0
    return replace(due, asked=due.asked + by, first=due.first + by, end=due.end + by)


def speaking_turns(dues: Sequence[Due], turns: int) -> tuple[bool, ...]:
    """Whether each turn is one to speak in: the best turn of what is said once, every turn of a watched condition."""
    right = {turn for due in dues for turn in (range(due.first, due.end) if due.repeats else (due.first,))}
    return tuple(turn in right for turn in range(turns))
