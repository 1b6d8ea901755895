"""From one picture after the other to what is told of the zones. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from finding import Box, Finding
from PIL import Image, ImageChops, ImageDraw
from presence import Patience, Presence, look

from zones.motion import Background, step
from zones.zone import Zone

PATIENCE = Patience(come_looks=1, gone_s=3.0)  # at a picture a second who walks by is seen once or twice


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a session's picture."""

    background: Background | None = None
    presence: Presence = field(default_factory=Presence)


def watch(
    watched: Watched, picture: Image.Image, zones: Sequence[Zone], at_us: int, size: tuple[int, int]
) -> tuple[Watched, tuple[Finding, ...]]:
    """Take in one picture (as `motion.small` gives it) of `size` pixels (width, height) and tell what it changed."""
    background, moving = step(watched.background, picture)
    boxes = {zone.name: box for zone in zones if (box := _motion_in(zone, moving, size)) is not None}
    presence, changes = look(watched.presence, boxes, at_us, PATIENCE)
    findings = [Finding(f"something moves in {name}", box=boxes[name]) for name in changes.came]
    findings += [Finding(f"nothing moves in {name} any more") for name in changes.went]
    return Watched(background, presence), tuple(findings)


def _motion_in(zone: Zone, moving: Image.Image, size: tuple[int, int]) -> Box | None:
    """The box around what moves in a zone; None where too little does."""
    shape = Image.new("L", moving.size)
    corners = [(x * (moving.width - 1), y * (moving.height - 1)) for x, y in zone.polygon]
    ImageDraw.Draw(shape).polygon(corners, fill=255)
    within = ImageChops.darker(moving, shape)
    edges = within.getbbox()
    if edges is None or within.histogram()[255] < zone.least_share * shape.histogram()[255]:
        return None
    left, top, right, bottom = edges
    across, down = size[0] / moving.width, size[1] / moving.height
    start = round(left * across), round(top * down)
    return (*start, max(1, round(right * across) - start[0]), max(1, round(bottom * down) - start[1]))
