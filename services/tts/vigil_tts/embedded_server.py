"""Serves the embedded voice, hibari, on a free port of this host, as `POST /v1/audio/speech`. It runs in the
environment that `make speech` makes, which has hibari and nothing of Vigil.

    python embedded_server.py THREADS

It writes one line, `{"url": …, "key": …}`, when the voice is loaded, and ends when its standard input is closed: so it
never outlives the service that started it, however that ended. Who does not know the key gets no answer: other users of
this host reach its port, too.
"""

import json
import os
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import hibari

MAX_BODY_BYTES = 65_536
MAX_INPUT_CHARS = 2_000
RATE_HZ = hibari.SAMPLE_RATE
VOICES = (hibari.voices.DEFAULT,)  # those whose weights are in the package: no others are fetched


class Refused(Exception):
    """The request cannot be served: its status, and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Voice:
    """The loaded model. One sentence is made at a time: two at once would only share its threads."""

    def __init__(self, threads: int) -> None:
        self._model = hibari.Hibari(threads=threads)
        self._turn = threading.Lock()

    def sentences(self, text: str) -> list[str]:
        """The phonemes of each sentence."""
        with self._turn:
            return list(self._model.phonemize(text))

    def pcm(self, phonemes: str, speed: float) -> bytes:
        """16-bit little-endian mono samples at `RATE_HZ`. The same words always sound the same."""
        with self._turn:
            samples = self._model.from_phonemes(phonemes, speed, seed=0)
        return bytes((samples.clip(-1.0, 1.0) * 32_767).astype("<i2").tobytes())


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    voice: Voice
    key: str

    def do_GET(self) -> None:
        """The list of voices."""
        self._answered(self._voices)

    def do_POST(self) -> None:
        """The sound of a text, sentence by sentence."""
        self._answered(self._speech)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's names
        """Nothing is written to standard error: nobody reads it."""

    def _answered(self, answer: Any) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MAX_BODY_BYTES))
        try:
            if not secrets.compare_digest(self.headers.get("Authorization", ""), f"Bearer {self.key}"):
                raise Refused(401, "the key is wrong")
            answer(body)
        except Refused as refused:
            self._json(refused.status, {"error": {"message": refused.reason}})
        except ConnectionError:
            self.close_connection = True  # the caller does not want the rest

    def _voices(self, _: bytes) -> None:
        if self.path != "/v1/audio/voices":
            raise Refused(404, "there is no such path")
        self._json(200, {"voices": [{"name": voice, "languages": ["en-US"]} for voice in VOICES]})

    def _speech(self, body: bytes) -> None:
        if self.path != "/v1/audio/speech":
            raise Refused(404, "there is no such path")
        text, speed = _asked(body)
        sentences = self.voice.sentences(text)
        self.send_response(200)
        self.send_header("Content-Type", f"audio/pcm; rate={RATE_HZ}; channels=1")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for phonemes in sentences:
            if sound := self.voice.pcm(phonemes, speed):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(sound), sound))
        self.wfile.write(b"0\r\n\r\n")

    def _json(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _asked(body: bytes) -> tuple[str, float]:
    """The text and the speed of a request."""
    try:
        asked = json.loads(body)
        text, speed = str(asked["input"]), float(asked.get("speed", 1.0))
        voice, form = asked.get("voice", VOICES[0]), asked.get("response_format", "pcm")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(400, "the request is no JSON object with an input") from None
    if voice not in VOICES:
        raise Refused(400, f"there is no such voice: give {' or '.join(VOICES)}")
    if form != "pcm" or len(text) > MAX_INPUT_CHARS or not 0.25 <= speed <= 4.0:
        raise Refused(400, f"give response_format pcm, at most {MAX_INPUT_CHARS} characters and a speed of 0.25 to 4")
    return text, speed


def main(threads: int) -> None:
    """Load the voice, say where it is served, and wait for the end of standard input."""
    Handler.voice, Handler.key = Voice(threads), secrets.token_urlsafe(32)
    for phonemes in Handler.voice.sentences("The first sentence takes longer."):
        Handler.voice.pcm(phonemes, 1.0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}/v1", "key": Handler.key}) + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    os._exit(0)  # a sentence that is being made would be waited for


if __name__ == "__main__":
    main(int(sys.argv[1]))
