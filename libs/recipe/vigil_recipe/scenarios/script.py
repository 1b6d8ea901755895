"""Scripts: what a user says during an episode, and what is right to answer, second by second.

A script is one interaction over one episode. Training shows it with its right replies as history; the exam sends its
lines to a running system, which answers freely, and scores the answers against ``dues``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vigil_recipe.world import Episode


class Scenario(StrEnum):
    """The scenario families of the paper (section 5) and of its training data (section 3), and `MODULES`, of modules
    that tell what no picture shows (section 4.2)."""

    ALERTING = "alerting"
    COUNTING = "counting"
    TIMING = "timing"
    TRANSLATION = "translation"
    COMMENTARY = "commentary"
    MEMORY = "memory"
    QUESTIONS = "questions"
    CHAT = "chat"
    DELEGATION = "delegation"
    MODULES = "modules"


# What the shipped weights were trained on: an exam is of these unless it names others, and its targets are theirs.
TAUGHT = tuple(scenario for scenario in Scenario if scenario is not Scenario.MODULES)


class Said(StrEnum):
    """The kinds of line. Each is one plain line of the model's user turn."""

    INSTRUCTION = "instruction"  # stands until it is cleared
    CLEARING = "clearing"
    KEPT = "kept"  # a watch that stands, named again after a clearing
    QUESTION = "question"
    RESULT = "result"  # of a question that was delegated
    OBSERVATION = "observation"  # told by a module, not by the user


class Purpose(StrEnum):
    """Why a script has an observation: something due needs it, or it is a control that must change nothing."""

    NEEDED = "needed"
    IRRELEVANT = "irrelevant"  # nobody asks for it
    AGREEING = "agreeing"  # says what the picture shows, by which the model goes
    CONTRADICTING = "contradicting"  # says what the picture does not show
    INSTRUCTING = "instructing"  # its text is an instruction, which is data here


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a user turn, as the model reads it, without its newline."""

    said: Said
    text: str


@dataclass(frozen=True, slots=True)
class ScriptTurn:
    """One second: the episode's second that it shows, the user's new lines, the right reply in its control form."""

    second: int
    lines: tuple[Line, ...]
    reply: str


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to say: right in the turns ``first`` to before ``end`` (indices into the script), best at ``first``.

    ``asked`` is the turn of the line that called for it. ``text`` is what is to be heard; ``question`` is what must be
    delegated with it, empty when it is to be answered inline. ``repeats`` says that it is to be said in every turn of
    the span (a watched condition), not once.
    """

    asked: int
    first: int
    end: int
    text: str
    question: str = ""
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What the background answers to a delegated ``question``: a line that comes ``delay`` turns after it."""

    question: str
    delay: int
    line: Line


@dataclass(frozen=True, slots=True)
class Observed:
    """What a module tells in a turn. ``dues`` are what it is needed for; ``confidence`` is from 0 to 1."""

    turn: int
    module: str
    kind: str
    text: str
    purpose: Purpose
    confidence: float | None = None
    dues: tuple[Due, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """One interaction. ``memory`` is what an earlier chunk left behind, shown before the first turn; may be empty.

    ``observations`` are by turn; each also stands among its turn's lines, as the model reads it.

    ``turns`` hold the right replies, and each RESULT line in the turn in which it comes if the model delegates in time.
    A player of a running system ignores those lines and sends ``results`` after the model has really delegated.
    """

    scenario: Scenario
    episode: Episode
    turns: tuple[ScriptTurn, ...]
    dues: tuple[Due, ...]
    results: tuple[Result, ...] = ()
    memory: str = ""
    observations: tuple[Observed, ...] = ()
