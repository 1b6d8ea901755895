"""A client's picture as text, to its bytes: data URLs and base64. Pure; nothing is ever fetched."""

import base64
import binascii
import re

from vigil_gateway.api.turn_errors import PictureRefused

MAX_PICTURE_BYTES = 5 * 1024 * 1024
HOW = "send a data URL of a JPEG, PNG or WebP: data:image/jpeg;base64,…"
_DATA_URL = re.compile(r"data:image/(?:jpeg|jpg|png|webp)(?:;[\w-]+=[^;,]{0,80})*;base64,", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"data:([\w./+-]{1,40})[;,]", re.IGNORECASE)
_WHITESPACE = str.maketrans("", "", " \t\r\n")


def decoded(url: str) -> bytes:
    """The bytes of a data URL. Raises `PictureRefused`."""
    head = _DATA_URL.match(url)
    if head is None:
        raise PictureRefused(f"the picture {_what_instead(url)}: {HOW}")
    return from_base64(url[head.end() :])


def from_base64(text: str) -> bytes:
    """The bytes of base64 text, which may be wrapped into lines and may lack its padding. Raises `PictureRefused`."""
    plain = text.translate(_WHITESPACE).rstrip("=")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise PictureRefused(f"the picture is not valid base64{_why(plain)}: {HOW}") from None
    return bounded(data)


def bounded(data: bytes) -> bytes:
    """A picture's bytes when they are not too many, else `PictureRefused`."""
    if len(data) > MAX_PICTURE_BYTES:
        raise PictureRefused(f"the picture has {len(data):,} bytes: at most {MAX_PICTURE_BYTES:,} are allowed")
    return data


def _what_instead(url: str) -> str:
    if found := _MEDIA_TYPE.match(url):
        kind = found[1].lower()
        return f"is {kind} without base64" if _DATA_URL.match(f"data:{kind};base64,") else f"is {kind}"
    if "://" in url[:16]:
        return "is an address, and pictures are never fetched"
    return "is no data URL of an image"


def _why(text: str) -> str:
    if "%" in text:
        return " (it is percent-encoded)"
    return " (it is base64url, with - and _)" if "-" in text or "_" in text else ""
