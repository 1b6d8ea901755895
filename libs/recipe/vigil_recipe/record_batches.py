"""Batches from annotated videos: checked, shuffled and packed as they stream by, pictures from the cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import IterableDataset

from vigil_recipe import layout
from vigil_recipe.batches import Batch, collate, decode, joined, sight_rows
from vigil_recipe.data.check import Limits
from vigil_recipe.data.convert import LAYOUTS, chunks_of, content_of, messages_of, seconds_of
from vigil_recipe.data.frame_cache import FrameCache
from vigil_recipe.data.stream import Checked, OnError, Usable, packed, read_files, shuffled
from vigil_recipe.data.video import Sampling, VideoError, picture_size
from vigil_recipe.samples import Exchange, Sequenced, Sequencer
from vigil_recipe.settings import Records, SettingsError


@dataclass(frozen=True, slots=True)
class RecordSample:
    """One chunk of a video as tokens; its pictures are numbers ``first`` to before ``end`` of those of the video."""

    usable: Usable
    made: Sequenced
    first: int
    end: int


class RecordBatches(IterableDataset[Batch]):  # type: ignore[misc]  # torch is not in the workspace environment
    """Batches from number ``first`` to before ``total``, over the records again and again in ever other order.

    Raises SettingsError for a sample over the token budget and when no record is usable, RecordError for a bad record
    that is not to be skipped, VideoError when a video breaks off while it is decoded.
    """

    def __init__(
        self, records: Records, tokenizer: Tokenizer, *, first: int, total: int, seed: int, rank: int, ranks: int
    ) -> None:
        self._records, self._tokenizer = records, tokenizer
        self._first, self._total, self._seed, self._rank, self._ranks = first, total, seed, rank, ranks
        self._sampling = Sampling(LAYOUTS[records.profile], records.images_per_second)

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        own, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        cache = FrameCache(self._records.frames, self._records.cache_bytes)
        numbers = range(own, self._total, workers)
        packs = self._packs(self._rank * workers + own, self._ranks * workers)
        for number, batch in zip(numbers, packs, strict=False):
            if number >= self._first:
                yield self._batch(batch, cache)

    def _packs(self, share: int, shares: int) -> Iterator[list[RecordSample]]:
        """The samples of each batch of this process's share of the records, without end; none mixes two epochs."""
        budget, join = self._records.token_budget, self._records.join
        for epoch in count():
            samples = self._samples(epoch, share, shares)
            yield from packed(samples, budget, lambda one: len(one.made.ids), joined=join)

    def _samples(self, epoch: int, share: int, shares: int) -> Iterator[RecordSample]:
        """The samples of one epoch."""
        profile = self._sampling.profile
        sequencer = Sequencer(self._tokenizer, profile.system)
        checked = Checked(self._records.videos, Limits(unprompted=True), OnError(self._records.on_error))
        rng = np.random.default_rng([self._seed, epoch, share])
        raws = read_files(self._records.files, share, shares)
        for usable in shuffled(checked(raws), self._records.shuffle_buffer, rng):
            yield from self._of_record(usable, sequencer)
        if not checked.good:
            why = f", the first because: {checked.skipped[0]}" if checked.skipped else ""
            raise SettingsError(f"share {share} of {shares} of the records has no usable one{why}")

    def _of_record(self, usable: Usable, sequencer: Sequencer) -> Iterator[RecordSample]:
        profile, images = self._sampling.profile, self._sampling.images_per_second
        tokens = profile.visual_tokens(*profile.fit(*picture_size(usable.video)))
        for chunk in chunks_of(seconds_of(usable.record, usable.duration_s), self._records.turns):
            _, *rest = (content_of(one, layout.image_block(1)) for one in messages_of(chunk, profile, images))
            pairs = zip(rest[::2], rest[1::2], strict=True)
            exchanges = [Exchange(user, reply, reply) for user, reply in pairs]
            made = sequencer.sequence(exchanges, [tokens] * (len(chunk) * images))
            if len(made.ids) > self._records.token_budget:
                raise SettingsError(
                    f"{usable.record.file}: record {usable.record.number}: {len(chunk)} turns take {len(made.ids)} "
                    f"tokens, over the token_budget of {self._records.token_budget}: lower records.turns"
                )
            yield RecordSample(usable, made, chunk[0].second * images, (chunk[-1].second + 1) * images)

    def _batch(self, samples: list[RecordSample], cache: FrameCache) -> Batch:
        frames = []
        for sample in samples:
            jpegs = cache.jpegs(sample.usable.video, self._sampling)
            if not jpegs:
                raise VideoError(f"{sample.usable.video}: there is no picture in it")
            frames += decode([jpegs[min(index, len(jpegs) - 1)] for index in range(sample.first, sample.end)])
        assemble = joined if self._records.join else collate
        return assemble([sample.made for sample in samples], frames, sight_rows([]))
