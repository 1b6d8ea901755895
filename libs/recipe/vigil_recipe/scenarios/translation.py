"""Translation: the French of an English word, once, in the first turn in which the sign shows it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vigil_recipe.scenarios.script import Scenario, Script
from vigil_recipe.scenarios.script_builder import Rank, ScriptBuilder, choose
from vigil_recipe.scenarios.window import Window, runs
from vigil_recipe.text.dialogue import STOP
from vigil_recipe.world.sign import LEXICON

ASKS = (
    "Translate the sign.",
    "Translate the words on the sign.",
    "Say in French what the sign says.",
    "Translate every word into French.",
)
READS = ("What does the sign say?", "Read the sign.", "Which word is on the sign?", "What is written on the sign?")
BLANK = "Nothing."


def compose(rng: np.random.Generator, window: Window) -> Script:
    """A standing request, in some scripts later or cleared, and now and then a question for the English word.

    A word that shows already when the request comes is translated in that turn.
    Raises ValueError when the episode has no sign.
    """
    if window.episode.sign is None:
        raise ValueError("translation needs an episode with a sign: make it with stage=Stage.SIGN")
    builder = ScriptBuilder(window)
    text = choose(rng, ASKS)
    given, cleared = builder.stand(rng, text, at_once=0.75)
    for first, end in _shown(window):
        if max(first, given) < min(end, cleared):
            french = french_of(window.word(first))
            builder.say(max(first, given), french, asked=given, rank=Rank.EVENT, end=min(end, cleared))
    for turn in _turns_to_read(rng, window):
        builder.ask(turn, choose(rng, READS), english_of(window.word(turn)))
    return builder.script(Scenario.TRANSLATION)


def french_of(word: str) -> str:
    """What is said for a word of the sign."""
    return f"{LEXICON[word].capitalize()}."


def english_of(word: str) -> str:
    """The answer to what the sign says: the word itself, not its translation."""
    return f"{word.capitalize()}." if word else BLANK


def texts() -> Iterator[str]:
    """All that is read or written."""
    yield BLANK
    yield from READS
    for text in ASKS:
        yield from (text, STOP + text)
    for word in LEXICON:
        yield from (french_of(word), english_of(word))


def _turns_to_read(rng: np.random.Generator, window: Window) -> list[int]:
    """No turn to two; a blank sign is asked about less often than a word."""
    turns = rng.choice(window.turns, size=int(rng.integers(0, 3)), replace=False)
    return [int(turn) for turn in turns if window.word(int(turn)) or rng.random() < 0.3]


def _shown(window: Window) -> tuple[tuple[int, int], ...]:
    """The turns in which a word shows; blanks keep any two words apart."""
    return runs([bool(window.word(turn)) for turn in range(window.turns)])
