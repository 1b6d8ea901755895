"""API keys: the check of a request, against the keys of the key file as it is now."""

import asyncio
import hmac
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of
from vigil_gateway.api.errors import KeyExpired, KeyMissing, KeyWrong, RoleTooLow

MAX_KEY_CHARS = 512
# How often what is open looks whether its key still holds.
LOOK_S = 1.0
_BEARER = "bearer "


def bearer_key(header: str) -> str:
    """The key of an `Authorization` header; empty when it holds none."""
    return header[len(_BEARER) :].strip() if header.lower().startswith(_BEARER) else ""


def require(key: ApiKey, needed: KeyRole) -> None:
    """Return when the key's role may do what `needed` may. Raises `RoleTooLow`."""
    if not key.role.covers(needed):
        raise RoleTooLow(key.role, needed)


class KeyRing:
    """The keys that are valid now."""

    def __init__(self, keys: Iterable[ApiKey], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._keys = tuple(keys)
        self._now = now

    def admit(self, key: str, needed: KeyRole) -> ApiKey:
        """Who holds this key, when its role suffices. Raises what `find` raises, and `RoleTooLow`."""
        found = self.find(key)
        require(found, needed)
        return found

    def find(self, key: str) -> ApiKey:
        """Who holds this key. Raises `KeyMissing` (empty), `KeyWrong`, `KeyExpired`."""
        if not key:
            raise KeyMissing
        if len(key) > MAX_KEY_CHARS:
            raise KeyWrong
        digest = digest_of(key)
        # Every digest is compared, so that timing says nothing about which of them came close.
        found = [known for known in self._keys if hmac.compare_digest(known.sha256, digest)]
        if not found:
            raise KeyWrong
        self._check_expiry(found[0])
        return found[0]

    def of_digest(self, sha256: str) -> ApiKey | None:
        """The key with this digest, an expired one too; None when there is none."""
        return next((known for known in self._keys if known.sha256 == sha256), None)

    def of_tenant(self, tenant: str) -> tuple[ApiKey, ...]:
        """The keys of a tenant, expired ones too."""
        return tuple(key for key in self._keys if key.tenant == tenant)

    def replace(self, keys: Iterable[ApiKey]) -> None:
        """From now on these are valid, and no others."""
        self._keys = tuple(keys)

    async def withdrawn(self, key: ApiKey) -> None:
        """Wait for as long as this key stays as it is. Raises `KeyWrong` once it was removed or has another tenant or
        role, `KeyExpired` once it has expired."""
        while True:
            await asyncio.sleep(LOOK_S)
            known = self.of_digest(key.sha256)
            if known is None or (known.tenant, known.role) != (key.tenant, key.role):
                raise KeyWrong
            self._check_expiry(known)

    def _check_expiry(self, key: ApiKey) -> None:
        if key.expires is not None and key.has_expired(self._now()):
            raise KeyExpired(key.expires)
