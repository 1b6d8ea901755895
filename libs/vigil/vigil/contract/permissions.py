"""What a NATS user may publish and subscribe to, made from the rows of the services.

Whoever configures a NATS server (`vigil up`, a deployment) gives each service a user of its own with these lists, and
downstream systems one that can only read. NATS refuses everything that is not listed.

Every service may declare the streams, because every service does so when it connects. None may delete or purge one;
the one exception is the bucket of snapshots, where replacing an object purges its old parts.
"""

import re
from dataclasses import dataclass

from vigil.contract.services import ServiceSpec, SnapshotAccess
from vigil.contract.streams import ALERTS, DELEGATIONS, SESSIONS, SNAPSHOTS, STREAMS, UTTERANCES, StreamSpec

_API = "$JS.API"
_BUCKET_STREAM = f"OBJ_{SNAPSHOTS.name}"
# Where answers to our services come. Downstream systems listen to `_INBOX.>`, where they must not overhear ours.
_INBOXES = "_VIGIL_INBOX"
_USER = re.compile(r"[A-Za-z0-9_-]{1,64}")

DOWNSTREAM_STREAMS = (ALERTS, UTTERANCES, SESSIONS, DELEGATIONS)


@dataclass(frozen=True, slots=True)
class Permissions:
    """The subjects that a user may publish and subscribe to; nothing else. One who `answers` may also publish one
    message to where the sender of a message wants its answer."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    answers: bool = False


def inbox_prefix(user: str) -> str:
    """Where answers to a NATS user come: each service has a place of its own that no other may listen to."""
    return f"{_INBOXES}.{user}" if _USER.fullmatch(user) else _INBOXES


def of_service(row: ServiceSpec) -> Permissions:
    """What the NATS user of a service may do: what its row says, and what that takes of JetStream."""
    bus = row.bus
    own_inbox = f"{inbox_prefix(row.name)}.>"
    # To its own inbox a service writes to see that the connection works; what asks for JetStream's state sees that too.
    publish = [*bus.publishes, own_inbox, f"{_API}.INFO", *_declaring()]
    for stream in bus.consumes:
        publish += _reading(stream)
    publish += [f"{_API}.STREAM.MSG.GET.{stream.name}" for stream in bus.looks_up]
    publish += _snapshots(bus.snapshots)
    return Permissions(tuple(publish), (*bus.hears, own_inbox), answers=bool(bus.hears))


def of_downstream() -> Permissions:
    """What a downstream system may do: hear alerts, utterances, the life of sessions and delegated questions, live and
    from their streams.

    There is no subject here by which a stream could be written, changed, purged or deleted, nor one of decisions,
    frames or commands.
    """
    publish = [f"{_API}.INFO", f"{_API}.STREAM.NAMES"]
    for stream in DOWNSTREAM_STREAMS:
        publish += [*_reading(stream), f"$JS.FC.{stream.name}.>"]
    heard = [subject for stream in DOWNSTREAM_STREAMS for subject in stream.subjects]
    return Permissions(tuple(publish), (*heard, "_INBOX.>"))


def _declaring() -> list[str]:
    """What declaring the streams and the bucket takes."""
    names = [*(stream.name for stream in STREAMS), _BUCKET_STREAM]
    return [f"{_API}.STREAM.{deed}.{name}" for name in names for deed in ("CREATE", "UPDATE")]


def _reading(stream: StreamSpec) -> list[str]:
    """What reading a stream takes: look it up, make a consumer, ask that for messages, acknowledge them."""
    return [
        f"{_API}.STREAM.INFO.{stream.name}",
        f"{_API}.CONSUMER.CREATE.{stream.name}",
        f"{_API}.CONSUMER.CREATE.{stream.name}.>",
        f"{_API}.CONSUMER.DURABLE.CREATE.{stream.name}.*",
        f"{_API}.CONSUMER.INFO.{stream.name}.*",
        f"{_API}.CONSUMER.MSG.NEXT.{stream.name}.*",
        f"$JS.ACK.{stream.name}.>",
    ]


def _snapshots(access: SnapshotAccess) -> list[str]:
    """What the bucket of snapshots takes: an object is messages of a stream, its newest description names its parts."""
    described = f"{_API}.STREAM.MSG.GET.{_BUCKET_STREAM}"
    match access:
        case SnapshotAccess.NONE:
            return []
        case SnapshotAccess.WRITE:
            parts = [f"$O.{SNAPSHOTS.name}.C.>", f"$O.{SNAPSHOTS.name}.M.>"]
            return [*parts, described, f"{_API}.STREAM.PURGE.{_BUCKET_STREAM}"]
        case SnapshotAccess.READ:
            consumer = [f"{_API}.CONSUMER.CREATE.{_BUCKET_STREAM}{rest}" for rest in ("", ".>")]
            ended = f"{_API}.CONSUMER.DELETE.{_BUCKET_STREAM}.*"
            return [described, f"{_API}.STREAM.NAMES", *consumer, ended, f"$JS.FC.{_BUCKET_STREAM}.>"]
