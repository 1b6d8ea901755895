"""What a session's script answers when it refuses, as the store's errors."""

from typing import Any, NoReturn

from vigil.core.ids import SessionKey
from vigil.runtime.errors import (
    AlreadyExists,
    FenceLost,
    InboxFull,
    SessionEnded,
    SessionFull,
    StoreNewer,
    UnknownSession,
)
from vigil.runtime.store.bounds import MAX_BLOCKS, MAX_FRAMES, MAX_INBOX, MAX_OUTBOX, MAX_RESULTS
from vigil.runtime.store.form import IS_NEWER

_REFUSALS = {
    b"unknown": (UnknownSession, "there is no session {key}, or it ended long ago"),
    b"ended": (SessionEnded, "session {key} has ended: create a new one"),
    b"exists": (AlreadyExists, "session {key} exists already"),
    b"fence": (FenceLost, "session {key} was taken over by another worker"),
    b"newer": (StoreNewer, IS_NEWER),
    b"inbox full": (InboxFull, f"session {{key}} has {MAX_INBOX} commands waiting: try again after its next turn"),
    b"results full": (
        InboxFull,
        f"session {{key}} has {MAX_RESULTS} results of delegated questions waiting: try again after its next turn",
    ),
    b"memory full": (
        InboxFull,
        f"session {{key}} has {MAX_BLOCKS} blocks of memory waiting: try again after its next chunk has begun",
    ),
    b"outbox full": (SessionFull, f"session {{key}} has {MAX_OUTBOX} messages that JetStream has not stored yet"),
    b"frames full": (SessionFull, f"session {{key}} keeps {MAX_FRAMES:,} frames: shorten its chunk"),
}


def refuse(answer: str, key: SessionKey) -> NoReturn:
    """Raise the error that a script's answer stands for."""
    kind, message = _REFUSALS[answer.encode()]
    raise kind(key, message.format(key=key))


def accepted(answer: Any, key: SessionKey) -> Any:
    """A script's answer, unless it is a refusal: then its error is raised."""
    if isinstance(answer, bytes) and answer in _REFUSALS:
        refuse(answer.decode(), key)
    return answer
