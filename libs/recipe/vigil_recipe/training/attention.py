"""Causal attention in blocks of queries, for training on a CPU, where it takes six tenths of the time of PyTorch's own.

A block of queries is multiplied only with the keys up to its end, which saves nearly half of the products; the heads
that share a key (grouped-query attention) are multiplied at once. What is kept for the backward pass grows with the
square of the length: at 2,000 tokens 16 MB a layer and sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import custom_bwd, custom_fwd
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

IN_BLOCKS = "causal_blocks"
BLOCK = 128  # queries


class CausalBlocks(torch.autograd.Function):  # type: ignore[misc]  # torch is not in the workspace environment
    """Attention of queries (N, G, L, D), scaled already, to keys and values (N, L, D) that G heads share."""

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.bfloat16)  # type: ignore[untyped-decorator]
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """The mixed values (N, G, L, D)."""
        groups, length = query.shape[1:3]
        later = torch.full((BLOCK, BLOCK), float("-inf"), dtype=query.dtype).triu_(1)
        mixed, shares = torch.empty_like(query), []
        for begin, end in _blocks(length):
            size = end - begin
            scores = _rows(query, begin, end) @ key[:, :end].transpose(1, 2)
            scores.unflatten(1, (groups, size))[..., begin:] += later[:size, :size]
            share = scores.softmax(-1)
            mixed[:, :, begin:end] = (share @ value[:, :end]).unflatten(1, (groups, size))
            shares.append(share)
        ctx.save_for_backward(query, key, value, *shares)
        return mixed

    @staticmethod
    @custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of the three inputs."""
        (gradient,) = gradients
        query, key, value, *shares = ctx.saved_tensors
        groups, length = query.shape[1:3]
        of_query = torch.empty_like(query)
        # sums over blocks
        of_key, of_value = (torch.zeros(tensor.shape, dtype=torch.float32) for tensor in (key, value))
        for (begin, end), share in zip(_blocks(length), shares, strict=True):
            above = _rows(gradient, begin, end)
            of_value[:, :end] += share.transpose(1, 2) @ above
            of_share = above @ value[:, :end].transpose(1, 2)
            of_scores = torch._softmax_backward_data(of_share, share, -1, share.dtype)  # in one pass over the block
            of_query[:, :, begin:end] = (of_scores @ key[:, :end]).unflatten(1, (groups, end - begin))
            of_key[:, :end] += of_scores.transpose(1, 2) @ _rows(query, begin, end)
        return of_query, of_key.to(key.dtype), of_value.to(value.dtype)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    **more: Any,
) -> tuple[Tensor, Tensor | None]:
    """A Transformers attention function: (B, heads, L, D) to (B, L, heads, D).

    No mask and as many keys as queries mean causal attention of whole sequences to themselves, without dropout, as this
    model has none. All else (a mask, a cache) and all of it on a GPU is left to PyTorch's own.
    """
    length, size = query.shape[2:]
    if attention_mask is not None or key.shape[2] != length or query.device.type != "cpu":
        mixed, shares = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **more)
        return mixed, shares
    shared = key.shape[0] * key.shape[1]
    mixed = CausalBlocks.apply(
        (query * (size**-0.5 if scaling is None else scaling)).reshape(shared, -1, length, size),
        key.reshape(shared, length, size),
        value.reshape(shared, length, size),
    )
    return mixed.reshape(query.shape).transpose(1, 2), None


def _blocks(length: int) -> Iterator[tuple[int, int]]:
    return ((begin, min(length, begin + BLOCK)) for begin in range(0, length, BLOCK))


def _rows(values: Tensor, begin: int, end: int) -> Tensor:
    """(N, G, L, D) to the rows of one block, (N, G * block, D)."""
    return values[:, :, begin:end].flatten(1, 2)


AttentionInterface.register(IN_BLOCKS, attend)
AttentionMaskInterface.register(IN_BLOCKS, sdpa_mask)
