"""A rendered camera as a video file: ``python -m vigil_recipe.render.camera --out demo.mp4 --episode demo``.

Played in a loop as a live source it is an endless camera: the demo episode ends as quiet as it begins.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import av

from vigil_recipe.world import Episode, Kind, Span, Split, Stage, make_episode, render

SIZE = (640, 384)
FRAMES_PER_S = 15
DEMO_SEED = 3297
DEMO_SECONDS = 90
DEMO_SPANS = (
    Span(Kind.FIRE, 14, 26),
    Span(Kind.FALL, 38, 48),
    Span(Kind.FIRE, 58, 68),
    Span(Kind.DOOR, 74, 82),
)


def demo_episode() -> Episode:
    """90 s in a room: quiet with people passing, a fire, a fall, a second fire, a door, quiet again."""
    return make_episode(DEMO_SEED, Split.TEST, DEMO_SECONDS, spans=DEMO_SPANS, layout="room")


def render_mp4(episode: Episode, path: Path, *, size: tuple[int, int] = SIZE, frames_per_s: int = FRAMES_PER_S) -> None:
    """Write the whole episode as H.264 in an MP4, whole or not at all. A key frame every second lets a reader join."""
    part = path.with_name(path.name + ".part")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=frames_per_s, options={"crf": "26", "preset": "veryfast"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.gop_size = frames_per_s
        for index in range(episode.seconds * frames_per_s):
            frame = av.VideoFrame.from_ndarray(render(episode, index / frames_per_s, size), format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    part.rename(path)


def main(argv: Sequence[str] | None = None) -> int:
    """Render the demo's episode, or the test episode of a seed."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.render.camera", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the MP4 to write")
    parser.add_argument("--episode", default="demo", help="'demo', or the seed of a test episode")
    parser.add_argument("--seconds", type=int, default=DEMO_SECONDS, help="length of a seed's episode")
    parser.add_argument("--stage", type=Stage, choices=list(Stage), default=Stage.PLAIN, help="of a seed's episode")
    options = parser.parse_args(argv)
    if options.episode == "demo":
        episode = demo_episode()
    elif options.episode.isdecimal() and options.seconds > 0:
        episode = make_episode(int(options.episode), Split.TEST, options.seconds, stage=options.stage)
    else:
        parser.error(f"--episode is 'demo' or a seed such as 12, and --seconds is positive; got {options.episode!r}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    render_mp4(episode, options.out)
    for span in episode.spans:
        sys.stdout.write(f"{span.kind:>6} {span.start_s:>3} s to {span.end_s} s\n")
    for shown in episode.screen:
        sys.stdout.write(f"{'sign':>6} {shown.start_s:>3} s to {shown.end_s} s: {shown.word}\n")
    for second in episode.crossings:
        sys.stdout.write(f"{'passer':>6} {second:>3} s\n")
    sys.stdout.write(f"wrote {options.out}: {episode.seconds} s, {FRAMES_PER_S} frames a second\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
