"""The objective: cross-entropy weighted by what a token decides, as one value with its known variants.

Paper: first silence 1, repeated silence 0.4, response 1.5, divided by the number of learnt tokens (JoyAI, eq. 1).
Harness: the same with 0.8 for a repeated silence (arXiv 2606.08615, eq. 3); its released code divides by the sum of
the weights. Focal: alpha_k (1 - p)^2 CE on control tokens, where alpha_k = (sum of all n_j / states) / n_k counts the
states of the batch (Streamo, arXiv 2512.21334).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor, nn

from vigil_recipe.text.sequences import IGNORED, Role

# Streamo's states: a silence is one state, whether it is the first of its run or not.
STATE_OF = {Role.FIRST_SILENCE: 0, Role.REPEATED_SILENCE: 0, Role.RESPONSE: 1, Role.DELEGATION: 2}


class Normaliser(StrEnum):
    """What the weighted sum is divided by."""

    TOKENS = "tokens"
    WEIGHTS = "weights"


@dataclass(frozen=True, slots=True)
class Objective:
    """Weights of the control tokens; every other learnt token weighs 1.

    ``focal_gamma`` is the exponent of (1 - p) on control tokens, 0 for none. ``frequency`` weighs each control state
    by the inverse of its count in the batch, on top of the fixed weights.
    """

    repeated_silence: float = 0.4
    first_silence: float = 1.0
    response: float = 1.5
    normaliser: Normaliser = Normaliser.TOKENS
    focal_gamma: float = 0.0
    frequency: bool = False

    def __post_init__(self) -> None:
        for name in ("repeated_silence", "first_silence", "response", "focal_gamma"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"objective: {name} must be a finite number of at least 0, got {value}")
        if 0 < self.focal_gamma < 1:
            raise ValueError(f"objective: focal_gamma must be 0 (off) or at least 1, got {self.focal_gamma}")

    def weights(self, roles: Tensor) -> Tensor:
        """The fixed weight of every token, float of the shape of ``roles`` (integers of ``Role``)."""
        table = torch.ones(len(Role), device=roles.device)
        table[Role.FIRST_SILENCE] = self.first_silence
        table[Role.REPEATED_SILENCE] = self.repeated_silence
        table[Role.RESPONSE] = self.response
        return table[roles]

    def loss(self, logits: Tensor, labels: Tensor, roles: Tensor) -> Tensor:
        """The loss of ``logits`` (N, vocabulary) under ``labels`` and ``roles`` (N); label -100 is not learnt."""
        learnt = labels != IGNORED
        entropy = nn.functional.cross_entropy(logits.float(), labels, reduction="none", ignore_index=IGNORED)
        weights = self.weights(roles) * learnt
        if self.frequency:
            weights = weights * state_weights(roles, learnt)
        if self.focal_gamma:
            doubt = -torch.expm1(-entropy)  # 1 - p, with its gradient, as the focal loss is defined
            weights = torch.where(roles != Role.WORD, weights * doubt**self.focal_gamma, weights)
        total = weights.detach().sum() if self.normaliser is Normaliser.WEIGHTS else learnt.sum()
        return (entropy * weights).sum() / total.clamp(min=1e-6)


PLAIN = Objective(repeated_silence=1.0, response=1.0)
PAPER = Objective()
HARNESS = Objective(repeated_silence=0.8)
SUM_OF_WEIGHTS = Objective(normaliser=Normaliser.WEIGHTS)
FOCAL = Objective(repeated_silence=1.0, response=1.0, focal_gamma=2.0, frequency=True)
VARIANTS = {"plain": PLAIN, "paper": PAPER, "harness": HARNESS, "weights": SUM_OF_WEIGHTS, "focal": FOCAL}


def state_weights(roles: Tensor, learnt: Tensor) -> Tensor:
    """alpha_k of each control token, 1 elsewhere: the mean count of the states there are, over the state's own."""
    states = torch.full((len(Role),), -1, device=roles.device)
    for role, state in STATE_OF.items():
        states[role] = state
    state = states[roles]
    counted = state[(state >= 0) & learnt]
    counts = torch.bincount(counted, minlength=len(set(STATE_OF.values()))).float()
    alpha = counts.sum() / (counts > 0).sum().clamp(min=1) / counts.clamp(min=1)
    return torch.where(state >= 0, alpha[state.clamp(min=0)], 1.0)
