"""The weighted objective of the paper (eq. 1)."""

from __future__ import annotations

from torch import Tensor, nn

from vigil_recipe.samples import IGNORED


def weighted_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Sum of weight x cross-entropy over the supervised positions, divided by their number (not by their weights).

    ``logits`` (N, vocabulary), ``labels`` and ``weights`` (N); a label of -100 is not supervised.
    """
    entropy = nn.functional.cross_entropy(logits.float(), labels, reduction="none", ignore_index=IGNORED)
    return (entropy * weights).sum() / (labels != IGNORED).sum().clamp(min=1)
