"""The passwords and the API key of one data directory: made once, kept readable by the owner only."""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from vigil_local.errors import LocalError

TENANT = "demo"


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Never shown: it has no repr. `nats_password` is that of the operator, who may do everything."""

    nats_password: str
    redis_password: str
    api_key: str

    def nats_password_of(self, service: str) -> str:
        """The password of a service's own NATS user: derived, so that a new service needs no new file."""
        return hmac.new(self.nats_password.encode(), service.encode(), hashlib.sha256).hexdigest()


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


def key_file(api_key: str) -> str:
    """The gateway's key file: only the hash of the key is in it."""
    digest = hashlib.sha256(api_key.encode()).hexdigest()
    return json.dumps({"keys": [{"sha256": digest, "tenant": TENANT}]})


def write_private(path: Path, text: str) -> None:
    """Write `text` to a file of mode 0600, whatever was there before."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
