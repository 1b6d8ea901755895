"""The configuration that `vigil up` gives its NATS server: the users of `vigil.contract.permissions`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vigil.contract import permissions
from vigil.contract.permissions import NatsUser
from vigil_local.supervisor.secrets import TENANT, Secrets

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024


def render(port: int, monitor_port: int, store_dir: Path, secrets: Secrets, tenants: Iterable[str] = ()) -> str:
    """The text of the configuration file: loopback only, JetStream on disk, the users of one account.

    Each service may do what its row says. `operator` may do everything: it is for people who look into streams. Each
    tenant has a user for its downstream systems, which hears that tenant alone and can change nothing. Whoever connects
    without a name is that of the tenant `demo`.
    """
    users = permissions.users(sorted({TENANT, *tenants}))
    lines = {
        "host": "127.0.0.1",
        "port": port,
        "http": f"127.0.0.1:{monitor_port}",
        "server_name": "vigil",
        "max_payload": MAX_PAYLOAD_BYTES,
        "jetstream": {"store_dir": str(store_dir), "max_memory_store": 64 << 20, "max_file_store": 8 << 30},
        "accounts": {"VIGIL": {"jetstream": "enabled", "users": [_user(user, secrets) for user in users]}},
        "no_auth_user": permissions.tenant_user(TENANT),
    }
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in lines.items())


def _user(user: NatsUser, secrets: Secrets) -> dict[str, Any]:
    made: dict[str, Any] = {"user": user.name, "password": secrets.nats_password_of(user.name)}
    if user.allowed is not None:
        made["permissions"] = {
            "publish": {"allow": user.allowed.publish},
            "subscribe": {"allow": user.allowed.subscribe},
        }
        if user.allowed.answers:
            made["permissions"]["allow_responses"] = {"max": 1, "expires": "5s"}
    return made
