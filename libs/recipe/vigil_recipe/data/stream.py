"""Records one at a time from any number of files: shared among processes, shuffled in a buffer, never all in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import numpy as np

from vigil_recipe.data.check import Limits, check
from vigil_recipe.data.convert import Second, seconds_of
from vigil_recipe.data.records import Raw, Record, RecordError, parse, read_raw
from vigil_recipe.data.video import VideoError, duration_s

T = TypeVar("T")


class OnError(StrEnum):
    """What to do with a record that cannot be used: skip and count it, or stop."""

    SKIP = "skip"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Usable:
    """A record that was checked, its video and what is said in every second of it."""

    record: Record
    video: Path
    seconds: tuple[Second, ...]


@dataclass(slots=True)
class Checked:
    """Checks records as they pass. ``skipped`` holds what was wrong with those left out."""

    videos: Path
    limits: Limits
    on_error: OnError
    good: int = 0
    skipped: list[RecordError] = field(default_factory=list)

    def __call__(self, raws: Iterable[Raw]) -> Iterator[Usable]:
        """The usable records. Raises RecordError at the first unusable one, unless those are to be skipped."""
        for raw in raws:
            try:
                usable = self.check(raw)
            except RecordError as error:
                self.leave_out(error)
                continue
            self.good += 1
            yield usable

    def leave_out(self, error: RecordError) -> None:
        """Note what is wrong with a record, or raise it when none is to be skipped."""
        if self.on_error is OnError.REFUSE:
            raise error
        self.skipped.append(error)

    def check(self, raw: Raw) -> Usable:
        """One record. Raises RecordError."""
        record = parse(raw)
        video = self.videos / record.video_path
        try:
            length_s = duration_s(video)
        except VideoError as error:
            raise record.error(f"video_path: {error}") from error
        check(record, length_s, self.limits)
        return Usable(record, video, seconds_of(record, length_s))


def read_files(files: Sequence[Path], rank: int = 0, ranks: int = 1) -> Iterator[Raw]:
    """Every ``ranks``-th record of the files from the ``rank``-th on: processes share them without overlap."""
    index = 0
    for path in files:
        for raw in read_raw(path):
            if index % ranks == rank:
                yield raw
            index += 1


def shuffled(items: Iterable[T], buffer: int, rng: np.random.Generator) -> Iterator[T]:
    """The items in random order, as far as a buffer of ``buffer`` items allows. Each comes once."""
    held: list[T] = []
    for item in items:
        if len(held) < buffer:
            held.append(item)
            continue
        chosen = int(rng.integers(buffer))
        yield held[chosen]
        held[chosen] = item
    for index in rng.permutation(len(held)):
        yield held[index]


def packed(
    items: Iterable[T], budget: int, cost: Callable[[T], int], window: int = 32, *, joined: bool = False
) -> Iterator[list[T]]:
    """Batches of at most ``budget``: the longest times their number, as they are padded, or their sum when ``joined``.

    Items of a window are packed by length, so that little is padded; each comes once. An item longer than the budget
    comes alone.
    """
    held: list[T] = []
    bins = _full_bins if joined else _even_bins
    for item in items:
        held.append(item)
        if len(held) == window:
            yield from bins(held, budget, cost)
            held = []
    yield from bins(held, budget, cost)


def _even_bins(items: Sequence[T], budget: int, cost: Callable[[T], int]) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in sorted(items, key=cost, reverse=True):  # the first of a batch is its longest
        if batch and cost(batch[0]) * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _full_bins(items: Sequence[T], budget: int, cost: Callable[[T], int]) -> Iterator[list[T]]:
    """First fit, the longest first."""
    bins: list[tuple[list[T], int]] = []
    for item in sorted(items, key=cost, reverse=True):
        size = cost(item)
        place = next((index for index, (_, used) in enumerate(bins) if used + size <= budget), None)
        if place is None:
            bins.append(([item], size))
        else:
            batch, used = bins[place]
            bins[place] = ([*batch, item], used + size)
    yield from (batch for batch, _ in bins)
