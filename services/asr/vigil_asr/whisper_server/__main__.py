"""Serves Whisper on a free port of this host, as OpenAI's `/v1/audio/transcriptions`. It runs in the environment that
`make speech` makes, which has faster-whisper and nothing of Vigil.

    python whisper_server FOLDER MODEL THREADS

`FOLDER` holds a folder for each model. Of the models, MODEL hears English and `whisper-base` every other language; a
model's name with `:partial` behind it is the same weights, decoded faster and refused (503) while final transcripts
wait. What nobody waits for any more, for its connection is closed, is not decoded to its end.

It writes one line, `{"url": …, "key": …}`, when the model is loaded, and ends when its standard input is closed: so it
never outlives the service that started it, however that ended. Who does not know the key gets no answer: other users of
this host reach its port, too.
"""

import hmac
import json
import os
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from decoder import ENGLISH, RATE_HZ, Decoded, Decoder
from form import Form, FormInvalid, read_form
from peer import is_connected
from turns import Busy, IsWanted, Turns, Unwanted

OTHER_LANGUAGES = "whisper-base"
PARTIAL = ":partial"
MAX_BODY_BYTES = 2 * 1_024 * 1_024


class Models:
    """The models, each loaded when it is first wanted, and one decoding after the other."""

    def __init__(self, folder: Path, english: str, threads: int) -> None:
        self._folder = folder
        self._english = english
        self._threads = threads
        self._turns = Turns()
        self._decoders: dict[str, Decoder] = {}

    def load(self) -> None:
        """Load the model for English, and decode a second of silence: the first decoding takes longer."""
        self._decoder(self._english).decode(np.zeros(RATE_HZ, np.float32), ENGLISH, is_final=False)

    def decode(self, form: Form, is_wanted: IsWanted) -> Decoded:
        """What is said in the form's sound. Raises `Busy`, `Unwanted`."""
        is_english = form.language.partition("-")[0].lower() in ("", ENGLISH)
        sound = np.frombuffer(form.pcm, "<i2").astype(np.float32) / 32_768
        is_final = not form.model.endswith(PARTIAL)
        with self._turns.taken(is_final=is_final, is_wanted=is_wanted) as go_on:
            return self._decoder(self._english if is_english else OTHER_LANGUAGES).decode(
                sound, form.language, is_final=is_final, go_on=go_on
            )

    def _decoder(self, name: str) -> Decoder:
        if name not in self._decoders:
            self._decoders[name] = Decoder(self._folder / name, self._threads)
        return self._decoders[name]


class Server(ThreadingHTTPServer):
    """Answers who knows the key."""

    daemon_threads = True

    def __init__(self, models: Models, key: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models = models
        self.key = key


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self) -> None:
        """Transcribe."""
        length = int(self.headers.get("Content-Length") or 0)
        if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {self.server.key}"):
            return self._refuse(401, "the key is missing or wrong")
        if self.path != "/v1/audio/transcriptions" or not 0 < length <= MAX_BODY_BYTES:
            return self._refuse(404, f"POST /v1/audio/transcriptions takes at most {MAX_BODY_BYTES} bytes")
        try:
            form = read_form(self.headers.get("Content-Type", ""), self.rfile.read(length))
            decoded = self.server.models.decode(form, lambda: is_connected(self.connection))
        except FormInvalid as error:
            return self._answer(400, {"error": {"message": str(error)}})
        except Busy as error:
            return self._answer(503, {"error": {"message": str(error)}})
        except Unwanted:
            self.close_connection = True
            return None
        return self._answer(200, _told(decoded, len(form.pcm) / 2 / RATE_HZ))

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True  # its body was not read
        self._answer(status, {"error": {"message": why}})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """What people say is not logged."""


def _told(decoded: Decoded, duration_s: float) -> dict[str, object]:
    segment = {
        "id": 0,
        "start": 0.0,
        "end": duration_s,
        "text": decoded.text,
        "avg_logprob": decoded.mean_log_probability,
        "no_speech_prob": decoded.silence,
    }
    return {"text": decoded.text, "language": decoded.language, "duration": duration_s, "segments": [segment]}


def main(folder: Path, english: str, threads: int) -> None:
    """Load the model, say where it is served, and wait for the end of standard input."""
    models = Models(folder, english, threads)
    models.load()
    server = Server(models, secrets.token_urlsafe(32))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}/v1", "key": server.key}) + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    os._exit(0)  # a decoding would be waited for


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
