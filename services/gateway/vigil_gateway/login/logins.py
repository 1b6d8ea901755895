"""Logins: begun with a key, found by their cookie, and over as soon as what they stand on is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

import msgspec

from vigil.contract.api_keys import ApiKey, KeyRole
from vigil.contract.api_keys import digest_of as digest_of_key
from vigil.runtime.errors import StoreError
from vigil.runtime.store.logins import Login, LoginStore
from vigil_gateway import metrics
from vigil_gateway.api.auth import KeyRing
from vigil_gateway.api.errors import LoginEnded, OidcNoRole
from vigil_gateway.login.cookie import digest_of, new_token
from vigil_gateway.login.holder import LoggedIn

# How often what is open looks whether the key of its login still holds.
LOOK_S = 1.0
# Every so many looks it also asks Redis whether somebody has ended the login.
_LOOKS_UNTIL_STORE = 3
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Opened:
    """A new login: what its cookie holds, and who has it."""

    token: str
    holder: LoggedIn


class Logins:
    """All logins of all replicas. `issuer` is the identity provider that may vouch for people; empty: none."""

    def __init__(
        self,
        store: LoginStore,
        keys: KeyRing,
        *,
        hours: float,
        most: int,
        issuer: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._keys = keys
        self._life_ms = round(hours * _HOUR_MS)
        self._most = most
        self._issuer = issuer
        self._now = now

    @property
    def by_oidc(self) -> bool:
        """Whether people may log in at an identity provider."""
        return bool(self._issuer)

    async def open(self, key: ApiKey) -> Opened:
        """Log the holder of a key in. Raises `StoreError`."""
        now_ms, expires_ms = self._now_ms(), _ms(key.expires)
        ends_ms = min(now_ms + self._life_ms, expires_ms or now_ms + self._life_ms)
        login = Login(
            tenant=key.tenant,
            role=key.role,
            name=key.name,
            began_ms=now_ms,
            ends_ms=ends_ms,
            key=key.sha256,
            key_expires_ms=expires_ms,
        )
        return await self._stored(login)

    async def vouched(self, tenant: str, role: KeyRole, name: str, subject: str) -> Opened:
        """Log a person in for whom the identity provider vouches. Raises `OidcNoRole` where there is no such tenant,
        and `StoreError`."""
        if not self._keys.of_tenant(tenant):
            raise OidcNoRole(f"there is no tenant {tenant} here: a tenant is there for as long as it has a key")
        now_ms = self._now_ms()
        login = Login(tenant, role, name, now_ms, now_ms + self._life_ms, issuer=self._issuer, subject=subject)
        return await self._stored(login)

    async def holder(self, token: str) -> LoggedIn:
        """Who has the cookie, in one round trip. Raises `LoginEnded`, `StoreError`."""
        digest = digest_of(token)
        login = await self._store.find(digest) if token else None
        if login is None:
            raise LoginEnded("it ran out, or somebody logged out")
        return self._checked(digest, login)

    async def close(self, holder: LoggedIn) -> None:
        """Log out. Raises `StoreError`."""
        await self._store.close(holder.digest, holder.tenant)
        metrics.LOGINS.labels("closed").inc()

    async def withdrawn(self, holder: LoggedIn) -> NoReturn:
        """Wait for as long as the login holds. Raises `LoginEnded`: within a second when its key was removed or
        changed, within some seconds when somebody logged out. While Redis is away the login is taken to hold."""
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            self._checked(holder.digest, holder.login)
            if looks % _LOOKS_UNTIL_STORE == 0 and await self._is_closed(holder.digest):
                raise LoginEnded("somebody logged out")

    async def _stored(self, login: Login) -> Opened:
        token = new_token()
        digest = digest_of(token)
        displaced = await self._store.open(digest, login, self._most)
        metrics.LOGINS.labels("opened").inc()
        metrics.LOGINS.labels("displaced").inc(displaced)
        return Opened(token, self._checked(digest, login))

    async def _is_closed(self, digest: str) -> bool:
        try:
            return await self._store.find(digest) is None
        except StoreError:
            return False

    def _checked(self, digest: str, login: Login) -> LoggedIn:
        """Who has logged in, when what the login stands on is as it was. Raises `LoginEnded`."""
        if login.ends_ms <= self._now_ms():
            raise LoginEnded("it ran out")
        key = self._key_of(login)
        return LoggedIn(**msgspec.structs.asdict(key), digest=digest, login=login)

    def _key_of(self, login: Login) -> ApiKey:
        if login.issuer:
            return self._vouched_for(login)
        key = self._keys.of_digest(login.key)
        if key is None or (key.tenant, key.role, _ms(key.expires)) != (login.tenant, login.role, login.key_expires_ms):
            raise LoginEnded("its key was removed or changed")
        return key

    def _vouched_for(self, login: Login) -> ApiKey:
        """A person as the holder of a key that is in no file. A tenant is there for as long as it has a key."""
        if login.issuer != self._issuer:
            raise LoginEnded("the identity provider is another one now")
        if not self._keys.of_tenant(login.tenant):
            raise LoginEnded(f"the tenant {login.tenant} is there no more")
        digest = digest_of_key(f"{login.issuer} {login.subject}")
        ends = datetime.fromtimestamp(login.ends_ms / 1_000, UTC)
        return ApiKey(digest, login.tenant, login.role, login.name, expires=ends)

    def _now_ms(self) -> int:
        return _ms(self._now())


def _ms(moment: datetime | None) -> int:
    return 0 if moment is None else round(moment.timestamp() * 1_000)
