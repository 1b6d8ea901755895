"""API keys as their tenant's administrator sees them."""

from datetime import datetime

from pydantic import Field

from vigil.contract.api_keys import ApiKey, KeyRole
from vigil_gateway.api.models.base import Out


class KeyOut(Out):
    """One key; nothing here opens anything."""

    id: str = Field(description="The beginning of the key's SHA-256 digest")
    name: str = Field(description="The name that `vigil keys add` gave it; empty for none")
    tenant: str
    role: KeyRole
    created: datetime | None = Field(description="When it was made; null where the key file does not say")
    expires: datetime | None = Field(description="From when on it is refused; null: it does not expire")


class KeyList(Out):
    """Keys of one tenant."""

    keys: list[KeyOut]


def key_out(key: ApiKey) -> KeyOut:
    """A key as it may be shown."""
    return KeyOut(id=key.id, name=key.name, tenant=key.tenant, role=key.role, created=key.created, expires=key.expires)
