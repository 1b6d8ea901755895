"""Ids of sessions: the gateway's own, and those made of the names that clients give."""

import hashlib
import re
import secrets

from vigil.core.errors import InvalidToken
from vigil.core.ids import TOKEN

MAX_NAME_CHARS = 128
# Ids that `POST /v1/sessions` gives out. No client makes one up: one that is unknown is somebody else's, or gone.
_GIVEN_ID = re.compile(r"s-[0-9a-f]{20}")
_NO_TOKEN_CHARS = re.compile(r"[^A-Za-z0-9_-]+")
_READABLE_CHARS = 48


def new_session_id() -> str:
    """An id for a session that is opened without one."""
    return f"s-{secrets.token_hex(10)}"


def may_begin(session: str) -> bool:
    """Whether a client may begin a session of this id by its first picture."""
    return _GIVEN_ID.fullmatch(session) is None


def id_of_name(name: str) -> str:
    """The id of the session that a client calls `name`: the name itself where it may stand in subjects, else what can
    be read of it and a digest, so that `cam.1` and `cam 1` are two sessions. The same name always has the same id.

    Raises `InvalidToken` for a name that is empty, too long or has control characters.
    """
    if re.fullmatch(TOKEN, name):
        return name
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise InvalidToken(
            f"the session's name {name[:80]!r} is not allowed: use 1 to {MAX_NAME_CHARS} printable characters"
        )
    readable = _NO_TOKEN_CHARS.sub("-", name)[:_READABLE_CHARS].strip("-") or "session"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{readable}-{digest}"
