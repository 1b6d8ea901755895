"""Serves the embedded model by llama.cpp, on a free port of this host. It runs in the environment that `make brain`
makes, which has xllamacpp and nothing of Vigil.

    python embedded_server.py MODEL.gguf THREADS

It writes one line, `{"url": …, "key": …}`, when the model is loaded, and ends when its standard input is closed: so it
never outlives the service that started it, however that ended. Who does not know the key gets no answer: other users of
this host reach its port, too.
"""

import json
import os
import secrets
import sys

import xllamacpp

CONTEXT_TOKENS = 8_192


def main(path: str, threads: int) -> None:
    """Load the model, say where it is served, and wait for the end of standard input."""
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    key = secrets.token_urlsafe(32)
    params.api_keys = [key]
    server = xllamacpp.Server(params)
    sys.stdout.write(json.dumps({"url": f"{server.listening_address}/v1", "key": key}) + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    os._exit(0)  # its threads would be waited for


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
