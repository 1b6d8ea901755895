"""The configuration that `vigil up` gives its NATS server: one user a service, each with the rights of its row."""

import json
from pathlib import Path
from typing import Any

from vigil.contract import permissions
from vigil.contract.permissions import Permissions
from vigil.contract.services import SERVICES
from vigil_local.supervisor.secrets import Secrets

OPERATOR_USER = "operator"
DOWNSTREAM_USER = "downstream"
MAX_PAYLOAD_BYTES = 8 * 1024 * 1024


def render(port: int, monitor_port: int, store_dir: Path, secrets: Secrets) -> str:
    """The text of the configuration file: loopback only, JetStream on disk, the users of one account.

    Each service may do what its row says. `operator` may do everything: it is for people who look into streams.
    Whoever connects without a name is `downstream`: it hears alerts, utterances, delegations and session events,
    live or from their streams, and can say nothing.
    """
    services = [_user(row.name, secrets.nats_password_of(row.name), permissions.of_service(row)) for row in SERVICES]
    operator = _user(OPERATOR_USER, secrets.nats_password)
    downstream = _user(DOWNSTREAM_USER, DOWNSTREAM_USER, permissions.of_downstream())
    lines = {
        "host": "127.0.0.1",
        "port": port,
        "http": f"127.0.0.1:{monitor_port}",
        "server_name": "vigil",
        "max_payload": MAX_PAYLOAD_BYTES,
        "jetstream": {"store_dir": str(store_dir), "max_memory_store": 64 << 20, "max_file_store": 8 << 30},
        "accounts": {"VIGIL": {"jetstream": "enabled", "users": [*services, operator, downstream]}},
        "no_auth_user": DOWNSTREAM_USER,
    }
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in lines.items())


def _user(name: str, password: str, allowed: Permissions | None = None) -> dict[str, Any]:
    """A user of the account; without `allowed` it may do everything."""
    user: dict[str, Any] = {"user": name, "password": password}
    if allowed is not None:
        user["permissions"] = {"publish": {"allow": allowed.publish}, "subscribe": {"allow": allowed.subscribe}}
        if allowed.answers:
            user["permissions"]["allow_responses"] = {"max": 1, "expires": "5s"}
    return user
