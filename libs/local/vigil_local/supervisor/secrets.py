"""The passwords and the API key of one data directory: made once, kept readable by the owner only."""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from vigil.contract.permissions import OPERATOR
from vigil_local.errors import LocalError

TENANT = "demo"
FILE = "secrets.json"


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Never shown: it has no repr. `nats_password` is that of the operator, who may do everything."""

    nats_password: str
    redis_password: str
    api_key: str

    def nats_password_of(self, user: str) -> str:
        """The password of a NATS user: derived from the operator's, so that a new one needs no new file."""
        if user == OPERATOR:
            return self.nats_password
        return hmac.new(self.nats_password.encode(), user.encode(), hashlib.sha256).hexdigest()


def load_or_create(path: Path) -> Secrets:
    """The secrets in `path`, made on the first call. Raises `LocalError` when the file is something else."""
    if not path.exists():
        made = Secrets(*(secrets.token_urlsafe(24) for _ in range(3)))
        write_private(path, json.dumps(asdict(made)))
        return made
    try:
        return Secrets(**json.loads(path.read_text()))
    except (ValueError, TypeError):
        raise LocalError(f"{path} is not what vigil up writes", "delete it and run `vigil up` again") from None


def write_private(path: Path, text: str) -> None:
    """Write `text` to a file of mode 0600 in one step: whoever reads it meanwhile reads the old text or the new one."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
