"""The lesson about modules: what is asked follows from what was told, and no control changes a reply. Needs the engine
environment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.lessons.observations import observing
from vigil_recipe.lessons.samples import DATA_KINDS, WORDS_ALONE
from vigil_recipe.scenarios.senses import CLAIM, NOTES, SCENE, SENSES, Sense
from vigil_recipe.text.dialogue import RESPONSE, SILENCE
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.training.settings import read_settings

pytestmark = pytest.mark.engine
SEEDS = range(60)
OBSERVED = re.compile(r"Observed: (\w+) \((\w+)(?:, \d\.\d\d)?\)(?: at (\d+)\.0 seconds)?: (.+)")
MARKER = re.compile(r"<(\d+)\.0 seconds>\n$")
SETTINGS = Path(__file__).parents[1] / "modules.toml"


def lesson(seed: int, turns: int = 24) -> tuple[Exchange, ...]:
    return observing(np.random.default_rng(seed), turns)


def read(exchange: Exchange) -> tuple[int, list[tuple[str, ...]], list[str]]:
    """The second of a turn, what was observed in it, and the user's own lines."""
    found = MARKER.search(exchange.user)
    assert found
    lines = MARKER.sub("", exchange.user).splitlines()
    observed = [match.groups() for line in lines if (match := OBSERVED.fullmatch(line))]
    return int(found[1]), observed, [line for line in lines if not line.startswith("Observed: ")]


def value_in(sense: Sense, pattern: str, text: str) -> str | None:
    return next((value for value in sense.values if pattern.format(value) == text), None)


def right(exchanges: tuple[Exchange, ...]) -> Iterator[str]:
    """The reply that each turn calls for, from its lines alone."""
    told: dict[Sense, str] = {}
    watched: tuple[Sense, str] | None = None
    for exchange in exchanges:
        _, observed, lines = read(exchange)
        new = []
        for module, _, _, text in observed:
            for sense in SENSES:
                if sense.module == module and (value := value_in(sense, sense.text, text)):
                    told[sense] = value
                    new.append((sense, value))
        said = [sense.tells(value) for sense, value in new if (sense, value) == watched]
        for line in lines:
            for sense in SENSES:
                if line in sense.questions:
                    said.insert(0, sense.answers(told[sense]) if sense in told else "I do not know.")
                for pattern in sense.watches:
                    watched = (sense, value) if (value := value_in(sense, pattern, line)) else watched
        yield f"{RESPONSE} {' '.join(said)}" if said else SILENCE


@pytest.mark.parametrize("seed", SEEDS)
def test_replies_follow_from_what_was_told(seed: int) -> None:
    made = lesson(seed)
    assert [exchange.reply for exchange in made] == list(right(made))
    assert all(exchange.said == exchange.reply for exchange in made)
    assert made == lesson(seed)
    seconds = [read(exchange)[0] for exchange in made]
    assert seconds == list(range(seconds[0], seconds[0] + 24))


def test_most_turns_ask_and_many_of_what_was_told_earlier() -> None:
    asked = remembered = silent = 0
    for seed in SEEDS:
        for exchange in lesson(seed):
            _, observed, lines = read(exchange)
            modules = {module for module, *_ in observed}
            for sense in SENSES:
                if any(line in sense.questions for line in lines):
                    asked += 1
                    remembered += sense.module not in modules
            silent += exchange.reply == SILENCE
    assert 0.5 < asked / (24 * len(SEEDS)) < 0.7
    assert remembered / asked > 0.4
    assert silent / (24 * len(SEEDS)) > 0.15, "what nobody asks for is not told"


def test_controls_are_there() -> None:
    observed = [told for seed in SEEDS for exchange in lesson(seed) for told in read(exchange)[1]]
    notes = [text for module, kind, _, text in observed if (module, kind) == NOTES]
    claims = [text for module, kind, _, text in observed if (module, kind) == SCENE]
    questions = {question for sense in SENSES for question in sense.questions}
    assert len(notes) > 100
    assert any(text in questions for text in notes), "a note that asks what a user may ask"
    assert any(text.startswith("Stop watching: ") for text in notes)
    assert set(claims) == set(CLAIM.values())


def test_late_observations_say_their_time() -> None:
    late = Counter[bool]()
    for seed in SEEDS:
        for exchange in lesson(seed):
            second, observed, _ = read(exchange)
            for _, _, at, _ in observed:
                late[at is not None] += 1
                assert at is None or 0 < second - int(at) <= 4
    assert 0.05 < late[True] / late.total() < 0.2


def test_the_lesson_and_the_scenario_are_kinds_of_data() -> None:
    assert {"observing", "modules"} <= set(DATA_KINDS)
    assert "observing" in WORDS_ALONE
    assert "modules" not in WORDS_ALONE, "its claims are about pictures"


def test_the_next_training_goes_on_from_the_shipped_weights_with_all_that_they_know() -> None:
    settings = read_settings(SETTINGS)
    shipped = read_settings(SETTINGS.with_name("small.toml"))
    (stage, *_) = settings.stages
    assert settings.base == "models/vigil-small"
    assert {"observing", "modules"} <= set(stage.phases[-1].mix) | set(stage.phases[0].mix)
    known = set(shipped.stages[-2].phases[-1].mix)
    assert known <= set(stage.phases[-1].mix), "what is not trained on is forgotten"
    assert settings.seed != shipped.seed
    taught = {kind for each in shipped.stages for phase in each.phases for kind in phase.mix}
    assert not {"observing", "modules"} & taught
