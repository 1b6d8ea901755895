"""RapidOCR as a `Reader`: PP-OCRv6 small, on the CPU. An optional extra (`make modules`)."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from text.reading import Reading

THREADS = 1
LEAST_SIDE = 320  # smaller pictures are enlarged: letters of under ten pixels are not found


class RapidReader:
    """Loads the weights that its package carries; nothing is downloaded."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        engine = {"EngineConfig.onnxruntime.intra_op_num_threads": THREADS}
        self._ocr: Any = RapidOCR(params={**engine, "Global.log_level": "error"})

    def read(self, jpeg: bytes) -> Sequence[Reading]:
        """The lines of text in a JPEG. Raises `OSError` for what is no picture."""
        with Image.open(io.BytesIO(jpeg)) as opened:
            picture = opened.convert("RGB")
        times = -(-LEAST_SIDE // min(picture.size))
        if times > 1:
            picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.BICUBIC)
        found = self._ocr(np.asarray(picture)[:, :, ::-1])
        if found.txts is None:
            return ()
        rows = zip(found.txts, found.scores, found.boxes, strict=True)
        return tuple(_reading(text, score, corners, times) for text, score, corners in rows)


def _reading(text: str, score: float, corners: Any, times: int) -> Reading:
    """`corners` are the four of a region that may be tilted, in pixels of the enlarged picture."""
    left, top = (max(0, int(edge)) for edge in corners.min(axis=0) / times)
    right, bottom = (int(edge) for edge in corners.max(axis=0) / times)
    return Reading(text, float(score), (left, top, max(1, right - left), max(1, bottom - top)))
