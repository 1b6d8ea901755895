"""Delegation: hard questions get a holding reply and go to the background, whose result is told when it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from vigil_recipe.scenarios.alerting import add_alert, occurring
from vigil_recipe.scenarios.chat import SMALL_TALK
from vigil_recipe.scenarios.questions import add_present
from vigil_recipe.scenarios.script import Line, Result, Said, Scenario, Script
from vigil_recipe.scenarios.script_builder import ScriptBuilder, choose
from vigil_recipe.scenarios.window import Window
from vigil_recipe.world import Kind

HOLDING = "Let me check."
RESULT = "Result:"
DELAYS = range(2, 13)
CITIES = ("Paris", "London", "Rome", "Madrid", "Berlin", "Oslo", "Vienna", "Lisbon", "Athens", "Dublin")
WEATHER = ("sunny", "rainy", "cloudy", "windy", "foggy", "snowy")
ITEMS = ("kettle", "lamp", "ladder", "bicycle", "printer", "camera", "jacket", "table", "radio", "hammer")
OPENING = ("bank", "library", "museum", "bakery", "station", "school", "market", "pool")
INVENTORS = {
    "telephone": "Bell",
    "radio": "Marconi",
    "dynamite": "Nobel",
    "light bulb": "Edison",
    "steam engine": "Watt",
    "battery": "Volta",
    "diesel engine": "Diesel",
    "zeppelin": "Zeppelin",
}
NEWS = (
    "The bridge is closed",
    "The trains are late",
    "A new park has opened",
    "The roads are icy",
    "The museum is free today",
    "A film is being made",
)

# A hard question and the background's answer, which is copied word by word.
Draw = Callable[[np.random.Generator], tuple[str, str]]


def _weather(rng: np.random.Generator) -> tuple[str, str]:
    city = choose(rng, CITIES)
    return f"What is the weather in {city}?", f"It is {choose(rng, WEATHER)} in {city}."


def _price(rng: np.random.Generator) -> tuple[str, str]:
    return f"What does a {choose(rng, ITEMS)} cost?", f"It costs {int(rng.integers(2, 100))} euros."


def _product(rng: np.random.Generator) -> tuple[str, str]:
    left, right = (int(factor) for factor in rng.integers(11, 100, 2))
    return f"What is {left} times {right}?", f"It is {left * right}."


def _hours(rng: np.random.Generator) -> tuple[str, str]:
    return f"When does the {choose(rng, OPENING)} open?", f"It opens at {int(rng.integers(6, 13))}."


def _inventor(rng: np.random.Generator) -> tuple[str, str]:
    thing = choose(rng, tuple(INVENTORS))
    return f"Who invented the {thing}?", f"{INVENTORS[thing]} did."


def _news(rng: np.random.Generator) -> tuple[str, str]:
    return f"What is the news from {choose(rng, CITIES)}?", f"{choose(rng, NEWS)}."


def _distance(rng: np.random.Generator) -> tuple[str, str]:
    return f"How far is it to {choose(rng, CITIES)}?", f"It is {int(rng.integers(10, 1000))} kilometres."


def _match(rng: np.random.Generator) -> tuple[str, str]:
    winner, loser = (CITIES[index] for index in rng.choice(len(CITIES), 2, replace=False))
    goals = int(rng.integers(1, 6))
    return f"Who won, {winner} or {loser}?", f"{winner} won {goals} to {int(rng.integers(goals))}."


HARD: tuple[Draw, ...] = (_weather, _price, _product, _hours, _inventor, _news, _distance, _match)


def compose(rng: np.random.Generator, window: Window) -> Script:
    """One to three delegated questions, one after the other, with easy ones and an alert served meanwhile."""
    builder = ScriptBuilder(window)
    if rng.random() < 0.6:
        likely = occurring(window)
        kind = choose(rng, likely if likely and rng.random() < 0.7 else tuple(Kind))
        add_alert(rng, builder, kind, given=int(rng.integers(window.turns // 2)) if rng.random() < 0.5 else 0)
    results: list[Result] = []
    turn = int(rng.integers(max(1, window.turns // 3)))
    while len(results) < 3 and turn + DELAYS.start < window.turns:
        delay = int(rng.integers(DELAYS.start, min(DELAYS.stop, window.turns - turn)))
        results.append(_delegate(rng, builder, turn, delay, frozenset(result.question for result in results)))
        turn += delay + int(rng.integers(1, 12))
    for easy in rng.choice(window.turns, size=int(rng.integers(1, 4)), replace=False):
        if builder.is_free(int(easy)):
            _ask_easy(rng, builder, int(easy))
    return builder.script(Scenario.DELEGATION, results=results)


def result_line(question: str, answer: str) -> str:
    """How the background's answer comes to the model."""
    return f"{RESULT} {question} {answer}"


def texts() -> Iterator[str]:
    """All that is read or written: every value of every slot, and every digit."""
    yield from (HOLDING, RESULT)
    for city, weather in product(CITIES, WEATHER):
        yield from (f"What is the weather in {city}?", f"It is {weather} in {city}.", f"What is the news from {city}?")
        yield from (f"How far is it to {city}?", f"Who won, {city} or {city}?", f"{city} won 3 to 2.")
    for item in ITEMS:
        yield from (f"What does a {item} cost?", "It costs 45 euros.")
    for place in OPENING:
        yield from (f"When does the {place} open?", "It opens at 10.")
    for thing, inventor in INVENTORS.items():
        yield from (f"Who invented the {thing}?", f"{inventor} did.")
    yield from (f"{news}." for news in NEWS)
    yield from ("What is 12 times 34?", "It is 5678.", "It is 90 kilometres.")


def _delegate(rng: np.random.Generator, builder: ScriptBuilder, turn: int, delay: int, taken: frozenset[str]) -> Result:
    """Delegate a question that this script has not asked yet: a result is recognised by its question."""
    question, answer = choose(rng, HARD)(rng)
    while question in taken:
        question, answer = choose(rng, HARD)(rng)
    line = Line(Said.RESULT, result_line(question, answer))
    builder.line(turn, Said.QUESTION, question)
    builder.say(turn, HOLDING, asked=turn, question=question)
    builder.line(turn + delay, line.said, line.text)
    builder.say(turn + delay, answer, asked=turn + delay)
    return Result(question, delay, line)


def _ask_easy(rng: np.random.Generator, builder: ScriptBuilder, turn: int) -> None:
    """What can be answered from the picture or without it: it must not be delegated."""
    if rng.random() < 0.7:
        add_present(rng, builder, turn)
    else:
        answer = choose(rng, ("I am Vigil.", "I am fine.", "I watch your camera."))
        builder.ask(turn, choose(rng, SMALL_TALK[answer]), answer)
