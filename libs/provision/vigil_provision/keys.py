"""Changes of a key file: keys added, rotated, removed. Pure: keys in, keys out."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of
from vigil_provision.errors import ProvisionError

Keys = tuple[ApiKey, ...]

# The names of the keys that deployments make for their own commands, which stand in endpoints.json: that of `vigil up`,
# and that of a site of containers.
UP_KEY, SITE_KEY = OWN_NAMES = ("vigil-up", "vigil-site")
_KEY_BYTES = 24


@dataclass(frozen=True, slots=True)
class Made:
    """The keys after a change, and the new key itself: nobody can read it from the file again."""

    keys: Keys
    key: str = field(repr=False)
    entry: ApiKey


def with_own(keys: Keys, key: str, tenant: str, now: datetime, name: str = UP_KEY) -> Keys:
    """The keys with a deployment's own among them, called `name`, and no earlier one; every other stays as it is."""
    digest = digest_of(key)
    own = next((known for known in keys if known.sha256 == digest and known.name == name), None)
    own = own or ApiKey(digest, tenant, KeyRole.ADMIN, name, now)
    others = (known for known in keys if known.sha256 != digest and (known.name, known.tenant) != (name, tenant))
    return (own, *others)


def added(keys: Keys, entry: ApiKey) -> Made:
    """A new key with the name, tenant, role and times of `entry`. Raises `ProvisionError` when the name is taken."""
    if any(known.name == entry.name and known.tenant == entry.tenant for known in keys):
        raise ProvisionError(
            f"the tenant {entry.tenant} has a key {entry.name!r}", "choose another name, or use `vigil keys rotate`"
        )
    return _made(keys, entry)


def rotated(keys: Keys, tenant: str, name: str, now: datetime, overlap: timedelta) -> Made:
    """A new key in the place of the one that `name` (or an id) means; that one holds for `overlap` longer."""
    before = found(keys, tenant, name)
    until = now + overlap
    ends = min(until, before.expires) if before.expires is not None else until
    kept = (msgspec.structs.replace(before, expires=ends),) if overlap > timedelta() else ()
    others = tuple(known for known in keys if known != before)
    return _made((*others, *kept), msgspec.structs.replace(before, created=now))


def removed(keys: Keys, tenant: str, name: str) -> Keys:
    """The keys without those that `name` (or an id) means. Raises `ProvisionError`."""
    found(keys, tenant, name)
    return tuple(known for known in keys if known.tenant != tenant or name not in (known.name, known.id))


def without_tenant(keys: Keys, tenant: str) -> Keys:
    """The keys of all other tenants. Raises `ProvisionError` when this one has none."""
    kept = tuple(known for known in keys if known.tenant != tenant)
    if len(kept) == len(keys):
        raise ProvisionError(f"there is no tenant {tenant}", "`vigil keys tenants` lists them")
    _check_foreign(known for known in keys if known.tenant == tenant)
    return kept


def found(keys: Iterable[ApiKey], tenant: str, name: str) -> ApiKey:
    """The newest key of the tenant with this name or id. Raises `ProvisionError`."""
    meant = [known for known in keys if known.tenant == tenant and name in (known.name, known.id)]
    if not meant:
        raise ProvisionError(
            f"the tenant {tenant} has no key {name!r}", f"`vigil keys list --tenant {tenant}` shows its keys"
        )
    _check_foreign(meant)
    return meant[-1]


def _made(keys: Keys, entry: ApiKey) -> Made:
    key = secrets.token_urlsafe(_KEY_BYTES)
    whole = msgspec.structs.replace(entry, sha256=digest_of(key))
    return Made((*keys, whole), key, whole)


def _check_foreign(keys: Iterable[ApiKey]) -> None:
    """Raise `ProvisionError` when a deployment's own key is among them: it stands in other files, too."""
    for known in keys:
        if known.name in OWN_NAMES:
            raise ProvisionError(
                f"the key {known.name!r} of the tenant {known.tenant} is the deployment's own",
                "to change it, stop the deployment, delete its secrets.json, and start it again",
            )
