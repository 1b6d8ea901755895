"""An exam as it runs: who plays what, what is kept when it is stopped, and when it is given up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from vigil_client.errors import Unreachable
from vigil_recipe.exam.plan import Item, Part
from vigil_recipe.exam.run import Outcome, Played, TooManyFailed, play_all
from vigil_recipe.exam.scoring.episode_scores import score
from vigil_recipe.exam.scoring.transcript import PlayFailed, Transcript
from vigil_recipe.scenarios import Scenario, Script
from vigil_recipe.testing.scripts import script, transcript


def item(seed: int, part: Part = Part.EXAM, condition: str = "", scenario: Scenario = Scenario.ALERTING) -> Item:
    return Item(part, scenario, seed, script(scenario, seed=seed), condition)


@dataclass(slots=True)
class Silent:
    """Says nothing; fails at the seeds that it is told, and notes how many it plays at once."""

    name: str = "system"
    failing: frozenset[int] = frozenset()
    error: Exception = field(default_factory=lambda: PlayFailed("the gateway does not answer"))
    played: list[int] = field(default_factory=list)
    at_once: int = 0
    most: int = 0

    async def play(self, one: Script) -> Transcript:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if one.episode.seed in self.failing:
            raise self.error
        self.played.append(one.episode.seed)
        return transcript({})


async def test_baselines_play_the_exam_itself_and_no_other_part() -> None:
    items = [item(0), item(1, Part.ROBUSTNESS, "night on"), item(2, Part.MEMORY_OFF)]
    system, baseline, outcome, told = Silent(), Silent("polling"), Outcome(), list[Item]()
    await play_all(items, system, [baseline], outcome, 1, told.append)
    assert system.played == [0, 1, 2]
    assert baseline.played == [0]
    assert told == items
    assert [(played.player, played.item.seed) for played in outcome.played] == [
        ("system", 0),
        ("polling", 0),
        ("system", 1),
        ("system", 2),
    ]
    assert not outcome.is_partial


@pytest.mark.parametrize("at_once", [1, 3])
async def test_so_many_are_played_at_once_and_each_one_once(at_once: int) -> None:
    system, outcome = Silent(), Outcome()
    await play_all([item(seed) for seed in range(8)], system, (), outcome, at_once, lambda _: None)
    assert system.most == at_once
    assert sorted(system.played) == list(range(8))


@pytest.mark.parametrize("error", [PlayFailed("no answer"), Unreachable("no answer")])
async def test_a_failed_episode_is_told_and_makes_the_exam_partial(error: Exception) -> None:
    system, baseline, outcome = Silent(failing=frozenset({1}), error=error), Silent("polling"), Outcome()
    await play_all([item(seed) for seed in range(3)], system, [baseline], outcome, 1, lambda _: None)
    assert outcome.failed == ["alerting 1, system: no answer"]
    assert baseline.played == [0, 1, 2], "who can play it does"
    assert outcome.is_partial


@pytest.mark.parametrize(("failing", "stopped"), [(3, False), (4, True)])
async def test_more_than_three_and_a_tenth_are_too_many(failing: int, stopped: bool) -> None:
    system, outcome = Silent(failing=frozenset(range(failing))), Outcome()
    items = [item(seed) for seed in range(12)]
    if stopped:
        with pytest.raises(TooManyFailed, match="4 episodes could not be played; the last: alerting 3, system: the"):
            await play_all(items, system, (), outcome, 1, lambda _: None)
        assert system.played == []
    else:
        await play_all(items, system, (), outcome, 1, lambda _: None)
        assert len(system.played) == 9
    assert outcome.is_partial


async def test_what_was_played_before_a_stop_is_kept() -> None:
    outcome, played = Outcome(), asyncio.Event()

    @dataclass(slots=True)
    class Second:
        name: str = "system"

        async def play(self, played_script: Script) -> Transcript:
            if played_script.episode.seed == 1:
                played.set()
                await asyncio.Event().wait()
            return transcript({})

    exam = asyncio.create_task(play_all([item(0), item(1)], Second(), (), outcome, 1, lambda _: None))
    await played.wait()
    exam.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exam
    assert [play.item.seed for play in outcome.played] == [0]
    assert outcome.is_partial


async def test_nothing_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="0 episodes at once is nothing"):
        await play_all([], Silent(), (), Outcome(), 0, lambda _: None)


def test_scores_are_of_one_player_and_one_part_in_the_order_of_the_plan() -> None:
    items = [
        item(2),
        item(1),
        item(0, scenario=Scenario.CHAT),
        item(5, Part.ROBUSTNESS, "night on"),
        item(5, Part.ROBUSTNESS, "night off"),
    ]
    made = [Played(one, "system", score(one.script, transcript({}))) for one in items]
    outcome = Outcome([*made, Played(items[0], "polling", made[0].score)])
    scores = outcome.scores("system")
    assert list(scores) == [scenario for scenario in Scenario if scenario in scores]
    assert [score_.script.episode.seed for score_ in scores[Scenario.ALERTING]] == [1, 2]
    assert [episode.script.episode.seed for episode in outcome.scores("polling")[Scenario.ALERTING]] == [2]
    assert outcome.conditions(Part.ROBUSTNESS) == ["night off", "night on"]
    assert outcome.scores("system", Part.ROBUSTNESS, "night on") == {Scenario.ALERTING: [made[3].score]}
    assert outcome.scores("nobody") == {}
