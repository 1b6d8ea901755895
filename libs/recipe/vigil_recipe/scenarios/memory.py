"""Memory: questions whose answer lies in the memory text of an earlier hour and never in the frames."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from vigil_recipe.scenarios.chat import COLOURS, UNKNOWN
from vigil_recipe.scenarios.questions import add_present
from vigil_recipe.scenarios.script import Scenario, Script
from vigil_recipe.scenarios.script_builder import ScriptBuilder, choose
from vigil_recipe.scenarios.summary import PAST
from vigil_recipe.scenarios.window import Window
from vigil_recipe.world import Kind

OPENING = "Memory:"
PLACES = (
    "on the shelf",
    "on the table",
    "in the drawer",
    "in the box",
    "under the chair",
    "by the door",
    "on the floor",
    "in the car",
)
MOST_S = 600
MOST_PEOPLE = 9
NO_MEMORY = 0.12
NOT_REMEMBERED = 0.06  # of the topics that the memory does not hold


@dataclass(frozen=True, slots=True)
class Fact:
    """One remembered thing: its sentence after the time, and the answer to every question about it."""

    sentence: str
    answer: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What facts are about: how one is drawn for a time, and the questions about it."""

    draw: Callable[[np.random.Generator, int], Fact]
    questions: tuple[str, ...]


def _coloured(sentence: str, rng: np.random.Generator, _second: int) -> Fact:
    colour = choose(rng, COLOURS)
    return Fact(sentence.format(colour), f"{colour.capitalize()}.")


def _placed(sentence: str, rng: np.random.Generator, _second: int) -> Fact:
    place = choose(rng, PLACES)
    return Fact(sentence.format(place), f"{place.capitalize()}.")


def _numbered(sentence: str, rng: np.random.Generator, _second: int) -> Fact:
    number = int(rng.integers(2, MOST_PEOPLE + 1))
    return Fact(sentence.format(number), f"{number}.")


def _timed(sentence: str, _rng: np.random.Generator, second: int) -> Fact:
    return Fact(sentence, f"At {second} seconds.")


def _colour_topic(thing: str, sentence: str) -> Topic:
    questions = (
        f"What colour was the {thing}?",
        f"Which colour was the {thing}?",
        f"What was the colour of the {thing}?",
        f"Tell me the colour of the {thing}.",
    )
    return Topic(partial(_coloured, sentence), questions)


def _time_topic(event: str, asked: str, sentence: str) -> Topic:
    questions = (
        f"When did {event} {asked}?",
        f"At what time did {event} {asked}?",
        f"At which second did {event} {asked}?",
        f"What was the time when {sentence}?",
    )
    return Topic(partial(_timed, sentence), questions)


def _place_topic(things: str) -> Topic:
    verb = "are" if things.endswith("s") else "is"
    questions = (
        f"Where {verb} the {things}?",
        f"Tell me where the {things} {verb}.",
        f"Do you know where the {things} {verb}?",
        f"In which place {verb} the {things}?",
    )
    return Topic(partial(_placed, f"someone put the {things} {{}}"), questions)


def _number_topic(who: str) -> Topic:
    questions = (
        f"How many {who} came in?",
        f"Tell me how many {who} came in.",
        f"What was the number of {who}?",
        f"How many {who} were there?",
    )
    return Topic(partial(_numbered, f"{{}} {who} came in"), questions)


TOPICS: dict[str, Topic] = {
    "bag": _colour_topic("bag", "a {} bag was left"),
    "coat": _colour_topic("coat", "a man with a {} coat came in"),
    "car": _colour_topic("car", "a {} car stopped"),
    "keys": _place_topic("keys"),
    "phone": _place_topic("phone"),
    "people": _number_topic("people"),
    "bell": _time_topic("the bell", "ring", "the bell rang"),
    "fire": _time_topic("the fire", "start", PAST[Kind.FIRE, True]),
    "fall": _time_topic("someone", "fall", PAST[Kind.FALL, True]),
}


def compose(rng: np.random.Generator, window: Window) -> Script:
    """Two to four facts, as many questions at most some turns later, at times one about the picture.

    A question about what the memory does not hold, or without any memory, is answered with "I do not know."
    """
    builder = ScriptBuilder(window)
    known = {} if rng.random() < NO_MEMORY else draw_facts(rng)
    count = int(rng.integers(2, 1 + max(2, len(known))))
    turns = rng.choice(window.turns, size=count, replace=False)
    for turn, topic in zip(sorted(int(turn) for turn in turns), _topics(rng, known), strict=False):
        answer = known[topic][1].answer if topic in known else UNKNOWN
        builder.ask(turn, choose(rng, TOPICS[topic].questions), answer)
    if rng.random() < 0.3:
        turn = int(rng.integers(window.turns))
        if builder.is_free(turn):
            add_present(rng, builder, turn)
    return builder.script(Scenario.MEMORY, memory=memory_line(known))


def draw_facts(rng: np.random.Generator) -> dict[str, tuple[int, Fact]]:
    """Two to four facts on different topics with their seconds, in time order."""
    topics = [str(topic) for topic in rng.permutation(list(TOPICS))[: int(rng.integers(2, 5))]]
    seconds = sorted(int(second) for second in rng.choice(MOST_S, size=len(topics), replace=False))
    return {topic: (at, TOPICS[topic].draw(rng, at)) for topic, at in zip(topics, seconds, strict=True)}


def memory_line(known: dict[str, tuple[int, Fact]]) -> str:
    """The facts as the one line that the model reads; empty when there are none."""
    told = [f"At {second} seconds {fact.sentence}." for second, fact in known.values()]
    return " ".join([OPENING, *told]) if told else ""


def texts() -> Iterator[str]:
    """All that is read or written, each fact with every value that it can take."""
    yield from (OPENING, UNKNOWN)
    for topic in TOPICS.values():
        yield from topic.questions
        rng = np.random.default_rng(0)
        for fact in sorted({topic.draw(rng, 95) for _ in range(200)}, key=lambda fact: fact.sentence):
            yield from (f"{OPENING} At 95 seconds {fact.sentence}.", fact.answer)


def _topics(rng: np.random.Generator, known: Collection[str]) -> list[str]:
    """All topics, each once, in the order of the questions: mostly those that the memory holds come first."""
    order = {topic: float(rng.random()) for topic in TOPICS}
    foreign = {topic for topic in TOPICS if topic not in known and rng.random() >= NOT_REMEMBERED}
    return sorted(TOPICS, key=lambda topic: (topic in foreign, order[topic]))
