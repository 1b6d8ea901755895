"""The passwords and the API key of one deployment: made once, kept readable by the owner only."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from vigil.contract.modules import ModuleId
from vigil.contract.permissions import OPERATOR, module_user
from vigil_provision.errors import ProvisionError
from vigil_provision.private_file import write_private

TENANT = "demo"
FILE = "secrets.json"
_KEY_BYTES = 24


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Never shown: it has no repr. `nats_password` and `redis_password` are those of the operator, who may do
    everything; the passwords of all others are derived from them, so that a new user needs no new file."""

    nats_password: str
    redis_password: str
    api_key: str

    def nats_password_of(self, user: str, salt: str = "") -> str:
        """The password of a NATS user. A module's has a salt, which is another each time it is added."""
        return _derived(self.nats_password, f"{user}:{salt}" if salt else user)

    def nats_passwords(self, modules: Iterable[ModuleId]) -> Callable[[str], str]:
        """What gives each NATS user's password, where there are these modules."""
        salts = {module_user(module): module.salt for module in modules}
        return lambda user: self.nats_password_of(user, salts.get(user, ""))

    def redis_password_of(self, user: str) -> str:
        """The password of a Redis user."""
        return _derived(self.redis_password, user)


def load_or_create(path: Path) -> Secrets:
    """The secrets in `path`, made on the first call. Raises `ProvisionError` when the file is something else."""
    if not path.exists():
        made = Secrets(*(secrets.token_urlsafe(_KEY_BYTES) for _ in range(3)))
        write_private(path, json.dumps(asdict(made)))
        return made
    return load(path)


def load(path: Path) -> Secrets:
    """The secrets in `path`. Raises `ProvisionError` when they are not there, or the file is something else."""
    try:
        return Secrets(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise ProvisionError(f"{path} is not there", "write it with `vigil-provision write` or `vigil up`") from None
    except (ValueError, TypeError):
        raise ProvisionError(f"{path} holds no passwords of Vigil", "delete it and run what wrote it again") from None


def _derived(password: str, user: str) -> str:
    if user == OPERATOR:
        return password
    return hmac.new(password.encode(), user.encode(), hashlib.sha256).hexdigest()
