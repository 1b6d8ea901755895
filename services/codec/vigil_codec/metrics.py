"""What the codec counts. Labels never name a session."""

from prometheus_client import Counter, Histogram

CODED = Counter("vigil_codec_groups_coded", "Frame groups coded and given to the bus")
DROPPED = Counter(
    "vigil_codec_groups_dropped",
    "Frame groups left out: replaced (a newer one was there), overtaken (from a worker that lost its lease), "
    "invalid (unreadable), damaged (a frame is not a JPEG of its stated size), "
    "unpublished (the bus did not take it)",
    ["reason"],
)
TOKENS = Counter("vigil_codec_visual_tokens", "Visual tokens of all coded frames")
SECONDS = Histogram(
    "vigil_codec_group_seconds",
    "From the arrival of a group until its coded form was given to the bus",
    buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
)
