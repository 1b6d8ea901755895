"""The startup probe of an engine: it is healthy, lists its model, and has answered one turn with a picture.

Run inside the engine's container: `python3 warm.py NAME`. Exit status 0, or 1 and one line that says what is missing.
"""

import base64
import json
import struct
import sys
import urllib.request
import zlib

ENGINE = "http://127.0.0.1:8000"
SIDE = 224


def png(side: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x80" * (3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def turn(model: str) -> bytes:
    """The request of one turn: a picture, one token asked."""
    url = "data:image/png;base64," + base64.b64encode(png(SIDE)).decode()
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What is seen?"}]
    messages = [{"role": "user", "content": content}]
    return json.dumps({"model": model, "messages": messages, "max_tokens": 1, "temperature": 0}).encode()


def answer(path: str, body: bytes | None = None, timeout_s: float = 5) -> bytes:
    """What the engine answers. Raises `OSError`."""
    request = urllib.request.Request(ENGINE + path, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout_s) as response:
        return bytes(response.read())


def main(model: str) -> None:
    """Raises `OSError` or `ValueError`, which say what is missing."""
    answer("/health")
    listed = [entry["id"] for entry in json.loads(answer("/v1/models"))["data"]]
    if model not in listed:
        raise ValueError(f"the engine serves {listed}, not {model!r}: give --served-model-name {model}")
    answer("/v1/chat/completions", turn(model), timeout_s=55)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (OSError, ValueError) as error:
        sys.stderr.write(f"not started: {error}\n")
        sys.exit(1)
