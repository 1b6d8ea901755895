"""The file of API keys: which tenant a key speaks for, what it may do, until when.

    {"keys": [{"name": "pager", "tenant": "acme", "role": "viewer", "sha256": "<hex digest of the key>",
               "created": "2026-01-31T12:00:00Z", "expires": "2027-01-31T12:00:00Z"}]}

`vigil keys` writes it, the gateway reads it; compose, the chart and the console need no other store. Only SHA-256
digests are in it, so a leaked file opens nothing: keys are long random strings, never passwords. A tenant is there for
as long as it has a key. A file whose form changes says so in a field `form`; without one it is of form 1.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from vigil.contract.errors import InvalidKeyFile
from vigil.contract.unreadable import UNREADABLE
from vigil.core.errors import InvalidToken
from vigil.core.ids import token

FORM = 1
MAX_KEYS = 10_000
MAX_NAME_CHARS = 64
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ID_CHARS = 12
_HOW = 'write {"keys": [{"sha256": "<hex digest of the key>", "tenant": "<name>", "role": "operator"}]}'


class KeyRole(StrEnum):
    """What a key may do: each role may do all that those before it may."""

    VIEWER = "viewer"  # reads sessions, histories, events, pictures
    OPERATOR = "operator"  # opens, changes and ends sessions, pushes pictures, asks
    ADMIN = "admin"  # sees the keys of its tenant

    def covers(self, needed: "KeyRole") -> bool:
        """Whether this role may do what `needed` may."""
        order = tuple(KeyRole)
        return order.index(self) >= order.index(needed)


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key. A key without `expires` is valid until it is removed; times have a time zone."""

    sha256: str
    tenant: str
    role: KeyRole = KeyRole.OPERATOR
    name: str = ""
    created: datetime | None = None
    expires: datetime | None = None

    @property
    def id(self) -> str:
        """What the key is called where its name is not enough: the beginning of its digest."""
        return self.sha256[:_ID_CHARS]

    @property
    def actor(self) -> str:
        """Who it is in the audit: the name of the key, or what it is called where it has none."""
        return self.name or self.id

    def has_expired(self, now: datetime) -> bool:
        """Whether it is valid no more."""
        return self.expires is not None and self.expires <= now


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    keys: tuple[ApiKey, ...]
    form: int = FORM


class _Form(msgspec.Struct, frozen=True):
    form: int = FORM


def digest_of(key: str) -> str:
    """What the file has of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def tenants_of(keys: Iterable[ApiKey]) -> tuple[str, ...]:
    """Every tenant that has a key, in alphabetical order."""
    return tuple(sorted({key.tenant for key in keys}))


def encode_keys(keys: Iterable[ApiKey]) -> bytes:
    """The text of a key file."""
    return msgspec.json.format(msgspec.json.encode(_KeyFile(tuple(keys))), indent=2) + b"\n"


def decode_keys(text: bytes) -> tuple[ApiKey, ...]:
    """Read a key file. Raises `InvalidKeyFile`, which says what to mend and quotes no digest."""
    try:
        form = msgspec.json.decode(text, type=_Form).form
        if form > FORM:
            raise InvalidKeyFile(f"a newer release wrote it, in form {form}: this one reads form {FORM}, so upgrade it")
        keys = msgspec.json.decode(text, type=_KeyFile).keys
    except UNREADABLE as error:
        raise InvalidKeyFile(f"it is not valid ({error}): {_HOW}") from None
    if len(keys) > MAX_KEYS:
        raise InvalidKeyFile(f"it has {len(keys):,} keys: {MAX_KEYS:,} are taken")
    return tuple(map(_checked, keys))


def _checked(key: ApiKey) -> ApiKey:
    try:
        token(key.tenant, "tenant")
    except InvalidToken as error:
        raise InvalidKeyFile(str(error)) from None
    digest = key.sha256.lower()
    if not _DIGEST.fullmatch(digest):
        raise InvalidKeyFile(f"tenant {key.tenant} has a sha256 that is not 64 hex digits")
    if len(key.name) > MAX_NAME_CHARS:
        raise InvalidKeyFile(f"tenant {key.tenant} has a key whose name is longer than {MAX_NAME_CHARS} characters")
    for named, moment in (("created", key.created), ("expires", key.expires)):
        if moment is not None and moment.tzinfo is None:
            raise InvalidKeyFile(f"tenant {key.tenant} has a key whose time `{named}` has no time zone: end it with Z")
    return msgspec.structs.replace(key, sha256=digest)
