"""The configuration of a NATS server: the accounts and users of `vigil.contract.permissions`, and where it keeps what.

Pure: values in, text out. The text is JSON on each line, which NATS reads as its own form.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from vigil.contract import permissions
from vigil.contract.modules import ModuleId
from vigil.contract.permissions import SERVICES_ACCOUNT, SYSTEM_ACCOUNT, NatsAccount, NatsUser

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
MEMORY_STORE_BYTES = 64 << 20
FILE_STORE_BYTES = 8 << 30
# What may wait for one connection that does not read; then the server closes it.
MAX_PENDING_BYTES = 2 * MAX_PAYLOAD_BYTES
# What a tenant's readers may take of the server, all together and each. What waits for readers that do not read is the
# server's memory, so connections times `MAX_PENDING_BYTES` must fit into it: 256 MiB.
TENANT_LIMITS = {"max_connections": 16, "max_subscriptions": 1_024, "max_payload": 4 << 10}
# The same for a tenant's modules, for which pictures may wait. An observation that is larger than it may be, and yet
# within this, comes to the session's worker, which counts it; beyond this NATS ends the connection.
MODULE_LIMITS = TENANT_LIMITS | {"max_payload": 64 << 10}

# The password of a user, or a reference to a variable of the server's environment: `$NATS_PASSWORD_GATEWAY`.
PasswordOf = Callable[[str], str]
_REFERENCE = re.compile(r'"(\$NATS_PASSWORD_[A-Z0-9_]+)"')


@dataclass(frozen=True, slots=True)
class NatsServer:
    """Where the server listens (`host` and `port`; `monitor` is `host:port` of its status over HTTP) and where it
    stores. Whoever gives no name is `without_name`; empty: he is refused. In the folder `certificates` are tls.crt and
    tls.key; empty: it speaks no TLS."""

    host: str
    port: int
    monitor: str
    store_dir: str
    without_name: str = ""
    certificates: str = ""


def render(
    server: NatsServer, tenants: Iterable[str], password_of: PasswordOf, modules: Iterable[ModuleId] = ()
) -> str:
    """The text of the configuration file.

    Each message that JetStream acknowledges is on disk before: NATS's default, a flush every two minutes, loses
    acknowledged messages when the power fails.
    """
    lines: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "http": server.monitor,
        "server_name": "vigil",
        "max_payload": MAX_PAYLOAD_BYTES,
        "max_pending": MAX_PENDING_BYTES,
        "jetstream": {
            "store_dir": server.store_dir,
            "max_memory_store": MEMORY_STORE_BYTES,
            "max_file_store": FILE_STORE_BYTES,
            "sync_interval": "always",
        },
        "accounts": accounts(tenants, password_of, modules),
        "system_account": SYSTEM_ACCOUNT,
    }
    if server.certificates:
        lines["tls"] = {"cert_file": f"{server.certificates}/tls.crt", "key_file": f"{server.certificates}/tls.key"}
    if server.without_name:
        lines["no_auth_user"] = server.without_name
    return as_text(lines)


def as_text(lines: dict[str, Any]) -> str:
    """The form that NATS reads; a password that names a variable of its environment stands without quotation marks."""
    return _REFERENCE.sub(r"\1", "".join(f"{name}: {json.dumps(value)}\n" for name, value in lines.items()))


def accounts(tenants: Iterable[str], password_of: PasswordOf, modules: Iterable[ModuleId] = ()) -> dict[str, Any]:
    """The block `accounts`: that of the services lets each tenant's accounts have what is the tenant's."""
    services, *others = permissions.accounts(sorted(set(tenants)), modules)
    made = {services.name: {"jetstream": "enabled", **_users(services, password_of)}}
    made |= {account.name: reader(account, password_of) for account in others}
    made[services.name]["exports"] = [export for account in others for export in exports(account)]
    return made


def exports(account: NatsAccount) -> list[dict[str, Any]]:
    """What the account of the services lets this account have, and no other."""
    streams = [{"stream": subject, "accounts": [account.name]} for subject in account.hears]
    # The server remembers for so long where a question's answer goes; ours are answered on a subject of their own.
    services = [{"service": subject, "accounts": [account.name], "threshold": "1s"} for subject in account.asks]
    return [*streams, *services]


def reader(account: NatsAccount, password_of: PasswordOf) -> dict[str, Any]:
    """The block of an account that is not that of the services."""
    made = _users(account, password_of)
    shared = [("stream", subject) for subject in account.hears] + [("service", subject) for subject in account.asks]
    if shared:
        made["imports"] = [{kind: {"account": SERVICES_ACCOUNT, "subject": subject}} for kind, subject in shared]
        made["limits"] = MODULE_LIMITS if account.is_of_modules else TENANT_LIMITS
    return made


def _users(account: NatsAccount, password_of: PasswordOf) -> dict[str, Any]:
    return {"users": [_user(user, password_of) for user in account.users]}


def _user(user: NatsUser, password_of: PasswordOf) -> dict[str, Any]:
    made: dict[str, Any] = {"user": user.name, "password": password_of(user.name)}
    if user.allowed is not None:
        made["permissions"] = {
            "publish": {"allow": user.allowed.publish},
            "subscribe": {"allow": user.allowed.subscribe},
        }
    return made
