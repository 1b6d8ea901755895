"""Episodes that training never saw, through the running system: every onset on time, nothing else said.

A regression test from now on: these seeds were read once as a score, with the weights that are shipped (17 onsets, none
missed, none false). For changed weights take other seeds for a score; read before, with models that are not shipped any
more, were 9000 to 9019, and 11000, 12000, 13000, 14000, 15000, 16000, 17000 and 18000 with the 19 after each.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from system import System, rest, subscriber

from vigil_recipe.render.camera import render_mp4
from vigil_recipe.text.dialogue import wordings
from vigil_recipe.world import Episode, Kind, Split, make_episode

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(900)]

FIRST_SEED = 19_000
EPISODES = 20
SECONDS = 24
AT_ONCE = 3  # what a slow machine with two cores decides on in time: what is asked here is right, not fast
ON_TIME_S = 2
HOLD_S = 2
CONFIRM_S = 1  # the model says each second what holds: an alert waits for the second time


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one episode was asked for, when it began, and when alerts opened (seconds)."""

    seed: int
    kind: Kind
    onsets: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    opened: tuple[float, ...]

    @property
    def missed(self) -> list[int]:
        """Onsets without an alert within two seconds."""
        return [one for one in self.onsets if not any(0 <= at - one <= ON_TIME_S for at in self.opened)]

    @property
    def false(self) -> list[float]:
        """Alerts that opened while what they tell of did not hold."""
        return [at for at in self.opened if not any(start <= at < end for start, end in self.spans)]


async def test_every_onset_is_alerted_and_nothing_else(vigil: System, videos: Path) -> None:
    seeds = range(FIRST_SEED, FIRST_SEED + EPISODES)
    for seed in seeds:  # before any is played: drawing takes the processor that the engine needs
        await asyncio.to_thread(render_mp4, make_episode(seed, Split.TEST, SECONDS), _video(videos, seed))
    places = asyncio.Semaphore(AT_ONCE)
    outcomes = await asyncio.gather(*(_play(vigil, videos, seed, places) for seed in seeds))
    onsets = sum(len(one.onsets) for one in outcomes)
    missed = {one.seed: one.missed for one in outcomes if one.missed}
    false = {one.seed: (one.kind, one.false, one.spans) for one in outcomes if one.false}
    print(f"{EPISODES} episodes, {onsets} onsets, missed {missed}, false alerts {false}")  # noqa: T201  the figure
    assert onsets >= 12, "the episodes hold too little to ask for"
    assert any(not one.onsets for one in outcomes), "some episode must have nothing that was asked for"
    assert not missed
    assert not false


async def _play(vigil: System, videos: Path, seed: int, places: asyncio.Semaphore) -> Outcome:
    """One episode from its file, with a watch for one of the four kinds, until the file ends."""
    async with places:
        episode = make_episode(seed, Split.TEST, SECONDS)
        kind = _asked_for(seed, episode)
        source = f"episode-{seed}"
        text = wordings(kind)[seed % len(wordings(kind))]
        watch = {"name": str(kind), "text": text, "hold_s": HOLD_S, "cooldown_s": 0, "confirm_s": CONFIRM_S}
        async with subscriber(vigil, f"vigil.v1.alert.demo.{source}.opened") as alerts, rest(vigil) as gateway:
            async with subscriber(vigil, "vigil.v1.session.ended.demo.>") as ends:
                session = await gateway.open(_video(videos, seed).as_uri(), source={"id": source}, watches=[watch])
                await ends.wait_for(lambda subject, _: subject.endswith(session), SECONDS + 60)
            opened = tuple(float(event["data"]["time_s"]) for _, _, event in alerts.messages)
        return _outcome(seed, kind, episode, opened)


def _video(videos: Path, seed: int) -> Path:
    return videos / f"episode-{seed}.mp4"


def _asked_for(seed: int, episode: Episode) -> Kind:
    """Three times in four something that happens in the episode, else something that does not, if there is such."""
    happens = [kind for kind in Kind if episode.spans_of(kind)]
    wanted = happens if seed % 4 else [kind for kind in Kind if kind not in happens]
    return (wanted or list(Kind))[seed % len(wanted or list(Kind))]


def _outcome(seed: int, kind: Kind, episode: Episode, opened: tuple[float, ...]) -> Outcome:
    spans = tuple((span.start_s, span.end_s) for span in episode.spans_of(kind))
    # A watch with confirm_s asks for what lasts longer than that, so what does not has no alert to come.
    onsets = tuple(start for start, end in spans if start + ON_TIME_S < SECONDS and end - start > CONFIRM_S)
    return Outcome(seed, kind, onsets, spans, opened)
