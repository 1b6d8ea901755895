"""Pictures for the tests of the example modules: drawn, rendered and filmed."""

import io
from collections.abc import Iterator
from pathlib import Path

import av
from PIL import Image, ImageDraw, ImageFont

SIZE = (640, 384)


def encoded(picture: Image.Image, quality: int = 85) -> bytes:
    """A picture as a JPEG."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def room(*boxes: tuple[int, int, int, int], light: int = 120) -> bytes:
    """A JPEG of a grey room with dark boxes in it (left, top, right, bottom)."""
    picture = Image.new("RGB", SIZE, (light, light, light))
    pen = ImageDraw.Draw(picture)
    for row in range(0, SIZE[1], 48):  # what a room has: edges
        pen.line((0, row, SIZE[0], row), fill=(light // 2,) * 3, width=6)
    for box in boxes:
        pen.rectangle(box, fill=(light // 6,) * 3)
    return encoded(picture)


def squares(start: int) -> bytes:
    """A JPEG of black and white squares, moved to the right by `start` pixels."""
    picture = Image.new("RGB", SIZE, "white")
    for x in range(start - 128, SIZE[0], 128):
        for y in range(0, SIZE[1], 128):
            ImageDraw.Draw(picture).rectangle((x, y, x + 63, y + 127), fill="black")
    return encoded(picture)


def captioned(jpeg: bytes, caption: str) -> bytes:
    """A picture with a sign in its corner."""
    with Image.open(io.BytesIO(jpeg)) as opened:
        picture = opened.convert("RGB")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=36)
    box = pen.textbbox((24, 20), caption, font)
    pen.rectangle((box[0] - 12, box[1] - 10, box[2] + 12, box[3] + 10), fill=(20, 60, 130))
    pen.text((24, 20), caption, (250, 250, 250), font)
    return encoded(picture)


def filmed(path: Path, size: tuple[int, int] = (640, 360)) -> Iterator[bytes]:
    """A picture of each second of a video."""
    with av.open(str(path)) as container:
        due_s = 0
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= due_s:
                due_s += 1
                pixels = frame.reformat(width=size[0], height=size[1], format="rgb24").to_ndarray()
                yield encoded(Image.fromarray(pixels))
