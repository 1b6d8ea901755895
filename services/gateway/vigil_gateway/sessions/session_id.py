"""Ids of sessions: the gateway's own, and those that a client that pushes pictures makes up."""

import re
import secrets

# Ids that `POST /v1/sessions` gives out. No client makes one up: one that is unknown is somebody else's, or gone.
_GIVEN_ID = re.compile(r"s-[0-9a-f]{20}")


def new_session_id() -> str:
    """An id for a session that is opened without one."""
    return f"s-{secrets.token_hex(10)}"


def may_begin(session: str) -> bool:
    """Whether a client may begin a session of this id by its first picture."""
    return _GIVEN_ID.fullmatch(session) is None
