"""Names that may become subject tokens and key parts, and the key of a session."""

import re
from dataclasses import dataclass

from vigil.core.errors import InvalidToken

TOKEN = r"[A-Za-z0-9_-]{1,64}"


def token(value: str, what: str) -> str:
    """Return `value` when it may be a subject token, else raise `InvalidToken` that names `what` it was."""
    if not re.fullmatch(TOKEN, value):
        raise InvalidToken(f"{what} {value[:80]!r} is not allowed: use 1 to 64 letters, digits, '_' or '-'")
    return value


def brain_name(name: str) -> str:
    """Return the name of a brain when it may be one, or is empty: then whoever else may name one does. Raises
    `InvalidToken`."""
    return token(name, "brain") if name else ""


@dataclass(frozen=True, slots=True, order=True)
class SessionKey:
    """A session and the tenant it belongs to: the tenant is always present."""

    tenant: str
    session: str

    def __post_init__(self) -> None:
        token(self.tenant, "tenant")
        token(self.session, "session")

    def __str__(self) -> str:
        return f"{self.tenant}/{self.session}"
