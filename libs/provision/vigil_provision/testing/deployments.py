"""The NATS configuration of each kind of deployment, with the tenants `demo` and `acme`."""

import json
from dataclasses import dataclass

from vigil.contract.permissions import tenant_user
from vigil_provision import nats_config, site
from vigil_provision.nats_config import NatsServer
from vigil_provision.secrets import TENANT
from vigil_provision.site import Site
from vigil_provision.testing.servers import SECRETS

TENANTS = (TENANT, "acme")


@dataclass(frozen=True, slots=True)
class Deployment:
    """The name of a deployment and the text of its NATS configuration; whether that lets in who gives no name."""

    name: str
    nats_config: str
    is_open: bool = False


def of_vigil_up() -> Deployment:
    """Who gives no name is the reader of `demo`."""
    server = NatsServer("127.0.0.1", 4222, "127.0.0.1:8222", "/data", without_name=tenant_user(TENANT))
    return Deployment("vigil up", nats_config.render(server, TENANTS, SECRETS.nats_password_of), is_open=True)


def of_a_site() -> Deployment:
    """That of containers: who gives no name is refused."""
    return Deployment("site", site.nats_file(Site(), SECRETS, TENANTS))


def of_accounts_alone() -> Deployment:
    """That of a site whose readers' users may do anything: what keeps them from writing is their account."""
    lines = site.nats_file(Site(), SECRETS, TENANTS).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("accounts: "))
    accounts = json.loads(lines[place].removeprefix("accounts: "))
    for tenant in TENANTS:
        (user,) = accounts[f"TENANT_{tenant}"]["users"]
        del user["permissions"]
    lines[place] = f"accounts: {json.dumps(accounts)}"
    return Deployment("accounts alone", "\n".join(lines))


DEPLOYMENTS = (of_vigil_up(), of_a_site())
