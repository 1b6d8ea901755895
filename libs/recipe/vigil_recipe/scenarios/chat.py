"""Chat over a scene: small talk with fixed short answers, and follow-ups that depend on what was said before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vigil_recipe.scenarios.questions import NO, YES, present
from vigil_recipe.scenarios.script import Scenario, Script
from vigil_recipe.scenarios.script_builder import ScriptBuilder, choose
from vigil_recipe.scenarios.window import Window

UNKNOWN = "I do not know."
SMALL_TALK: dict[str, tuple[str, ...]] = {
    "Hello.": ("Hello.", "Hi.", "Hi there.", "Good morning.", "Good evening."),
    "You are welcome.": ("Thank you.", "Thanks.", "Thanks a lot.", "That was helpful."),
    "I am Vigil.": ("What is your name?", "Who are you?", "What are you called?", "Tell me your name."),
    "I am fine.": ("How are you?", "How do you do?", "Are you well?", "How is it going?"),
    "I watch your camera.": ("What can you do?", "What do you do?", "What is your task?", "How can you help me?"),
    "Goodbye.": ("Goodbye.", "Bye.", "See you later.", "Good night."),
}
NAMES = ("Mira", "Tom", "Ana", "Leo", "Nina", "Omar", "Eva", "Paul", "Lena", "Sam", "Ida", "Max")
COLOURS = ("red", "blue", "green", "yellow", "black", "white", "brown", "orange")
MY_NAME = ("My name is {}.", "I am {}.", "Call me {}.", "I am called {}.")
WHICH_NAME = ("What is my name?", "Who am I?", "Do you know my name?", "What am I called?")
MY_COLOUR = ("My favourite colour is {}.", "I like {} best.", "The colour I like is {}.", "My colour is {}.")
WHICH_COLOUR = (
    "What is my favourite colour?",
    "Which colour do I like?",
    "What is my colour?",
    "Which colour is mine?",
)
REPEAT = ("Say that again.", "Please repeat.", "What did you say?", "Once more, please.")
TOPICS = ("talk", "talk", "name", "name", "colour", "colour", "repeat", "present", "present")


def compose(rng: np.random.Generator, window: Window) -> Script:
    """Three or more exchanges, one in every four turns or so, each answered in its own turn."""
    builder = ScriptBuilder(window)
    count = max(3, window.turns // int(rng.integers(3, 7)))
    turns = sorted(int(turn) for turn in rng.choice(window.turns, size=min(count, window.turns), replace=False))
    talk = _Talk(rng, builder)
    for turn in turns:
        talk.exchange(turn)
    return builder.script(Scenario.CHAT)


def texts() -> Iterator[str]:
    """All that is read or written."""
    yield from (UNKNOWN, YES, NO, *REPEAT, *WHICH_NAME, *WHICH_COLOUR)
    for answer, said in SMALL_TALK.items():
        yield from (answer, *said)
    for name in NAMES:
        yield from (nice_to_meet(name), your_name(name), *(text.format(name) for text in MY_NAME))
    for colour in COLOURS:
        yield from (noted(colour), f"{colour.capitalize()}.", *(text.format(colour) for text in MY_COLOUR))


def nice_to_meet(name: str) -> str:
    """The answer to a name."""
    return f"Nice to meet you, {name}."


def your_name(name: str) -> str:
    """The answer to who the user is."""
    return f"Your name is {name}."


def noted(colour: str) -> str:
    """The answer to a favourite colour."""
    return f"I like {colour} too."


class _Talk:
    """What has been said so far, on which the next answers depend."""

    def __init__(self, rng: np.random.Generator, builder: ScriptBuilder) -> None:
        self._rng, self._sheet = rng, builder
        self._name, self._colour, self._last = "", "", ""

    def exchange(self, turn: int) -> None:
        """One line of the user and its answer, which "say that again" will repeat."""
        said, answer = self._line(turn)
        self._last = answer
        self._sheet.ask(turn, said, answer)

    def _line(self, turn: int) -> tuple[str, str]:
        topic = choose(self._rng, TOPICS)
        if topic == "name":
            return self._about_name()
        if topic == "colour":
            return self._about_colour()
        if topic == "repeat" and self._last:
            return choose(self._rng, REPEAT), self._last
        if topic == "present":
            return present(self._rng, self._sheet.window.truth(turn))
        answer = choose(self._rng, tuple(SMALL_TALK))
        return choose(self._rng, SMALL_TALK[answer]), answer

    def _about_name(self) -> tuple[str, str]:
        if self._rng.random() < (0.65 if self._name else 0.15):
            return choose(self._rng, WHICH_NAME), your_name(self._name) if self._name else UNKNOWN
        self._name = choose(self._rng, NAMES)
        return choose(self._rng, MY_NAME).format(self._name), nice_to_meet(self._name)

    def _about_colour(self) -> tuple[str, str]:
        if self._rng.random() < (0.65 if self._colour else 0.15):
            return choose(self._rng, WHICH_COLOUR), f"{self._colour.capitalize()}." if self._colour else UNKNOWN
        self._colour = choose(self._rng, COLOURS)
        return choose(self._rng, MY_COLOUR).format(self._colour), noted(self._colour)
