"""The mean of the weights of several checkpoints of one run.

Weights along one run lie in one basin, so their mean is a model too, and often better than each of them: what a
checkpoint learnt last and by chance weighs less
(Izmailov et al. 2018, stochastic weight averaging; Wortsman et al. 2022, model soups).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vigil_recipe.training.checkpoint import Checkpoint, CheckpointError


def mean(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """The last checkpoint with the mean of all weights; vocabulary and training aid are its own.

    Raises CheckpointError when their tensors are not alike, or there are none.
    """
    if not checkpoints:
        raise CheckpointError("a mean needs checkpoints")
    last = checkpoints[-1]
    states = [checkpoint.model.state_dict() for checkpoint in checkpoints]
    shapes = [{name: value.shape for name, value in state.items()} for state in states]
    if any(shape != shapes[-1] for shape in shapes):
        raise CheckpointError("a mean needs models of one architecture: these have other tensors or shapes")
    with torch.no_grad():
        last.model.load_state_dict(
            {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[-1]}
        )
    return last
