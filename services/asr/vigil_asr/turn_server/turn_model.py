"""smart-turn 3.2 on the CPU: whether the speaker has finished, from how it sounds. Runs without Vigil."""

from pathlib import Path

import onnxruntime
from features import features


class Model:
    """The loaded weights. For one caller at a time."""

    def __init__(self, file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def complete(self, pcm: bytes) -> float:
        """The probability that the turn is complete, 0 to 1."""
        (found,) = self._session.run(None, {"input_features": features(pcm)[None]})
        return float(found.ravel()[0])
