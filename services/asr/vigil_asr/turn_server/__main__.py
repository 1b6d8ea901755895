"""Serves smart-turn on a free port of this host: it is given sound, and answers how probable it is that the speaker has
finished. It runs in the environment that `make speech` makes, which has ONNX Runtime and nothing of Vigil.

    python turn_server MODEL

`POST /` takes 16-bit little-endian mono samples at 16,000 Hz, of which the last 8 seconds count, and answers
`{"complete": 0.93}`.

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

from features import SAMPLES
from turn_model import Model

MAX_BODY_BYTES = 2 * SAMPLES


class Server(ThreadingHTTPServer):
    """Answers who knows the key, one after the other."""

    daemon_threads = True

    def __init__(self, model: Model, key: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.model = model
        self.key = key
        self.turn = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self) -> None:
        """Judge."""
        length = int(self.headers.get("Content-Length") or 0)
        if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {self.server.key}"):
            return self._refuse(401, "the key is missing or wrong")
        if not 0 < length <= MAX_BODY_BYTES or length % 2:
            return self._refuse(400, f"send whole samples, at most {MAX_BODY_BYTES} bytes")
        pcm = self.rfile.read(length)
        with self.server.turn:
            complete = self.server.model.complete(pcm)
        return self._answer(200, {"complete": complete})

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True  # its body was not read
        self._answer(status, {"error": why})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """What people say is not logged."""


def main(file: Path) -> None:
    """Load the model, say where it is served, and wait for the end of standard input."""
    model = Model(file)
    model.complete(bytes(2 * SAMPLES))  # the first one takes longer
    server = Server(model, secrets.token_urlsafe(32))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}/", "key": server.key}) + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    os._exit(0)  # a judgement would be waited for


if __name__ == "__main__":
    main(Path(sys.argv[1]))
