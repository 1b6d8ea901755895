"""API keys: the file that names their tenants, and the check of a request.

Only SHA-256 digests are kept, so a leaked file opens nothing: keys are long random strings, never passwords.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from vigil.contract.unreadable import UNREADABLE
from vigil.core.errors import InvalidToken
from vigil.core.ids import token
from vigil_gateway.api.errors import KeyMissing, KeyWrong

MAX_KEY_CHARS = 512
_BEARER = "bearer "
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HOW = 'write {"keys": [{"sha256": "<hex digest of the key>", "tenant": "<name>"}]}'


class KeyFileInvalid(ValueError):
    """The key file cannot be used; the message says where and how to mend it."""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: str
    tenant: str


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: list[_Entry]


def bearer_key(header: str) -> str:
    """The key of an `Authorization` header; empty when it holds none."""
    return header[len(_BEARER) :].strip() if header.lower().startswith(_BEARER) else ""


class KeyRing:
    """Digest of a key → the tenant it speaks for."""

    def __init__(self, tenants: Mapping[str, str]) -> None:
        self._tenants = dict(tenants)

    @classmethod
    def load(cls, path: Path) -> "KeyRing":
        """Read the key file, or raise `KeyFileInvalid`."""
        try:
            entries = msgspec.json.decode(path.read_bytes(), type=_KeyFile).keys
        except OSError as error:
            raise KeyFileInvalid(f"the key file {path} cannot be read ({error.strerror}): {_HOW}") from error
        except UNREADABLE as error:
            raise KeyFileInvalid(f"the key file {path} is not valid ({error}): {_HOW}") from error
        if not entries:
            raise KeyFileInvalid(f"the key file {path} has no keys, so nobody could use the gateway: {_HOW}")
        return cls({_checked(entry, path): entry.tenant for entry in entries})

    def tenant(self, key: str) -> str:
        """The tenant that a key speaks for. Raises `KeyMissing` (empty) or `KeyWrong`."""
        if not key:
            raise KeyMissing
        if len(key) > MAX_KEY_CHARS:
            raise KeyWrong
        digest = hashlib.sha256(key.encode()).hexdigest()
        # Every digest is compared, so that timing says nothing about which one came close.
        found = [tenant for known, tenant in self._tenants.items() if hmac.compare_digest(known, digest)]
        if not found:
            raise KeyWrong
        return found[0]


def _checked(entry: _Entry, path: Path) -> str:
    try:
        token(entry.tenant, "tenant")
    except InvalidToken as error:
        raise KeyFileInvalid(f"the key file {path}: {error}") from error
    digest = entry.sha256.lower()
    if not _DIGEST.fullmatch(digest):
        raise KeyFileInvalid(f"the key file {path}: tenant {entry.tenant} has a sha256 that is not 64 hex digits")
    return digest
