"""The summariser's two tasks, put to the engine itself in the words that the weights were trained on.

A memory service asks a summariser twice: for the memory text of a chunk's key frames, and for one text out of several.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from vigil_recipe.exam.plan import SEED_STEP
from vigil_recipe.exam.players.pictures import camera_jpeg, model_jpeg
from vigil_recipe.exam.scoring.episode_scores import Metrics
from vigil_recipe.scenarios.summary import sample_merge, sample_summary
from vigil_recipe.text import prompt_format
from vigil_recipe.world import Episode, Split, Stage, make_episode, stream

CHUNK_S = 40
STAGES = (Stage.PLAIN, Stage.VARIED)
MAX_TOKENS = 256
AT_ONCE = 4
SUMMARY, MERGE = "summary", "merge"
_SENTENCE = re.compile(r"(?<=\.)\s+")


class Writer(Protocol):
    """What answers one message of texts and pictures (JPEG); see ``engine.Engine.write``."""

    async def write(self, pieces: Sequence[str | bytes], max_tokens: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Task:
    """One text to write. ``episode`` and ``seconds`` say which frames it is about; a merge is about none."""

    kind: str
    asked: str
    right: str
    episode: Episode | None = None
    seconds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A task and what was written for it."""

    task: Task
    text: str


def tasks(seed: int, split: Split, count: int) -> Iterator[Task]:
    """``count`` chunks to summarise and as many merges, of an exam's seed. Pure."""
    for index in range(count):
        world_seed = seed * SEED_STEP + index
        rng = stream(world_seed, split, "exam summariser")
        stage = STAGES[int(rng.integers(len(STAGES)))]
        episode = make_episode(int(rng.integers(2**31)), split, CHUNK_S, stage=stage)
        chunk = sample_summary(rng, episode, CHUNK_S)
        yield Task(
            SUMMARY, prompt_format.summary_text(chunk.prompt, chunk.markers_s), chunk.text, episode, chunk.seconds
        )
        merge = sample_merge(rng)
        yield Task(MERGE, prompt_format.merge_text(merge.lines), merge.text)


async def written(writer: Writer, some: Sequence[Task]) -> list[Written]:
    """All tasks answered, a few at once, in their order. Raises what the writer raises."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(task: Task) -> Written:
        async with room:
            return Written(task, await writer.write(await asyncio.to_thread(pieces, task), MAX_TOKENS))

    answers = [asyncio.create_task(one(task)) for task in some]
    try:
        return list(await asyncio.gather(*answers))
    finally:
        for answer in answers:
            answer.cancel()


def pieces(task: Task) -> list[str | bytes]:
    """The message's texts with its pictures between them, as the model gets them."""
    texts = task.asked.split(prompt_format.image_block(1))
    if len(texts) != len(task.seconds) + 1:
        raise ValueError(f"{len(texts) - 1} places for {len(task.seconds)} pictures")
    found: list[str | bytes] = [texts[0]]
    for text, second in zip(texts[1:], task.seconds, strict=True):
        if task.episode is None:
            raise ValueError("a task with frames needs an episode to take them from")
        found += [model_jpeg(camera_jpeg(task.episode, second)), text]
    return found


def figures(answers: Sequence[Written]) -> dict[str, Metrics]:
    """By kind of task: texts right to the letter, and of the sentences those that are right and those that were found.

    A sentence carries its second, so one at a wrong time is wrong.
    """
    found: dict[str, Metrics] = {}
    for kind in dict.fromkeys(answer.task.kind for answer in answers):
        mine = [answer for answer in answers if answer.task.kind == kind]
        due = [set(sentences(answer.task.right)) for answer in mine]
        said = [set(sentences(answer.text)) for answer in mine]
        right = sum(len(expected & other) for expected, other in zip(due, said, strict=True))
        found[kind] = {
            "tasks": len(mine),
            "exact": sum(answer.text == answer.task.right for answer in mine) / len(mine),
            "sentences_due": sum(map(len, due)),
            "sentence_recall": _share(right, sum(map(len, due))),
            "sentence_precision": _share(right, sum(map(len, said))),
        }
    return found


def sentences(text: str) -> list[str]:
    """The sentences of a memory text."""
    return [sentence for sentence in _SENTENCE.split(text.strip()) if sentence]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
