"""What a request turns out to be about while it is served, for its record in the audit."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Noted:
    """The session that the request is about, empty for none, and whether the request began it. `status` is what became
    of it, as an HTTP status, where its protocol answers every request with 200; 0 where the answer's own holds."""

    session: str = ""
    began_session: bool = False
    status: int = 0


_noted: ContextVar[Noted | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[Noted]:
    """Notes of the request that the block serves, also from tasks that it starts."""
    notes = Noted()
    token = _noted.set(notes)
    try:
        yield notes
    finally:
        _noted.reset(token)


def note_session(session: str, *, began: bool = False) -> None:
    """The request is about this session, and began it. Where nothing is noted this does nothing."""
    notes = _noted.get()
    if notes is not None:
        notes.session = session
        notes.began_session = notes.began_session or began


def note_status(status: int) -> None:
    """The request came to this, whatever the status of its answer. Where nothing is noted this does nothing."""
    notes = _noted.get()
    if notes is not None:
        notes.status = status
