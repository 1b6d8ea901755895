"""The summariser's tasks: what is asked, in which bytes, and how what comes back is scored."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vigil_recipe.exam.players.summariser import (
    MERGE,
    SUMMARY,
    Task,
    Written,
    figures,
    pieces,
    sentences,
    tasks,
    written,
)
from vigil_recipe.exam.scoring.transcript import PlayFailed
from vigil_recipe.scenarios.summary import NOTHING
from vigil_recipe.text import prompt_format
from vigil_recipe.world import Split


class Right:
    """Writes what is right, in the words of the tasks that it was given; raises for one that it does not know."""

    def __init__(self, some: Sequence[Task]) -> None:
        self._right = {task.asked: task.right for task in some}
        self.pictures = 0

    async def write(self, pieces: Sequence[str | bytes], max_tokens: int) -> str:
        self.pictures += sum(isinstance(piece, bytes) for piece in pieces)
        text = "".join(piece if isinstance(piece, str) else prompt_format.image_block(1) for piece in pieces)
        if text not in self._right:
            raise PlayFailed("the engine does not answer")
        return self._right[text]


def test_the_same_seed_asks_the_same_and_splits_share_nothing() -> None:
    one, again, other = (list(tasks(3, split, 4)) for split in (Split.TEST, Split.TEST, Split.VALIDATION))
    assert one == again
    assert [task.kind for task in one] == [SUMMARY, MERGE] * 4
    assert not {task.asked for task in one} & {task.asked for task in other}
    assert all(task.episode is None or task.episode.split is Split.TEST for task in one)


async def test_every_picture_stands_in_its_place() -> None:
    some = list(tasks(1, Split.VALIDATION, 2))
    writer = Right(some)
    answers = await written(writer, some)
    assert [answer.task for answer in answers] == some
    assert writer.pictures == sum(len(task.seconds) for task in some) > 8
    found = figures(answers)
    assert {kind: (row["tasks"], row["exact"]) for kind, row in found.items()} == {SUMMARY: (2, 1.0), MERGE: (2, 1.0)}
    assert all(row["sentence_recall"] == row["sentence_precision"] == 1.0 for row in found.values())


async def test_an_engine_that_fails_is_told() -> None:
    with pytest.raises(PlayFailed, match="does not answer"):
        await written(Right([]), list(tasks(1, Split.VALIDATION, 1)))


def test_a_sentence_at_a_wrong_second_is_wrong() -> None:
    right = "At 4 seconds a fire started. At 9 seconds the fire was out."
    said = "At 4 seconds a fire started. At 8 seconds the fire was out. At 9 seconds someone fell."
    answers = [Written(Task(MERGE, "", right), said), Written(Task(MERGE, "", NOTHING), NOTHING)]
    (row,) = figures(answers).values()
    assert row["exact"] == 0.5
    assert row["sentences_due"] == 3
    assert row["sentence_recall"] == pytest.approx(2 / 3)
    assert row["sentence_precision"] == pytest.approx(2 / 4)
    assert figures([Written(Task(MERGE, "", right), "")])[MERGE]["sentence_precision"] is None


def test_sentences_end_with_a_full_stop() -> None:
    assert sentences(" At 4 seconds a fire started.  Nothing happened.") == [
        "At 4 seconds a fire started.",
        "Nothing happened.",
    ]
    assert sentences("") == []


def test_places_and_pictures_must_agree() -> None:
    with pytest.raises(ValueError, match="0 places for 1 pictures"):
        pieces(Task(SUMMARY, "Summarise the frames.", "", None, (3,)))
