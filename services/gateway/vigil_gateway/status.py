"""What each role says of a session: short JSON texts, kept with the session."""

import json

from vigil.core.ids import SessionKey
from vigil.runtime.store import SessionStore


async def roles_status(store: SessionStore, key: SessionKey) -> dict[str, object]:
    """Role to what it last said."""
    return {role: _read(text) for role, text in (await store.status(key)).items()}


def _read(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value
