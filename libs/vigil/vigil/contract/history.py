"""Past events for downstream systems: what they ask of the gateway over NATS, and how they are answered.

Whoever may ask JetStream for messages may choose where the server publishes them. So downstream systems ask the gateway
(`vigil.v1.history.ask.<tenant>`), which answers on a subject that holds nothing but answers
(`vigil.v1.history.answer.<tenant>.<asker>`), never on a reply subject:

    {"subject": "vigil.v1.alert.demo.*.*", "asker": "<token>", "since": "2026-01-31T12:00:00Z"}

Each answer is a stored event, unchanged, with the headers `Vigil-Subject`, `Vigil-Sequence` (its place in the stream)
and `Nats-Msg-Id` (the same as that of the live message). The last one of a request is empty and has `Vigil-End`:
`done`, `more` (ask again with `after`, the last sequence), or `refused`, with the reason as its text.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.subject_values import is_within
from vigil.contract.unreadable import UNREADABLE
from vigil.core.errors import InvalidToken
from vigil.core.ids import token

MAX_PAGE = 256

SUBJECT = "Vigil-Subject"
SEQUENCE = "Vigil-Sequence"
END = "Vigil-End"


class End(StrEnum):
    """Why a request's answers end."""

    DONE = "done"
    MORE = "more"
    REFUSED = "refused"


class HistoryRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events on `subject` (it may hold wildcards) from `since` on, or `after` a sequence; exactly one of the two."""

    subject: str
    asker: str
    since: datetime | None = None
    after: int | None = None
    limit: int = MAX_PAGE

    @property
    def begin(self) -> datetime | int:
        """The time, or the sequence of the first event that is wanted."""
        if self.since is not None:
            return self.since
        return (self.after or 0) + 1


def decode_request(tenant: str, payload: bytes) -> HistoryRequest:
    """Read a request of a tenant's downstream system, or raise `InvalidMessage`."""
    try:
        request = msgspec.json.decode(payload, type=HistoryRequest)
        token(request.asker, "asker")
    except (*UNREADABLE, InvalidToken) as error:
        raise InvalidMessage(f"the request cannot be read: {error}") from None
    if (request.since is None) == (request.after is None):
        raise InvalidMessage("the request needs `since` or `after`, and not both")
    if request.since is not None and request.since.tzinfo is None:
        raise InvalidMessage("`since` has no time zone: end it with Z")
    if not 1 <= request.limit <= MAX_PAGE or (request.after or 0) < 0:
        raise InvalidMessage(f"`limit` is from 1 to {MAX_PAGE}, and `after` is not negative")
    if not any(is_within(request.subject, heard) for heard in subjects.stored_of(tenant)):
        raise InvalidMessage(f"{request.subject[:120]!r} is no subject of events of the tenant {tenant}")
    return request


def asker_of(payload: bytes) -> str | None:
    """Who sent a request that breaks a rule, where that can be read: then it can be told."""
    try:
        found = msgspec.json.decode(payload)
        return token(found["asker"], "asker")
    except (*UNREADABLE, InvalidToken, TypeError, KeyError):
        return None
