"""dlib as a `Finder`: its frontal detector and its face network, on the CPU. An optional extra (`make modules`)."""

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from finding import Box
from PIL import Image

from faces.watching import Face

MOST_SIDE = 800
UPSAMPLED = 1  # faces from about 40 pixels on are found
MOST_FACES = 16
LEAST_SCORE = 0.2


class DlibFinder:
    """Loads the weights that the package `face_recognition_models` carries; nothing is downloaded."""

    def __init__(self) -> None:
        import dlib

        package = importlib.util.find_spec("face_recognition_models")
        if package is None or not package.submodule_search_locations:
            raise ModuleNotFoundError("no module named 'face_recognition_models'", name="face_recognition_models")
        weights = Path(package.submodule_search_locations[0]) / "models"
        self._detector: Any = dlib.get_frontal_face_detector()
        self._points: Any = dlib.shape_predictor(str(weights / "shape_predictor_5_face_landmarks.dat"))
        self._network: Any = dlib.face_recognition_model_v1(str(weights / "dlib_face_recognition_resnet_model_v1.dat"))

    def faces(self, jpeg: bytes) -> Sequence[Face]:
        """The faces in a JPEG, the clearest first."""
        with Image.open(io.BytesIO(jpeg)) as opened:
            picture = opened.convert("RGB")
        shrink = min(1.0, MOST_SIDE / max(picture.size))
        if shrink < 1:
            picture = picture.resize((round(picture.width * shrink), round(picture.height * shrink)))
        pixels = np.asarray(picture)
        rectangles, scores, _ = self._detector.run(pixels, UPSAMPLED, LEAST_SCORE)
        found = sorted(zip(scores, rectangles, strict=True), key=lambda pair: -pair[0])[:MOST_FACES]
        return tuple(self._face(pixels, rectangle, shrink) for _, rectangle in found)

    def _face(self, pixels: Any, rectangle: Any, shrink: float) -> Face:
        numbers = self._network.compute_face_descriptor(pixels, self._points(pixels, rectangle))
        return Face(tuple(float(number) for number in numbers), _box(rectangle, shrink))


def _box(rectangle: Any, shrink: float) -> Box:
    left, top = (max(0, round(edge / shrink)) for edge in (rectangle.left(), rectangle.top()))
    right, bottom = (round(edge / shrink) for edge in (rectangle.right(), rectangle.bottom()))
    return left, top, max(1, right - left), max(1, bottom - top)
