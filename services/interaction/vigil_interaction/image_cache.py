"""How many sessions fit into an engine's picture cache.

A picture that a prompt names by UUID must still be in the engine's multimodal processor cache, also when its keys and
values are cached. Beyond that size every turn of every session misses and sends all its pictures again, so the size is
a limit of capacity and not an error to handle. Measured on vLLM 0.32: 1.6 MB for 512x512 pixels, 0.1 MB for 128x128.
"""

from vigil.core.profile import PromptProfile

BYTES_PER_PIXEL = 6


def picture_bytes(profile: PromptProfile) -> int:
    """What the largest picture of the profile takes in the cache."""
    return profile.max_pixels * BYTES_PER_PIXEL


def image_capacity(cache_bytes: int, profile: PromptProfile, window_frames: int) -> int:
    """Sessions whose windows of `window_frames` pictures fit into `cache_bytes`; at least one."""
    return max(1, cache_bytes // (picture_bytes(profile) * window_frames))
