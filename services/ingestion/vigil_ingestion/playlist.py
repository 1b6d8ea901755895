"""Whether a source that is no video is a list of videos: HLS, DASH, concat. Only for the words of its refusal."""

from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from vigil.core.source import SourceKind
from vigil_ingestion.address import Address

ENDINGS = frozenset({".m3u8", ".m3u", ".mpd", ".ffconcat", ".pls", ".asx", ".xspf", ".ism", ".smil"})
BEGINNINGS = (b"#EXTM3U", b"ffconcat", b"file ", b"[playlist]", b"<MPD", b"<smil", b"<asx")
_HEAD_BYTES = 512


def is_playlist(address: Address) -> bool:
    """By the end of its name, or by the beginning of a file. Never raises."""
    is_file = address.kind is SourceKind.FILE
    path = address.url.removeprefix("file:") if is_file else unquote(urlsplit(address.url).path)
    if PurePosixPath(path).suffix.lower() in ENDINGS:
        return True
    if not is_file:
        return False
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")
    except (OSError, ValueError):
        return False
    return head.startswith(BEGINNINGS) or (head.startswith(b"<?xml") and (b"<MPD" in head or b"<smil" in head))
