"""Attention in blocks is PyTorch's own attention, forward and backward. Needs the engine environment."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.training import checkpoint as checkpoints  # noqa: E402
from vigil_recipe.training.attention import BLOCK, attend  # noqa: E402
from vigil_recipe.training.model import hasten  # noqa: E402

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("length", [1, BLOCK - 1, BLOCK, 2 * BLOCK + 37])
def test_values_and_gradients_are_those_of_the_fused_attention(length: int) -> None:
    torch.manual_seed(length)
    heads = {"query": 4, "key": 2, "value": 2}
    inputs = [torch.randn(3, count, length, 16, dtype=torch.float64, requires_grad=True) for count in heads.values()]
    weight = torch.randn(3, length, 4, 16, dtype=torch.float64)

    query, key, value = inputs
    mine, _ = attend(torch.nn.Module(), query, key, value, None)
    shared = [tensor.repeat_interleave(2, dim=1) for tensor in (key, value)]
    fused = torch.nn.functional.scaled_dot_product_attention(query, *shared, is_causal=True).transpose(1, 2)
    torch.testing.assert_close(mine, fused)

    gradients = torch.autograd.grad((mine * weight).sum(), inputs)
    expected = torch.autograd.grad((fused * weight).sum(), inputs)
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_under_autocast_it_works_in_bfloat16_and_gives_gradients_of_each_inputs_own_kind() -> None:
    torch.manual_seed(7)
    query, key, value = (torch.randn(2, heads, 2 * BLOCK + 5, 16, requires_grad=True) for heads in (4, 2, 2))
    half = value.detach().bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed, _ = attend(torch.nn.Module(), query, key, half, None)
    exact, _ = attend(torch.nn.Module(), query, key, value, None)
    assert mixed.dtype == torch.bfloat16
    torch.testing.assert_close(mixed.float(), exact, atol=0.03, rtol=0.03)

    gradients = torch.autograd.grad(mixed.float().square().sum(), (query, key, half))
    expected = torch.autograd.grad(exact.square().sum(), (query, key, value))
    assert [one.dtype for one in gradients] == [torch.float32, torch.float32, torch.bfloat16]
    for ours, theirs in zip(gradients, expected, strict=True):
        assert (ours.float() - theirs).norm() < 0.02 * theirs.norm()


def test_a_mask_and_a_cache_are_left_to_the_fused_attention() -> None:
    """One query at the end of a longer sequence, as in generation, sees all of its keys."""
    torch.manual_seed(2)
    query, key, value = (torch.randn(1, 2, length, 8) for length in (1, 5, 5))
    module = torch.nn.Module()
    mixed, _ = attend(module, query, key, value, None)
    plain = (query @ key.transpose(2, 3) * 8**-0.5).softmax(-1) @ value
    torch.testing.assert_close(mixed, plain.transpose(1, 2))

    query, key, value = (torch.randn(1, 2, 5, 8) for _ in range(3))
    only_itself = torch.eye(5, dtype=torch.bool)[None, None]
    masked, _ = attend(module, query, key, value, only_itself)
    torch.testing.assert_close(masked, value.transpose(1, 2))


def test_a_hastened_model_says_what_the_stock_one_says() -> None:
    torch.manual_seed(4)
    model = checkpoints.fresh().model.eval()
    ids = torch.randint(10, model.config.text_config.vocab_size, (2, 300))
    stock = model(input_ids=ids).logits
    mine = hasten(model)(input_ids=ids).logits
    assert "CausalBlocksBackward" not in nodes_behind(stock)
    assert "CausalBlocksBackward" in nodes_behind(mine)
    torch.testing.assert_close(mine, stock, atol=1e-4, rtol=1e-4)


def test_padding_in_front_of_a_hastened_model_changes_nothing_behind_it() -> None:
    torch.manual_seed(5)
    model = hasten(checkpoints.fresh(layers=3).model.eval())
    ids = torch.randint(10, model.config.text_config.vocab_size, (1, 40))
    padded = torch.nn.functional.pad(ids, (7, 0))
    seen = torch.nn.functional.pad(torch.ones_like(ids), (7, 0))
    with torch.no_grad():
        plain = model(input_ids=ids).logits
        behind = model(input_ids=padded, attention_mask=seen).logits[:, 7:]
    torch.testing.assert_close(behind, plain, atol=1e-4, rtol=1e-4)


def test_another_attention_that_was_asked_for_stays() -> None:
    model = checkpoints.fresh(layers=3).model
    model.set_attn_implementation("eager")
    assert hasten(model).config.text_config._attn_implementation == "eager"


def nodes_behind(value: Any) -> set[str]:
    """The names of all steps that a value came from."""
    names, waiting = set[str](), [value.grad_fn]
    seen = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        names.add(node.name())
        waiting += [one for one, _ in node.next_functions]
    return names
