"""What the chart takes from the rows: files of JSON in its folder `files`, from which its templates read.

`make docs` writes them, a test compares them with the rows. No password is in them: the chart puts its own in.
"""

import json
from collections.abc import Mapping
from typing import Any

from vigil.contract import permissions, store_permissions
from vigil.contract.permissions import NatsAccount
from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import SERVICES
from vigil_provision import nats_config, redis_config

# Stand for the name of a tenant, and for that of a module.
TENANT, MODULE = "{tenant}", "{module}"
# Names that they could have, which nothing else holds.
_STAND_IN, _MODULE_STAND_IN = "00tenant00", "00module00"


def files(capacities: Mapping[str, int]) -> dict[str, str]:
    """The texts of the files by their name. `capacities` are the sessions that a worker of a service holds at most, by
    the service's name: its settings say that, not its row."""
    rows = {row.name: _row(row) for row in SERVICES}
    contents = {
        "services.json": {name: row | {"capacity": capacities.get(name)} for name, row in rows.items()},
        "nats-accounts.json": _accounts(),
        "nats-tenant.json": _tenant(),
        "nats-modules.json": _modules(),
        "redis-users.json": [
            {"name": user.name, "rights": redis_config.rights(user)} for user in store_permissions.users()
        ],
    }
    return {name: json.dumps(content, indent=2) + "\n" for name, content in contents.items()}


def _row(row: ServiceSpec) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "http_port": row.http_port,
        "grpc_port": row.grpc_port,
        "metrics_port": row.metrics_port,
        "ready_path": row.ready_path,
        "uses_redis": row.uses_redis,
        "on_request": row.on_request,
        "wiring": row.wiring,
        "cpu": row.resources.cpu,
        "memory_mib": row.resources.memory_mib,
    }


def _accounts() -> dict[str, Any]:
    """The accounts that are there without any tenant."""
    return nats_config.accounts((), _no_password)


def _tenant() -> dict[str, Any]:
    """The account of a tenant, and what the account of the services must let it have."""
    return _with_exports(permissions.tenant_account(_STAND_IN))


def _modules() -> dict[str, Any]:
    """The account of a tenant's modules with one of them, whose user each of them has, and what the account of the
    services must let it have."""
    return _with_exports(permissions.modules_account(_STAND_IN, [_MODULE_STAND_IN]))


def _with_exports(account: NatsAccount) -> dict[str, Any]:
    made = {"account": nats_config.reader(account, _no_password), "exports": nats_config.exports(account)}
    text = json.dumps(made).replace(_STAND_IN, TENANT).replace(_MODULE_STAND_IN, MODULE)
    found: dict[str, Any] = json.loads(text)
    return found


def _no_password(_: str) -> str:
    return ""
