"""The configuration that `vigil up` gives its NATS server: who may say and hear what."""

import json
from pathlib import Path

OPEN_SUBJECTS = ("vigil.v1.alert.>", "vigil.v1.utterance.>", "vigil.v1.session.>")
OPEN_STREAMS = ("ALERTS", "UTTERANCES", "SESSIONS")
SERVICE_USER = "service"
DOWNSTREAM_USER = "downstream"
MAX_PAYLOAD_BYTES = 8 * 1024 * 1024


def downstream_publish() -> list[str]:
    """What reading a stream takes: look it up, make a consumer of it, ask that for messages, acknowledge them.

    There is no subject here by which a stream could be written, changed, purged or deleted, nor one of the DECISIONS
    stream, frames or commands.
    """
    subjects = ["$JS.API.INFO", "$JS.API.STREAM.NAMES"]
    for stream in OPEN_STREAMS:
        subjects += [
            f"$JS.API.STREAM.INFO.{stream}",
            f"$JS.API.CONSUMER.CREATE.{stream}",
            f"$JS.API.CONSUMER.CREATE.{stream}.>",
            f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.*",
            f"$JS.API.CONSUMER.INFO.{stream}.*",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*",
            f"$JS.ACK.{stream}.>",
            f"$JS.FC.{stream}.>",
        ]
    return subjects


def render(port: int, monitor_port: int, store_dir: Path, password: str) -> str:
    """The text of the configuration file: loopback only, JetStream on disk, two users of one account.

    `service` may do everything. Whoever connects without a name is `downstream`: it hears alerts, utterances and
    session events, live or from their streams, and can say nothing.
    """
    downstream = {
        "user": DOWNSTREAM_USER,
        "password": DOWNSTREAM_USER,
        "permissions": {
            "subscribe": {"allow": [*OPEN_SUBJECTS, "_INBOX.>"]},
            "publish": {"allow": downstream_publish()},
        },
    }
    service = {"user": SERVICE_USER, "password": password}
    lines = {
        "host": "127.0.0.1",
        "port": port,
        "http": f"127.0.0.1:{monitor_port}",
        "server_name": "vigil",
        "max_payload": MAX_PAYLOAD_BYTES,
        "jetstream": {"store_dir": str(store_dir), "max_memory_store": 64 << 20, "max_file_store": 8 << 30},
        "accounts": {"VIGIL": {"jetstream": "enabled", "users": [service, downstream]}},
        "no_auth_user": DOWNSTREAM_USER,
    }
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in lines.items())
