"""What each role says of a session (short JSON texts, kept with the session), and who holds it."""

import json

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore


async def roles_status(store: SessionStore, key: SessionKey) -> dict[str, object]:
    """Role to what it last said."""
    return {role: _read(text) for role, text in (await store.status(key)).items()}


async def workers_of(placement: Placement, key: SessionKey) -> dict[str, str]:
    """Role to the worker that holds, or last held, the session; without roles that nobody has taken yet."""
    owners = {str(role): await placement.owner(role, key) for role in Role}
    return {role: owner for role, owner in owners.items() if owner is not None}


def _read(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value
