"""Training on the Transformers ``Trainer``: its loss, its parameter groups, and where its batches come from.

The Trainer brings the loop, mixed precision, accumulation, several processes, FSDP, checkpoints and resuming.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset
from transformers import PrinterCallback, Trainer, TrainingArguments

from vigil_recipe.text.sequences import IGNORED, Role
from vigil_recipe.training.batches import Batch
from vigil_recipe.training.model import SightProbe, grid_of, patchify, stock_patchify
from vigil_recipe.training.objective import Objective

PROBE_WEIGHT = 1.0
DECAY = 0.02
BETAS = (0.9, 0.98)

Losses = dict[str, Tensor]
Validate = Callable[[nn.Module], Mapping[str, Any]]
Note = Callable[[int, Mapping[str, Any]], None]


class StageTrainer(Trainer):  # type: ignore[misc]  # transformers is not in the workspace environment
    """One stage. ``batches`` streams ready batches, ``validate`` scores the model, ``note`` takes what is logged.

    The vision tower learns at ``sight_share`` of the rate, the connectors (mergers) behind it at ``connector_share``.
    """

    def __init__(
        self,
        model: nn.Module,
        args: TrainingArguments,
        batches: IterableDataset[Batch],
        note: Note,
        *,
        validate: Validate | None = None,
        sight_share: float = 1.0,
        connector_share: float | None = None,
    ) -> None:
        super().__init__(model=model, args=args, train_dataset=batches, eval_dataset=[])
        self.remove_callback(PrinterCallback)
        self.loss_is_scaled_for_ga = False
        self._note, self._validate = note, validate
        self._sight_share = sight_share
        self._connector_share = sight_share if connector_share is None else connector_share
        self._sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=args.device))
        self._counted = 0
        self._validated = -1

    def losses(self, model: nn.Module, batch: Batch) -> Losses:
        """The loss under ``loss``, and what else is worth logging, all detached but the loss."""
        raise NotImplementedError

    def get_train_dataloader(self) -> DataLoader[Batch]:
        """Batches come whole and already split by process, so nothing collates or shards them again."""
        workers = self.args.dataloader_num_workers
        return DataLoader(
            self.train_dataset, batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None
        )

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW; the vision tower has its own rate, and vectors (norms, biases) do not decay."""
        if getattr(self, "optimizer", None) is None:
            groups: dict[tuple[float, bool], list[nn.Parameter]] = defaultdict(list)
            for name, value in (self.model if model is None else model).named_parameters():
                if value.requires_grad:
                    groups[self._share(name), value.ndim > 1].append(value)
            rate = self.args.learning_rate
            self.optimizer: torch.optim.Optimizer = torch.optim.AdamW(
                [
                    {
                        "params": values,
                        "lr": rate * share,
                        "weight_decay": DECAY * matrix,
                    }
                    for (share, matrix), values in sorted(groups.items(), key=lambda group: (-group[0][0], group[0][1]))
                ],
                lr=rate,
                betas=BETAS,
                fused=True,
            )
        return self.optimizer

    def _share(self, name: str) -> float:
        """A parameter's share of the rate, by its name in Qwen3-VL, which calls connectors mergers."""
        if "visual" in name and "merger" in name:
            return self._connector_share
        return self._sight_share if "visual" in name or "probe" in name else 1.0

    def compute_loss(
        self,
        model: nn.Module,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """The stage's loss; the rest is kept for the log."""
        losses = self.losses(model, inputs)
        for name, value in losses.items():
            self._sums[name] = self._sums[name] + value.detach()
        self._counted += 1
        return losses["loss"]

    def evaluate(self, *_: object, **__: object) -> dict[str, float]:
        """The stage's own validation instead of a loss over a dataset, once a step."""
        if self._validate is not None and self._validated != self.state.global_step:
            self._validated = self.state.global_step
            self.model.eval()
            scores = self._validate(self.model)
            if self.is_world_process_zero():
                self._note(self.state.global_step, {"validation": scores})
        return {}

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """What was gathered since the last log, with the rate, to ``note``; the Trainer's own log keeps its form."""
        super().log(logs, start_time)
        if self._counted and self.is_world_process_zero():
            means = {name: float(value) / self._counted for name, value in self._sums.items()}
            self._note(self.state.global_step, {**means, "rate": self._get_learning_rate()})
        self._sums.clear()
        self._counted = 0


class SightTrainer(StageTrainer):
    """The vision tower alone learns to see the conditions in single frames; ``model`` is a ``Sight``."""

    def losses(self, model: nn.Module, batch: Batch) -> Losses:
        """Conditions of single frames."""
        return probe_losses(model(batch["frames"][0]), batch["truth"])


class InteractionTrainer(StageTrainer):
    """The whole model learns when to speak and what.

    With a ``probe`` the loss also asks, with a small weight, what single frames show.
    """

    def __init__(self, *args: Any, objective: Objective, fast: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        self._objective, self._fast = objective, fast
        self._seen = MergedTokens(self.model) if hasattr(self.model, "probe") else None

    def losses(self, model: nn.Module, batch: Batch) -> Losses:
        """The weighted objective over the interactions."""
        learnt = batch["labels"][:, 1:] != IGNORED
        logits = decide(model, batch, learnt.any(0).nonzero()[:, 0], fast=self._fast)
        logits = logits[learnt[:, learnt.any(0)]]
        labels, roles = batch["labels"][:, 1:][learnt], batch["roles"][:, 1:][learnt]
        loss = self._objective.loss(logits, labels, roles)
        out = {"loss": loss, "words": loss.detach(), **_scores(logits, labels, roles)}
        if self._seen is not None and len(batch["truth"]):
            with self.accelerator.autocast():
                probed = probe_losses(self.model.probe(self._seen.take(), len(batch["truth"])), batch["truth"])
            out["loss"] = loss + PROBE_WEIGHT * probed["loss"]
            out["sight_error"] = probed["sight_error"]
        return out


class MergedTokens:
    """Catches the visual tokens that the language model is given, for the probe."""

    def __init__(self, model: nn.Module) -> None:
        self._last: Tensor | None = None
        model.model.visual.merger.register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._last = output

    def take(self) -> Tensor:
        """The tokens of the last forward, once."""
        last, self._last = self._last, None
        if last is None:
            raise RuntimeError("no pictures went through the vision tower since the last call")
        return last


class Sight(nn.Module):  # type: ignore[misc]
    """The vision tower with the probe on its tokens."""

    def __init__(self, visual: nn.Module, probe: SightProbe) -> None:
        super().__init__()
        self.visual, self.probe = visual, probe

    def forward(self, frames: Tensor) -> Tensor:
        """Logits (N, labels) of uint8 frames (N, H, W, 3)."""
        tokens = self.visual(patchify(frames), grid_thw=grid_of(frames)).pooler_output
        return self.probe(tokens, len(frames))


def decide(model: nn.Module, batch: Batch, positions: Tensor, *, fast: bool) -> Tensor:
    """Logits (B, positions, vocabulary) of a batch. ``fast`` goes with a model that ``model.hasten`` has changed.

    Padding is to the right, where causal attention never looks: without a mask a step takes a quarter less time.
    """
    cut = patchify if fast else stock_patchify
    frames = batch["frames"]
    core = getattr(model, "module", model)
    pictured = (batch["ids"] == core.config.image_token_id).int()
    grids = torch.cat([grid_of(group) for group in frames]) if frames else None
    is_joined = len(batch["lengths"]) > len(batch["ids"])
    logits: Tensor = model(
        input_ids=batch["ids"],
        position_ids=joined_positions(core, batch, pictured, grids) if is_joined else None,
        pixel_values=torch.cat([cut(group) for group in frames]) if frames else None,
        image_grid_thw=grids,
        mm_token_type_ids=pictured,
        use_cache=False,
        logits_to_keep=positions,
    ).logits
    return logits


def joined_positions(core: nn.Module, batch: Batch, pictured: Tensor, grids: Tensor | None) -> Tensor:
    """Positions (4, 1, L) of sequences in one row, each from 0: those that part the sequences, then the rotary three.

    The model takes a position that does not follow the one before it as the start of another sequence, which attends
    to none of the earlier ones (Transformers, ``masking_utils.find_packed_sequence_indices``).
    """
    parts, used = [], 0
    lengths = batch["lengths"].tolist()
    for ids, types in zip(batch["ids"].split(lengths, 1), pictured.split(lengths, 1), strict=True):
        pictures = int((ids == core.config.vision_start_token_id).sum())
        own = None if grids is None else grids[used : used + pictures]
        rotary, _ = core.model.get_rope_index(ids, types, image_grid_thw=own)
        order = torch.arange(ids.shape[1], device=ids.device).expand(1, 1, -1)
        parts.append(torch.cat([order, rotary]))
        used += pictures
    return torch.cat(parts, dim=2)


def probe_losses(logits: Tensor, truth: Tensor) -> Losses:
    """Binary cross-entropy of the frame labels that are known (not NaN), and the share of them that is read wrongly."""
    known = ~truth.isnan()
    loss = nn.functional.binary_cross_entropy_with_logits(logits[known], truth[known])
    return {"loss": loss, "sight_error": ((logits > 0) != (truth > 0))[known].float().mean()}


def _scores(logits: Tensor, labels: Tensor, roles: Tensor) -> Losses:
    """The shares of control tokens, of control tokens that speak, and of words that are predicted right."""
    right = (logits.detach().argmax(-1) == labels).float()
    speaks = (roles == Role.RESPONSE) | (roles == Role.DELEGATION)
    return {
        "control": _mean(right, roles != Role.WORD),
        "spoken": _mean(right, speaks),
        "word": _mean(right, roles == Role.WORD),
    }


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """The mean where ``where`` holds, 1 where it nowhere does."""
    count = where.sum()
    return torch.where(count > 0, (values * where).sum() / count.clamp(min=1), 1.0)
