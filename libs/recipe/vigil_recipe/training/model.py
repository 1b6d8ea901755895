"""The small model: stock Qwen3-VL architecture, with a forward that is faster on a CPU."""

from __future__ import annotations

from types import MethodType

import torch
from torch import Tensor, nn
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.models.qwen3_vl.modeling_qwen3_vl import apply_rotary_pos_emb_vision

from vigil_recipe.lessons.frame_labels import FRAME_LABELS
from vigil_recipe.training.attention import IN_BLOCKS

PATCH = 16
MERGE = 2
WIDTH = 192


def make_config(vocabulary: int, token_ids: dict[str, int], layers: int = 6) -> Qwen3VLConfig:
    """About 5 M parameters at 6 layers: ViT 4 x 128, language model of width 192, deepstack into its first 3 layers.

    Raises ValueError with fewer than three layers.
    """
    if layers < 3:
        raise ValueError(f"the vision tower feeds three layers of the language model, so {layers} are too few")
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [12, 10, 10], "mrope_interleaved": True}
    text = {
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "intermediate_size": 512,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 64,
        "max_position_embeddings": 32768,
        "rope_parameters": rope,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": token_ids["<|im_end|>"],
        "pad_token_id": token_ids["<|endoftext|>"],
    }
    vision = {
        "depth": 4,
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_heads": 4,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "out_hidden_size": WIDTH,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0, 1, 2],
    }
    return Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=token_ids["<|image_pad|>"],
        video_token_id=token_ids["<|video_pad|>"],
        vision_start_token_id=token_ids["<|vision_start|>"],
        vision_end_token_id=token_ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )


def hasten(model: Qwen3VLForConditionalGeneration) -> Qwen3VLForConditionalGeneration:
    """Give a model the fast vision forward, in place: for batches of equal-sized still frames, patched by
    ``patchify``; and attention in blocks for its text in place of "sdpa". Its state dict stays the stock one."""
    if model.config.text_config._attn_implementation == "sdpa":
        model.set_attn_implementation({"text_config": IN_BLOCKS})
    visual = model.model.visual
    visual.patch_embed.forward = MethodType(_embed_still_patches, visual.patch_embed)
    for block in visual.blocks:
        block.attn.forward = MethodType(_attend_equal_frames, block.attn)
    return model


def patchify(frames: Tensor) -> Tensor:
    """uint8 frames (N, H, W, 3) to patches (N * H/16 * W/16, 3 * 16 * 16) in merge order, scaled to [-1, 1].

    One temporal slice only: a still frame fills both slices of the patch embedding alike (see _embed_still_patches).
    """
    count, height, width, _ = frames.shape
    rows, columns = height // (PATCH * MERGE), width // (PATCH * MERGE)
    grid = (frames.float() / 127.5 - 1).reshape(count, rows, MERGE, PATCH, columns, MERGE, PATCH, 3)
    return grid.permute(0, 1, 4, 2, 5, 7, 3, 6).reshape(count * rows * columns * MERGE * MERGE, 3 * PATCH * PATCH)


def stock_patchify(frames: Tensor) -> Tensor:
    """As ``patchify``, for the stock forward: (patches, 3 * 2 * 16 * 16), both temporal slices alike."""
    still = patchify(frames).reshape(-1, 3, 1, PATCH, PATCH)
    return still.expand(-1, -1, 2, -1, -1).reshape(len(still), -1)


def grid_of(frames: Tensor) -> Tensor:
    """image_grid_thw of the frames: (N, 3) of (1, H/16, W/16)."""
    count, height, width, _ = frames.shape
    return torch.tensor([[1, height // PATCH, width // PATCH]], device=frames.device).expand(count, 3).contiguous()


def _embed_still_patches(self: nn.Module, hidden_states: Tensor) -> Tensor:
    """The stock Conv3d over two equal slices, as one matrix product (a strided Conv3d is slow on a CPU)."""
    weight = self.proj.weight.sum(dim=2).flatten(1)
    return nn.functional.linear(hidden_states, weight, self.proj.bias)


def _attend_equal_frames(
    self: nn.Module,
    hidden_states: Tensor,
    cu_seqlens: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    **_: object,
) -> Tensor:
    """The stock attention inside each frame, batched: every frame of a batch has the same number of patches."""
    frames = cu_seqlens.numel() - 1
    patches = hidden_states.shape[0] // frames
    query, key, value = self.qkv(hidden_states).reshape(-1, 3, self.num_heads, self.head_dim).unbind(1)
    query, key = apply_rotary_pos_emb_vision(query, key, *position_embeddings)
    shape = (frames, patches, self.num_heads, self.head_dim)
    query, key, value = (part.reshape(shape).transpose(1, 2) for part in (query, key, value))
    shares = ((query * self.head_dim**-0.5) @ key.transpose(-1, -2)).softmax(-1)
    mixed = shares @ value  # the fused one takes seven times as long for so few patches, on a CPU
    return self.proj(mixed.transpose(1, 2).reshape(hidden_states.shape[0], -1))


class SightProbe(nn.Module):  # type: ignore[misc]  # torch is not in the workspace environment
    """A training aid: predicts each of ``FRAME_LABELS`` from a frame's visual tokens, wherever it is in the picture.

    Multiple-instance logits: the log-sum-exp over tokens of a linear map. It is not exported.
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.read = nn.Linear(WIDTH, len(FRAME_LABELS))
        nn.init.constant_(self.read.bias, -4.0)

    def forward(self, tokens: Tensor, frames: int) -> Tensor:
        """Logits (frames, labels) from visual tokens (frames * tokens per frame, WIDTH)."""
        return self.read(self.norm(tokens.float())).reshape(frames, -1, len(FRAME_LABELS)).logsumexp(1)
