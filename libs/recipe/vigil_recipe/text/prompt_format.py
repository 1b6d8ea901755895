"""The exact bytes of the ``vigil-small`` prompt, in training and in serving alike."""

from __future__ import annotations

from collections.abc import Sequence

SYSTEM = "You watch a camera."
IMAGE_PAD = "<|image_pad|>"
TURN_END = "<|im_end|>"


def system_block(system: str = SYSTEM) -> str:
    """The first block of every chunk."""
    return f"<|im_start|>system\n{system}{TURN_END}\n"


def image_block(tokens: int) -> str:
    """One image of ``tokens`` visual tokens."""
    return f"<|vision_start|>{IMAGE_PAD * tokens}<|vision_end|>"


def user_text(lines: Sequence[str], marker_s: float, image_tokens: Sequence[int]) -> str:
    """What one user turn says: new lines, one time marker, the images with a newline between."""
    text = "".join(f"{line}\n" for line in lines) + f"<{marker_s:.1f} seconds>\n"
    return text + "\n".join(image_block(tokens) for tokens in image_tokens)


def observation_line(
    module: str, kind: str, text: str, confidence: float | None = None, at_s: float | None = None
) -> str:
    """What a module tells, as one line of a user turn; ``at_s`` is its time where that is not the turn's own."""
    sure = "" if confidence is None else f", {confidence:.2f}"
    when = "" if at_s is None else f" at {at_s:.1f} seconds"
    return f"Observed: {module} ({kind}{sure}){when}: {text}"


def summary_text(prompt: str, markers_s: Sequence[float]) -> str:
    """What asks for the memory of a chunk: the prompt, then for each key frame its time marker and the image."""
    frames = "\n".join(f"<{marker_s:.1f} seconds>\n{image_block(1)}" for marker_s in markers_s)
    return f"{prompt}\n{frames}"


def merge_text(lines: Sequence[str]) -> str:
    """What asks to merge memory texts: the prompt, then one text a line."""
    return "\n".join(lines)


def user_text_block(content: str) -> str:
    """A user turn up to where the reply begins, around what it says."""
    return f"<|im_start|>user\n{content}{TURN_END}\n<|im_start|>assistant\n"


def user_block(lines: Sequence[str], marker_s: float, image_tokens: Sequence[int]) -> str:
    """One user turn up to where the reply begins."""
    return user_text_block(user_text(lines, marker_s, image_tokens))


def reply_block(reply: str) -> str:
    """The assistant's turn after its opening."""
    return f"{reply}{TURN_END}\n"
