"""Which coded pictures can be decoded without those before. Pure."""

H264_IDR, H264_SPS = 5, 7
_START = b"\x00\x00\x01"


def is_key(codec: str, data: bytes) -> bool:
    """Whether a picture of that codec (`VP8`, `H264` as Annex B) begins anew. Of another codec every one does."""
    match codec:
        case "VP8":
            return bool(data) and not data[0] & 1
        case "H264":
            return any(kind in (H264_IDR, H264_SPS) for kind in _nal_kinds(data))
        case _:
            return True


def _nal_kinds(data: bytes) -> list[int]:
    kinds, place = [], data.find(_START)
    while 0 <= place < len(data) - len(_START):
        kinds.append(data[place + len(_START)] & 0x1F)
        place = data.find(_START, place + len(_START))
    return kinds
