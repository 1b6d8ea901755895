"""Hand-made scripts and transcripts for the exam's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vigil.core.control import SILENCE
from vigil.core.probability import Probabilities
from vigil_recipe.exam.scoring.dues import lines_of
from vigil_recipe.exam.scoring.transcript import AlertSeen, Heard, Transcript
from vigil_recipe.scenarios import Due, Line, Result, Said, Scenario, Script, ScriptTurn
from vigil_recipe.world import Split, make_episode

TURNS = 20


def script(
    scenario: Scenario = Scenario.ALERTING,
    dues: Sequence[Due] = (),
    lines: Mapping[int, Sequence[Line]] | None = None,
    results: Sequence[Result] = (),
    memory: str = "",
    turns: int = TURNS,
    seed: int = 0,
) -> Script:
    """A script of ``turns`` seconds; its right replies are not filled in, since scores do not read them."""
    said = lines or {}
    made = tuple(ScriptTurn(second, tuple(said.get(second, ())), SILENCE) for second in range(turns))
    episode = make_episode(seed, Split.VALIDATION, turns)
    return Script(scenario, episode, made, tuple(dues), tuple(results), memory)


def transcript(
    replies: Mapping[int, str],
    results: Mapping[int, tuple[str, ...]] | None = None,
    alerts: Sequence[AlertSeen] = (),
    turns: int = TURNS,
    p_silent: float = 0.9,
) -> Transcript:
    """What was said in some turns; silence in the others."""
    came = results or {}
    heard = [
        Heard(
            float(turn),
            replies.get(turn, SILENCE),
            Probabilities(1 - p_silent, p_silent, 0.0) if turn in replies else Probabilities(p_silent, 1 - p_silent, 0),
            10.0,
            came.get(turn, ()),
        )
        for turn in range(turns)
    ]
    return Transcript(tuple(heard), tuple(alerts))


def right(played_script: Script) -> Transcript:
    """A script's own right course as if it had been played."""
    heard = [
        Heard(float(turn.second), turn.reply, None, 0.0, lines_of(played_script, index, Said.RESULT))
        for index, turn in enumerate(played_script.turns)
    ]
    return Transcript(tuple(heard))


def instruction(text: str) -> Line:
    """A standing instruction."""
    return Line(Said.INSTRUCTION, text)


def question(text: str) -> Line:
    """A question."""
    return Line(Said.QUESTION, text)
