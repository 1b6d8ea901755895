"""The size of a JPEG, read from its markers. Nothing is decoded or copied, so it takes microseconds. Pure."""

from collections.abc import Iterator

_START, _END = b"\xff\xd8", b"\xff\xd9"
_SCAN = 0xDA
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive: every decoder reads these


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a JPEG that is whole from its start to its end marker; None for anything else.

    Damage within the coded pixels is not noticed: a decoder skips it and still gives a picture.
    """
    size: tuple[int, int] | None = None
    for marker, start, end in _segments(data):
        if marker in _FRAMES:
            size = int.from_bytes(data[start + 3 : start + 5]), int.from_bytes(data[start + 1 : start + 3])
        elif marker == _SCAN:
            return size if data.rfind(_END, end) >= 0 else None
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment's content, up to the first scan or to a broken segment."""
    at = len(_START) if data.startswith(_START) else len(data)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        if length < 2 or at + 2 + length > len(data):
            return
        yield marker, at + 4, at + 2 + length
        at += 2 + length
