"""The NATS configuration of each kind of deployment, with the tenants `demo` and `acme` and modules of theirs."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from vigil.contract.modules import ModuleId
from vigil.contract.permissions import accounts, tenant_user
from vigil_provision import nats_config, site
from vigil_provision.nats_config import NatsServer
from vigil_provision.secrets import TENANT
from vigil_provision.site import Site
from vigil_provision.testing.servers import SECRETS

TENANTS = (TENANT, "acme")
MODULES = (ModuleId("acme", "zones"), ModuleId(TENANT, "faces"), ModuleId(TENANT, "zones"))
RENDERED_CHART = Path(__file__).resolve().parents[4] / "deploy/helm/vigil/examples/rendered/production.yaml"
CHART_TENANT = "globex"  # the example has it in the place of `demo`


@dataclass(frozen=True, slots=True)
class Deployment:
    """The name of a deployment and the text of its NATS configuration; whether that lets in who gives no name."""

    name: str
    nats_config: str
    is_open: bool = False


def of_vigil_up() -> Deployment:
    """Who gives no name is the reader of `demo`."""
    server = NatsServer("127.0.0.1", 4222, "127.0.0.1:8222", "/data", without_name=tenant_user(TENANT))
    return Deployment("vigil up", nats_config.render(server, TENANTS, SECRETS.nats_password_of, MODULES), is_open=True)


def of_a_site() -> Deployment:
    """That of containers: who gives no name is refused."""
    return Deployment("site", site.nats_file(Site(), SECRETS, TENANTS, MODULES))


def of_the_chart() -> Deployment:
    """That of the chart's production values, as Helm renders them, on one server without certificates. The passwords
    stand in it as variables, which the chart's Secret gives."""
    documents = yaml.safe_load_all(RENDERED_CHART.read_text())
    (config,) = (found["data"]["nats.conf"] for found in documents if found and "nats.conf" in found.get("data", {}))
    alone = re.sub(r"^include .*\n|^tls: .*\n|^cluster: \{\n(?: .*\n)*\}\n", "", config, flags=re.MULTILINE)
    users = [user.name for account in accounts(TENANTS, MODULES) for user in account.users]
    given = "".join(f"{_variable(user)}: {json.dumps(SECRETS.nats_password_of(user))}\n" for user in users)
    return Deployment(
        "chart", given + alone.replace(CHART_TENANT, TENANT).replace(CHART_TENANT.upper(), TENANT.upper())
    )


def _variable(user: str) -> str:
    """The variable of a user's password in the chart."""
    return f"NATS_PASSWORD_{user.upper().replace('-', '_').replace('.', '__')}"


def of_accounts_alone() -> Deployment:
    """That of a site whose readers and modules may do anything within their account: that alone keeps them in."""
    lines = site.nats_file(Site(), SECRETS, TENANTS, MODULES).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("accounts: "))
    accounts = json.loads(lines[place].removeprefix("accounts: "))
    for name, account in accounts.items():
        for user in account["users"] if name.startswith(("TENANT_", "MODULES_")) else ():
            del user["permissions"]
    lines[place] = f"accounts: {json.dumps(accounts)}"
    return Deployment("accounts alone", "\n".join(lines))


DEPLOYMENTS = (of_vigil_up(), of_a_site(), of_the_chart())
