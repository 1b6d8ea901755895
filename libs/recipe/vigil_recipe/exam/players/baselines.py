"""Baselines on the same weights: assistants that look every few seconds, or only when they are asked.

All three go straight to the engine with the prompt layout that the weights were trained on. Those that hold a
conversation are told the memory line at its beginning, as the system is; a window of frames has no memory. A delegated
question is answered by the background as in the system; its result line is a new question. What a module tells waits
for the next look, for as long as it does in the system.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vigil.core.control import SILENCE
from vigil_recipe.exam.players.background import Background
from vigil_recipe.exam.players.engine import Engine, Shown
from vigil_recipe.exam.players.pictures import Album
from vigil_recipe.exam.scoring.transcript import Heard, Transcript
from vigil_recipe.scenarios import Line, Said, Script, ScriptTurn
from vigil_recipe.text.dialogue import STOP

POLL_S = 5
FRAMES = 4
TOLD_TURNS = 10  # how long what a module tells waits to be shown


@dataclass(frozen=True, slots=True)
class Moment:
    """What a player may see in one turn: the standing instructions with it, what is newly asked, what modules tell."""

    turn: int
    time_s: float
    standing: tuple[str, ...]
    asked: tuple[str, ...]
    observed: tuple[str, ...]


class _ScriptReader:
    """A script's lines as they come, turn by turn, with results when they were called for."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.album = Album(script)
        self.background = Background(script.results)
        self._standing: tuple[str, ...] = ()

    def moment(self, turn: int) -> tuple[Moment, tuple[str, ...]]:
        """The next turn, and the result lines that come in it."""
        script_turn, results = self._script.turns[turn], self.background.due(turn)
        self._standing = still_standing(self._standing, script_turn.lines)
        time_s = float(script_turn.second - self._script.turns[0].second)
        asked = (*texts(script_turn, Said.QUESTION), *results)
        return Moment(turn, time_s, self._standing, asked, self.observed(turn)), results

    def observed(self, *turns: int) -> tuple[str, ...]:
        """What modules tell in these turns."""
        return tuple(text for turn in turns for text in texts(self._script.turns[turn], Said.OBSERVATION))

    def heard(self, turn: int, heard_turn: Heard, results: tuple[str, ...]) -> Heard:
        """Note what was delegated."""
        self.background.take(turn, heard_turn.output.question)
        return replace(heard_turn, results=results)


def texts(turn: ScriptTurn, *kinds: Said) -> tuple[str, ...]:
    """The turn's lines of these kinds."""
    return tuple(line.text for line in turn.lines if line.said in kinds)


def still_standing(before: Sequence[str], lines: Sequence[Line]) -> tuple[str, ...]:
    """The standing instructions after these lines."""
    standing = list(before)
    for line in lines:
        if line.said is Said.INSTRUCTION:
            standing.append(line.text)
        elif line.said is Said.CLEARING:
            standing = [instruction for instruction in standing if instruction != line.text.removeprefix(STOP)]
    return tuple(standing)


@dataclass(frozen=True, slots=True)
class Polling:
    """A turn-based model behind a timer.

    Sees: from the user's first line on, every fifth second the picture of that second; and the picture of a second in
    which the user says something; all with the whole conversation so far, the memory line first. Nothing in between.
    """

    engine: Engine
    every: int = POLL_S
    name: str = "polling"

    async def play(self, script: Script) -> Transcript:
        """Play the whole script."""
        return await _converse(self.engine, script, self.every)


@dataclass(frozen=True, slots=True)
class AskOnly:
    """A video-call assistant that looks when it is spoken to.

    Sees: the picture of a second in which the user says something, a question or an instruction, with the whole
    conversation so far (the memory line, what was said, those pictures, its replies). In all other seconds it is not
    run at all, so an instruction is answered once, when it is given.
    """

    engine: Engine
    name: str = "ask_only"

    async def play(self, script: Script) -> Transcript:
        """Play the whole script."""
        return await _converse(self.engine, script, every=0)


async def _converse(engine: Engine, script: Script, every: int) -> Transcript:
    """A conversation that goes on when the user says something and, where ``every`` is not 0, every so many seconds."""
    reader, turns = _ScriptReader(script), []
    said: list[Shown] = []
    looked = -1
    for index, script_turn in enumerate(script.turns):
        now, results = reader.moment(index)
        heard = Heard(now.time_s, SILENCE)
        lines = (*texts(script_turn, Said.INSTRUCTION, Said.CLEARING, Said.KEPT), *now.asked)
        if lines or (every and said and index % every == 0):
            lines = (*reader.observed(*range(max(looked + 1, index - TOLD_TURNS), index + 1)), *lines)
            looked = index
            told = (script.memory, *lines) if script.memory and not said else lines
            shown = Shown(told, now.time_s, await reader.album.model(index))
            heard = await engine.reply([*said, shown])
            said.append(replace(shown, reply=heard.reply))
        turns.append(reader.heard(index, heard, results))
    return Transcript(tuple(turns))


@dataclass(frozen=True, slots=True)
class LastFrames:
    """A window instead of a history (SimpleStream, arXiv 2604.02317).

    Sees, every second: the pictures of the last four seconds, each in a user turn of its own as training shows them,
    with silence as the replies between; the standing instructions before the oldest of them, and the questions since it
    last spoke, which may ask for what is still to come; the questions of this second with the newest. Not what was said
    or seen before; no memory. Without any line it is not run.
    """

    engine: Engine
    frames: int = FRAMES
    name: str = "last_4_frames"

    async def play(self, script: Script) -> Transcript:
        """Play the whole script."""
        reader, turns = _ScriptReader(script), []
        began = script.turns[0].second
        waiting: tuple[str, ...] = ()
        for index in range(len(script.turns)):
            now, results = reader.moment(index)
            heard = Heard(now.time_s, SILENCE)
            if now.standing or waiting or now.asked:
                first = max(0, index - self.frames + 1)
                shown = [
                    Shown(
                        reader.observed(past),
                        float(script.turns[past].second - began),
                        await reader.album.model(past),
                        SILENCE,
                    )
                    for past in range(first, index + 1)
                ]
                shown[-1] = replace(shown[-1], lines=(*now.observed, *now.asked))
                shown[0] = replace(shown[0], lines=(*now.standing, *waiting, *shown[0].lines))
                heard = await self.engine.reply(shown)
            waiting = (*waiting, *now.asked) if heard.reply == SILENCE else ()
            turns.append(reader.heard(index, heard, results))
        return Transcript(tuple(turns))
