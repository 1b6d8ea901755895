"""The prompt's bytes, written out by hand."""

from __future__ import annotations

from vigil_recipe.text import prompt_format


def test_two_turns_byte_for_byte() -> None:
    text = prompt_format.system_block() + prompt_format.user_block(["Alert me when a fire starts."], 0.0, [2])
    text += prompt_format.reply_block("</silence>") + prompt_format.user_block([], 1.0, [1, 1])
    assert text == (
        "<|im_start|>system\nYou watch a camera.<|im_end|>\n"
        "<|im_start|>user\nAlert me when a fire starts.\n<0.0 seconds>\n"
        "<|vision_start|><|image_pad|><|image_pad|><|vision_end|><|im_end|>\n"
        "<|im_start|>assistant\n</silence><|im_end|>\n"
        "<|im_start|>user\n<1.0 seconds>\n"
        "<|vision_start|><|image_pad|><|vision_end|>\n<|vision_start|><|image_pad|><|vision_end|><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_chunk_that_begins_late_repeats_its_instructions() -> None:
    block = prompt_format.user_block(["Tell me if someone falls.", "What do you see?"], 137.0, [1])
    assert block.startswith("<|im_start|>user\nTell me if someone falls.\nWhat do you see?\n<137.0 seconds>\n<|vision")
