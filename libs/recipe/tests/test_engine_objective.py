"""The objective's variants, by value against hand computation. Needs the engine environment."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.text.sequences import IGNORED, Role  # noqa: E402
from vigil_recipe.training.objective import (  # noqa: E402
    FOCAL,
    HARNESS,
    PAPER,
    PLAIN,
    SUM_OF_WEIGHTS,
    Normaliser,
    Objective,
    state_weights,
)

pytestmark = pytest.mark.engine

# First silence, two repeated ones, a response with a word, a word that is not learnt.
ROLES = torch.tensor(
    [Role.FIRST_SILENCE, Role.REPEATED_SILENCE, Role.REPEATED_SILENCE, Role.RESPONSE, Role.WORD, Role.WORD]
)
LABELS = torch.tensor([0, 0, 0, 1, 2, IGNORED])
# The probability of the right token is 0.5, 0.8, 0.25, 0.1, 0.4 in turn.
RIGHT = (0.5, 0.8, 0.25, 0.1, 0.4)


def logits() -> Any:
    rows = []
    for label, p in zip(LABELS.tolist(), (*RIGHT, 0.5), strict=True):
        row = torch.full((3,), math.log((1 - p) / 2))
        row[max(label, 0)] = math.log(p)
        rows.append(row)
    return torch.stack(rows)


CE = [-math.log(p) for p in RIGHT]


@pytest.mark.parametrize(
    ("objective", "weights", "divisor"),
    [
        (PLAIN, (1, 1, 1, 1, 1), 5),
        (PAPER, (1, 0.4, 0.4, 1.5, 1), 5),
        (HARNESS, (1, 0.8, 0.8, 1.5, 1), 5),
        (SUM_OF_WEIGHTS, (1, 0.4, 0.4, 1.5, 1), 4.3),
    ],
)
def test_fixed_weights(objective: Objective, weights: tuple[float, ...], divisor: float) -> None:
    expected = sum(weight * ce for weight, ce in zip(weights, CE, strict=True)) / divisor
    assert float(objective.loss(logits(), LABELS, ROLES)) == pytest.approx(expected, rel=1e-5)


def test_focal_weighs_states_by_their_rarity_and_doubt() -> None:
    # Three silences and one response: alpha is 4 / 2 / 3 for silence and 4 / 2 / 1 for the response.
    alpha = (2 / 3, 2 / 3, 2 / 3, 2)
    focal = [a * (1 - p) ** 2 * ce for a, p, ce in zip(alpha, RIGHT, CE, strict=False)]
    expected = (sum(focal) + CE[4]) / 5
    assert float(FOCAL.loss(logits(), LABELS, ROLES)) == pytest.approx(expected, rel=1e-5)


def test_state_weights_count_only_what_is_learnt() -> None:
    roles = torch.tensor([Role.FIRST_SILENCE, Role.RESPONSE, Role.DELEGATION, Role.RESPONSE, Role.WORD])
    learnt = torch.tensor([True, True, True, False, True])
    assert state_weights(roles, learnt).tolist() == pytest.approx([1, 1, 1, 1, 1])
    assert state_weights(roles, torch.tensor([True] * 5)).tolist() == pytest.approx([4 / 3, 2 / 3, 4 / 3, 2 / 3, 1])


def test_nothing_learnt_is_no_loss_and_no_nan() -> None:
    labels = torch.full((6,), IGNORED)
    for objective in (PAPER, SUM_OF_WEIGHTS, FOCAL):
        assert float(objective.loss(logits(), labels, ROLES)) == 0


def test_a_certain_token_has_a_finite_focal_gradient() -> None:
    certain = torch.tensor([[50.0, -50.0]], requires_grad=True)
    FOCAL.loss(certain, torch.tensor([0]), torch.tensor([int(Role.RESPONSE)])).backward()
    assert certain.grad is not None
    assert certain.grad.isfinite().all()


@pytest.mark.parametrize("wrong", [{"response": -1}, {"first_silence": float("inf")}, {"focal_gamma": 0.5}])
def test_weights_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Objective(**wrong)  # type: ignore[arg-type]


def test_the_normaliser_is_named_in_settings() -> None:
    assert Normaliser("weights") is SUM_OF_WEIGHTS.normaliser
