"""Turns a decoded picture into the JPEG that everything downstream uses."""

import io

import av
from av.video.reformatter import Interpolation
from PIL import Image

from vigil.contract.frames import Frame
from vigil.core.profile import PromptProfile

Image.preinit()  # otherwise the first picture imports the formats, and is late


def encode(picture: av.VideoFrame, capture_us: int, profile: PromptProfile) -> Frame:
    """Scale by area averaging to the profile's size and encode at its quality. Raises for a broken picture."""
    width, height = profile.fit(picture.width, picture.height)
    small = picture.reformat(width, height, format="rgb24", interpolation=Interpolation.AREA)
    buffer = io.BytesIO()
    Image.fromarray(small.to_ndarray()).save(buffer, "JPEG", quality=profile.jpeg_quality)
    return Frame(buffer.getvalue(), width, height, capture_us)
