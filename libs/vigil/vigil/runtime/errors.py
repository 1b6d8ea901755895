"""What can go wrong at a port. `retryable` says whether the same call may succeed later, unchanged.

PortError
├── BusError
│   ├── BusUnavailable     NATS cannot be reached, or did not answer in time          retryable
│   │   └── NoResponders   nobody listens where something was asked                   retryable
│   ├── PublishRefused     JetStream answered, and will not store the message
│   ├── StreamMovedOn      another message was stored first: what was decided on is not the newest any more
│   ├── PayloadTooLarge    the message is over the server's limit
│   └── SnapshotMissing    no such snapshot, or it has aged out
└── StoreError
    ├── StoreUnavailable   Redis cannot be reached, or did not answer in time         retryable
    ├── StoreFull          Redis has no memory left                                   retryable
    │   ├── SessionFull    a bound of the session is reached                          retryable
    │   └── AgentTasksFull the tenant has as many tasks of other agents as are kept   retryable
    ├── InboxFull          the session has too many commands waiting                  retryable
    ├── AlreadyExists      a session of that id is there
    ├── UnknownSession     no session of that id, or it ended longer than retention ago
    ├── SessionEnded       the session is over and takes nothing more
    ├── FenceLost          another worker has taken the session over
    ├── TurnTaken          another call holds the session's turn                      retryable
    ├── TimePassed         the session has decided on that time or a later one
    ├── AgentTaskChanged   another request changed the task of another agent          retryable
    └── StoreCorrupt       a stored value cannot be read
        └── StoreNewer     a newer release wrote it, in a form that this one does not know
"""

from typing import ClassVar

from vigil.core.ids import SessionKey


class PortError(Exception):
    """A port failed; the message says what and what to do next."""

    retryable: ClassVar[bool] = False


class BusError(PortError):
    """NATS or JetStream failed."""


class BusUnavailable(BusError):
    """NATS cannot be reached, or did not answer in time."""

    retryable = True


class NoResponders(BusUnavailable):
    """Nobody listens where something was asked: whoever shall answer has not begun to, or has stopped."""


class PublishRefused(BusError):
    """JetStream answered, and will not store the message."""


class StreamMovedOn(BusError):
    """The message was to be stored only behind the one that was read last, and another was stored meanwhile: read
    again, and decide again."""


class PayloadTooLarge(BusError):
    """The message is over the server's limit."""


class SnapshotMissing(BusError):
    """No such snapshot, or it has aged out."""


class ArtefactMissing(BusError):
    """No such artefact, or it has aged out."""


class StoreError(PortError):
    """Redis failed or a session's rule was broken."""


class StoreUnavailable(StoreError):
    """Redis cannot be reached, or did not answer in time. A write may have happened: read before deciding."""

    retryable = True


class StoreFull(StoreError):
    """Redis has no memory left, or a bound of the session is reached; nothing was written."""

    retryable = True


class SessionError(StoreError):
    """A rule of one session was broken; `key` names the session."""

    def __init__(self, key: SessionKey, message: str) -> None:
        super().__init__(message)
        self.key = key


class SessionFull(StoreFull, SessionError):
    """A bound of the session is reached; nothing was written."""


class AgentTasksFull(StoreFull):
    """The tenant has as many tasks of other agents as are kept; nothing was written."""


class AgentTaskChanged(StoreError):
    """Another request changed the task meanwhile: read it again, and decide again. Nothing was written."""

    retryable = True


class InboxFull(SessionError):
    """The session has too many commands waiting."""

    retryable = True


class AlreadyExists(SessionError):
    """A session of that id is there."""


class UnknownSession(SessionError):
    """No session of that id, or it ended longer ago than the retention."""


class SessionEnded(SessionError):
    """The session is over and takes nothing more."""

    @classmethod
    def because(cls, key: SessionKey, reason: str) -> "SessionEnded":
        """What refuses a request to a session that has ended for that `reason`."""
        return cls(key, f"session {key.session} has ended: {reason}")


class FenceLost(SessionError):
    """Another worker has taken the session over; nothing was written."""


class TurnTaken(SessionError):
    """Another call holds the session's turn."""

    retryable = True


class TimePassed(SessionError):
    """What was given a model time is not after `last_ms`, up to which the session has decided."""

    def __init__(self, key: SessionKey, last_ms: int) -> None:
        super().__init__(key, f"session {key} has decided up to {last_ms / 1_000:g} s")
        self.last_ms = last_ms


class StoreCorrupt(SessionError):
    """A stored value cannot be read."""


class StoreNewer(StoreCorrupt):
    """A stored value is of a form that this release does not know: a newer one wrote it, and can read it."""


def describe(error: BaseException) -> str:
    """What an error says, in one line that is never empty."""
    return str(error).strip() or type(error).__name__
