"""Batches from annotated videos: checked, shuffled and packed as they stream by, pictures from the cache."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import IterableDataset

from vigil_recipe.data.check import Limits
from vigil_recipe.data.convert import LAYOUTS, chunks_of, content_of, messages_of
from vigil_recipe.data.frame_cache import FrameCache
from vigil_recipe.data.records import BadRecords, RecordError
from vigil_recipe.data.stream import Checked, OnError, Usable, packed, read_files, shuffled
from vigil_recipe.data.video import Sampling, VideoError, picture_size
from vigil_recipe.text import prompt_format
from vigil_recipe.text.sequences import Exchange, Sequenced, Sequencer
from vigil_recipe.training.batches import Batch, collate, decode, joined, label_rows
from vigil_recipe.training.settings import Records


@dataclass(frozen=True, slots=True)
class RecordSample:
    """One chunk of a video as tokens; its pictures are numbers ``first`` to before ``end`` of those of the video."""

    usable: Usable
    made: Sequenced
    first: int
    end: int


class RecordBatches(IterableDataset[Batch]):  # type: ignore[misc]  # torch is not in the workspace environment
    """Batches from number ``first`` to before ``total``, over the records, in another order in each epoch.

    A record that cannot be used is told on stderr once and skipped, or raises BadRecords, as the settings say: one that
    the check refuses, one of which a chunk is over the token budget, one whose video breaks off while it is decoded.
    BadRecords also when no record is usable.
    """

    def __init__(
        self, records: Records, tokenizer: Tokenizer, *, first: int, total: int, seed: int, rank: int, ranks: int
    ) -> None:
        self._records, self._tokenizer = records, tokenizer
        self._first, self._total, self._seed, self._rank, self._ranks = first, total, seed, rank, ranks
        self._sampling = Sampling(LAYOUTS[records.profile], records.images_per_second)
        self._told: set[str] = set()

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        own, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        cache = FrameCache(self._records.frames, self._records.cache_bytes)
        packs = self._packs(self._rank * workers + own, self._ranks * workers)
        for number in range(own, self._total, workers):
            pack = next(packs)
            if number < self._first:
                continue
            while (batch := self._batch(pack, cache)) is None:
                pack = next(packs)
            yield batch

    def _packs(self, share: int, shares: int) -> Iterator[list[RecordSample]]:
        """The samples of each batch, without end, of this process's share of the records. No batch mixes two epochs."""
        budget, join = self._records.token_budget, self._records.join
        for epoch in count():
            samples = self._samples(epoch, share, shares)
            yield from packed(samples, budget, lambda sample: len(sample.made.ids), joined=join)

    def _samples(self, epoch: int, share: int, shares: int) -> Iterator[RecordSample]:
        """The samples of one epoch."""
        profile = self._sampling.profile
        sequencer = Sequencer(self._tokenizer, profile.system)
        limits = Limits(unprompted=self._records.unprompted)
        checked = Checked(self._records.videos, limits, OnError.SKIP)
        rng = np.random.default_rng([self._seed, epoch, share])
        raws = read_files(self._records.files, share, shares)
        good = 0
        for usable in shuffled(checked(raws), self._records.shuffle_buffer, rng):
            self._tell(checked.skipped)
            try:
                samples = list(self._of_record(usable, sequencer))
            except RecordError as error:
                self._tell([error])
                continue
            good += 1
            yield from samples
        self._tell(checked.skipped)
        if not good:
            raise BadRecords(f"share {share} of {shares} of the records has no usable one")

    def _tell(self, errors: Sequence[RecordError]) -> None:
        """Say once what is left out, or raise it."""
        for error in errors:
            text = str(error)
            if self._records.on_error == OnError.REFUSE.value:
                raise BadRecords(text) from None
            if text not in self._told:
                self._told.add(text)
                sys.stderr.write(f"train: skipped {text}\n")

    def _of_record(self, usable: Usable, sequencer: Sequencer) -> Iterator[RecordSample]:
        profile, images = self._sampling.profile, self._sampling.images_per_second
        tokens = profile.visual_tokens(*profile.fit(*picture_size(usable.video)))
        for chunk in chunks_of(usable.seconds, self._records.turns):
            _, *rest = (
                content_of(message, prompt_format.image_block(1)) for message in messages_of(chunk, profile, images)
            )
            pairs = zip(rest[::2], rest[1::2], strict=True)
            exchanges = [Exchange(user, reply, reply) for user, reply in pairs]
            made = sequencer.sequence(exchanges, [tokens] * (len(chunk) * images))
            if len(made.ids) > self._records.token_budget:
                raise usable.record.error(
                    f"{len(chunk)} turns take {len(made.ids)} tokens, over the token_budget of "
                    f"{self._records.token_budget}: lower records.turns"
                )
            yield RecordSample(usable, made, chunk[0].second * images, (chunk[-1].second + 1) * images)

    def _batch(self, samples: list[RecordSample], cache: FrameCache) -> Batch | None:
        """The batch of those samples whose video can be decoded; None when there is none."""
        frames, made = [], []
        for sample in samples:
            try:
                jpegs = cache.jpegs(sample.usable.video, self._sampling)
                if not jpegs:
                    raise VideoError(f"{sample.usable.video}: there is no picture in it")
            except VideoError as error:
                self._tell([sample.usable.record.error(f"video_path: {error}")])
                continue
            frames += decode([jpegs[min(index, len(jpegs) - 1)] for index in range(sample.first, sample.end)])
            made.append(sample.made)
        assemble = joined if self._records.join else collate
        return assemble(made, frames, label_rows([])) if made else None
