"""Plays an exam: several scripts at once, each with every player, until all are played or the exam is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from vigil_client.errors import ClientError
from vigil_recipe.exam.plan import Item, Part
from vigil_recipe.exam.scoring.episode_scores import EpisodeScore, score
from vigil_recipe.exam.scoring.transcript import Player, PlayFailed
from vigil_recipe.scenarios import Scenario

MAX_FAILED_SHARE = 0.1
FEW = 3


@dataclass(frozen=True, slots=True)
class Played:
    """One script as one player played it."""

    item: Item
    player: str
    score: EpisodeScore


@dataclass(slots=True)
class Outcome:
    """All that was played so far, and what could not be."""

    played: list[Played] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    is_partial: bool = True

    def scores(self, player: str, part: Part = Part.EXAM, condition: str = "") -> dict[Scenario, list[EpisodeScore]]:
        """One player's scores by scenario, in the order of the plan."""
        found: dict[Scenario, list[tuple[int, EpisodeScore]]] = {}
        for played in self.played:
            if played.player != player or played.item.part is not part:
                continue
            if not condition or played.item.condition == condition:
                found.setdefault(played.item.scenario, []).append((played.item.seed, played.score))
        order = [scenario for scenario in Scenario if scenario in found]
        return {
            scenario: [episode for _, episode in sorted(found[scenario], key=lambda pair: pair[0])]
            for scenario in order
        }

    def conditions(self, part: Part) -> list[str]:
        """The conditions that were played of a part."""
        return sorted({played.item.condition for played in self.played if played.item.part is part})


class TooManyFailed(Exception):
    """Too many episodes could not be played for the scores of the others to mean anything."""


async def play_all(
    items: Iterable[Item],
    system: Player,
    baselines: Sequence[Player],
    outcome: Outcome,
    at_once: int,
    told: Callable[[Item], None],
) -> None:
    """Play every item with the system, those of the exam itself with the baselines too; ``told`` is called after each.

    Scripts are made as they are needed. When this is cancelled ``outcome`` holds what was played until then. Raises
    `TooManyFailed` when more than a tenth (and more than three) could not be played.
    """
    if at_once < 1:
        raise ValueError(f"{at_once} episodes at once is nothing: give at least 1")
    left = iter(items)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(_worker(left, system, baselines, outcome, told))
    except* TooManyFailed as group_of:
        raise group_of.exceptions[0] from None
    outcome.is_partial = bool(outcome.failed)


async def _worker(
    left: Iterator[Item],
    system: Player,
    baselines: Sequence[Player],
    outcome: Outcome,
    told: Callable[[Item], None],
) -> None:
    while (item := next(left, None)) is not None:
        for player in (system, *(baselines if item.part is Part.EXAM else ())):
            try:
                transcript = await player.play(item.script)
            except (PlayFailed, ClientError) as error:
                outcome.failed.append(f"{item.scenario.value} {item.seed}, {player.name}: {error}")
                _check(outcome)
                continue
            outcome.played.append(Played(item, player.name, score(item.script, transcript)))
        told(item)


def _check(outcome: Outcome) -> None:
    failed = len(outcome.failed)
    if failed > FEW and failed > MAX_FAILED_SHARE * (len(outcome.played) + failed):
        raise TooManyFailed(f"{failed} episodes could not be played; the last: {outcome.failed[-1]}")
