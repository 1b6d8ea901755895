"""`vigil modules`: the processes of the operator's own that may see a tenant's pictures and tell what they notice."""

import json
from secrets import token_hex
from typing import Annotated

import typer
from rich.table import Table

from vigil.contract.api_keys import tenants_of
from vigil.contract.modules import ModuleId
from vigil.core.errors import InvalidToken
from vigil_client.commands.running import console, run_by_default, show_error, show_table, stderr
from vigil_client.endpoints import DATA_DIR
from vigil_provision.commands.keys import AsJson, DataDir, SiteFolder
from vigil_provision.commands.place import UNKNOWN, Place
from vigil_provision.errors import ProvisionError
from vigil_provision.modules import added, removed
from vigil_provision.secrets import TENANT

modules = typer.Typer(invoke_without_command=True)

_SALT_BYTES = 8

Name = Annotated[str, typer.Argument(help="What the module is called: its observations carry this name.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Tenant whose sessions the module may see.")]


@modules.callback()
def by_default(context: typer.Context) -> None:
    """Add, list and remove modules; alone it lists them.

    A module is a process of yours that looks at a tenant's pictures and tells what it notices. It has a NATS user of
    its own, which may do that and nothing else. A change is in effect within two seconds, without a restart.

    \b
    Examples:
      vigil modules add zones
      vigil modules add faces --tenant acme
      vigil modules remove zones
    """
    if context.invoked_subcommand is None:
        run_by_default(context, "list")


@modules.command()
def add(name: Name, tenant: Tenant = TENANT, data_dir: DataDir = DATA_DIR, site: SiteFolder = None) -> None:
    """Give a module a NATS user, and print its address, password included: there is nothing else on standard output.

    The password is a new one, also where the module was there before and was removed.
    """
    place, new = Place(data_dir, None, site), _module(tenant, name, token_hex(_SALT_BYTES))
    place.change_modules(lambda known, keys: added(known, new, tenants_of(keys)))
    stderr.print(f"added  {new}", highlight=False)
    address = place.module_url(new)
    _plain(address)
    if address.endswith(UNKNOWN):
        show_error(_not_known(new))


@modules.command("list")
def list_modules(data_dir: DataDir = DATA_DIR, site: SiteFolder = None, as_json: AsJson = False) -> None:
    """List the modules, and the NATS address of each, password included."""
    place = Place(data_dir, None, site)
    rows = [
        {"tenant": module.tenant, "module": module.name, "nats_url": place.module_url(module)}
        for module in place.modules()
    ]
    if as_json:
        _plain(json.dumps(rows, indent=2))
        return
    table = Table("tenant", "module", "NATS address", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row.values())
    show_table(table)


@modules.command()
def url(name: Name, tenant: Tenant = TENANT, data_dir: DataDir = DATA_DIR, site: SiteFolder = None) -> None:
    """Print the NATS address of a module, password included, and nothing else: for the module's own command line."""
    place, wanted = Place(data_dir, None, site), _module(tenant, name)
    found = next((module for module in place.modules() if module == wanted), None)
    if found is None:
        raise ProvisionError(f"there is no module {wanted}", f"`vigil modules add {name} --tenant {tenant}` makes it")
    address = place.module_url(found)
    if address.endswith(UNKNOWN):
        raise _not_known(wanted)
    _plain(address)


@modules.command()
def remove(name: Name, tenant: Tenant = TENANT, data_dir: DataDir = DATA_DIR, site: SiteFolder = None) -> None:
    """Take a module's NATS user away: it is disconnected within two seconds."""
    old = _module(tenant, name)
    Place(data_dir, None, site).change_modules(lambda known, _: removed(known, old))
    stderr.print(f"removed  {old}", highlight=False)


def _module(tenant: str, name: str, salt: str = "") -> ModuleId:
    try:
        return ModuleId(tenant, name, salt)
    except InvalidToken as error:
        raise ProvisionError(str(error), "choose another name") from None


def _not_known(module: ModuleId) -> ProvisionError:
    return ProvisionError(
        "where NATS listens is not known yet: `vigil up` does not run here, or is not ready",
        f"when it says that Vigil is up: vigil modules url {module.name} --tenant {module.tenant}",
    )


def _plain(text: str) -> None:
    """Print for programs: as it is, whatever the terminal."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
