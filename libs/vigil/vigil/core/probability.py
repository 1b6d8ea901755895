"""p(silence), p(speak), p(delegate) of a turn, from the log-probabilities of the model's first token."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from vigil.core.profile import Spelling


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Normalised over the three actions. A delegation that follows a holding reply counts as speech here:
    its own token comes later (paper §3.3: a delegation always rides inside a response)."""

    silent: float
    speak: float
    delegate: float


def probabilities(first_token: Mapping[str, float], spelling: Spelling) -> Probabilities | None:
    """From token text to natural log-probability of the likeliest first tokens; None when no action word is there.

    A token counts for the action whose word it begins, when it begins only one. An action that is missing from the
    list has a probability below the smallest listed one; it counts as zero.
    """
    mass = [0.0, 0.0, 0.0]
    for token, log_probability in first_token.items():
        starts = [
            index for index, word in enumerate(spelling.words) if token.strip() and word.startswith(token.strip())
        ]
        if len(starts) == 1:
            mass[starts[0]] += math.exp(log_probability)
    total = sum(mass)
    return Probabilities(*(share / total for share in mass)) if total > 0 else None
