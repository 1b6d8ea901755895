"""Converts Whisper from the format of CTranslate2 to that of OpenAI, which FunASR loads.

python weights.py FOLDER OUT.pt
"""

import struct
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
_HEAD_SIZE = 64  # of every Whisper
_AUDIO_POSITIONS = 1500
_TEXT_POSITIONS = 448


def main(folder: Path, target: Path) -> None:
    """Write the weights of one model, with its dimensions, as `whisper.load_model` reads them."""
    with (folder / "model.bin").open("rb") as file:
        given = read(file)
    made = Converter(given)
    made.encoder()
    made.decoder()
    torch.save({"dims": made.dimensions(), "model_state_dict": made.state}, target)


def read(file: BinaryIO) -> dict[str, np.ndarray]:
    """The variables of a CTranslate2 model, by name; some have two names."""

    def number(kind: str) -> int:
        return struct.unpack(f"<{kind}", file.read(struct.calcsize(f"<{kind}")))[0]

    def name() -> str:
        return file.read(number("H")).rstrip(b"\0").decode()

    number("I")  # version of the format
    name()  # of the model's class
    number("I")  # its revision
    found = {}
    for _ in range(number("I")):
        label = name()
        shape = [number("I") for _ in range(number("B"))]
        kind = _TYPES[number("B")]
        found[label] = np.frombuffer(file.read(number("I")), kind).reshape(shape)
    for _ in range(number("I")):
        alias, label = name(), name()
        found[alias] = found[label]
    return found


class Converter:
    """Variables of CTranslate2 in, the `state` of OpenAI's model out."""

    def __init__(self, given: dict[str, np.ndarray]) -> None:
        self._given = given
        self.state: dict[str, torch.Tensor] = {}
        self._layers = {"encoder": 0, "decoder": 0}

    def encoder(self) -> None:
        for name in ("conv1", "conv2"):
            self._linear(f"encoder.{name}", f"encoder/{name}")
        self.state["encoder.positional_embedding"] = self._tensor("encoder/position_encodings/encodings")
        self._blocks("encoder")
        self._norm("encoder.ln_post", "encoder/layer_norm")

    def decoder(self) -> None:
        self.state["decoder.token_embedding.weight"] = self._tensor("decoder/embeddings/weight")
        self.state["decoder.positional_embedding"] = self._tensor("decoder/position_encodings/encodings")
        self._blocks("decoder")
        self._norm("decoder.ln", "decoder/layer_norm")

    def dimensions(self) -> dict[str, int]:
        words, width = self.state["decoder.token_embedding.weight"].shape
        return {
            "n_mels": self.state["encoder.conv1.weight"].shape[1],
            "n_audio_ctx": _AUDIO_POSITIONS,
            "n_audio_state": width,
            "n_audio_head": width // _HEAD_SIZE,
            "n_audio_layer": self._layers["encoder"],
            "n_vocab": words,
            "n_text_ctx": _TEXT_POSITIONS,
            "n_text_state": width,
            "n_text_head": width // _HEAD_SIZE,
            "n_text_layer": self._layers["decoder"],
        }

    def _blocks(self, side: str) -> None:
        while f"{side}/layer_{self._layers[side]}/ffn/linear_0/weight" in self._given:
            number = self._layers[side]
            to, of = f"{side}.blocks.{number}", f"{side}/layer_{number}"
            self._self_attention(f"{to}.attn", f"{of}/self_attention")
            if side == "decoder":
                self._cross_attention(f"{to}.cross_attn", f"{of}/attention")
            self._linear(f"{to}.mlp.0", f"{of}/ffn/linear_0")
            self._linear(f"{to}.mlp.2", f"{of}/ffn/linear_1")
            self._norm(f"{to}.mlp_ln", f"{of}/ffn/layer_norm")
            self._layers[side] += 1

    def _self_attention(self, to: str, of: str) -> None:
        """One matrix holds query, key and value."""
        weights = self._tensor(f"{of}/linear_0/weight").chunk(3)
        biases = self._tensor(f"{of}/linear_0/bias").chunk(3)
        self._attention(to, weights, biases)
        self._linear(f"{to}.out", f"{of}/linear_1")
        self._norm(f"{to}_ln", f"{of}/layer_norm")

    def _cross_attention(self, to: str, of: str) -> None:
        """One matrix is the query, the next one holds key and value."""
        weights = (self._tensor(f"{of}/linear_0/weight"), *self._tensor(f"{of}/linear_1/weight").chunk(2))
        biases = (self._tensor(f"{of}/linear_0/bias"), *self._tensor(f"{of}/linear_1/bias").chunk(2))
        self._attention(to, weights, biases)
        self._linear(f"{to}.out", f"{of}/linear_2")
        self._norm(f"{to}_ln", f"{of}/layer_norm")

    def _attention(self, to: str, weights: tuple[torch.Tensor, ...], biases: tuple[torch.Tensor, ...]) -> None:
        for name, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
            self.state[f"{to}.{name}.weight"] = weight.clone()
            if name != "key":  # OpenAI's key has no bias; that of CTranslate2 is zero
                self.state[f"{to}.{name}.bias"] = bias.clone()

    def _linear(self, to: str, of: str) -> None:
        self.state[f"{to}.weight"], self.state[f"{to}.bias"] = self._tensor(f"{of}/weight"), self._tensor(f"{of}/bias")

    def _norm(self, to: str, of: str) -> None:
        self.state[f"{to}.weight"], self.state[f"{to}.bias"] = self._tensor(f"{of}/gamma"), self._tensor(f"{of}/beta")

    def _tensor(self, name: str) -> torch.Tensor:
        return torch.from_numpy(np.array(self._given[name], np.float32))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
