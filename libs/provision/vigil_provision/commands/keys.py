"""`vigil keys`: who may use the gateway, as which tenant, for how long."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from vigil.contract.api_keys import ApiKey, KeyRole, tenants_of
from vigil.contract.permissions import tenant_user
from vigil.core.errors import InvalidToken
from vigil.core.ids import token
from vigil_client.commands.options import one_of
from vigil_client.commands.running import console, run_by_default, show_table, stderr
from vigil_client.commands.subscribe import duration
from vigil_client.endpoints import DATA_DIR
from vigil_provision.commands.place import Place
from vigil_provision.errors import ProvisionError
from vigil_provision.keys import Keys, Made, added, removed, rotated, without_tenant
from vigil_provision.secrets import TENANT

keys = typer.Typer(invoke_without_command=True)

ROLES = tuple(str(role) for role in KeyRole)
Name = Annotated[str, typer.Argument(help="Name or id of the key, as `vigil keys list` shows it.")]
NewName = Annotated[str, typer.Argument(help="What the key is for: one name for each client.")]
Tenant = Annotated[
    str, typer.Option("--tenant", help="Tenant that the key speaks for; its first key makes the tenant.")
]
OneTenant = Annotated[str, typer.Option("--tenant", help="Only the keys of this tenant.")]
Role = Annotated[
    str,
    typer.Option(
        "--role",
        parser=one_of(ROLES),
        metavar="|".join(ROLES),
        help="viewer reads; operator also opens, changes, ends and asks; admin also sees the tenant's keys.",
    ),
]
Expires = Annotated[
    timedelta | None,
    typer.Option("--expires", parser=duration, metavar="90d", help="Valid for so long; without it until removed."),
]
Overlap = Annotated[
    timedelta | None,
    typer.Option(
        "--overlap", parser=duration, metavar="1h", help="The old key holds for so long; without it ends at once."
    ),
]
DataDir = Annotated[Path, typer.Option("--data-dir", help="Where `vigil up` keeps its files.")]
KeyFile = Annotated[
    Path | None, typer.Option("--file", help="Key file of another deployment; default: that of the data directory.")
]
SiteFolder = Annotated[
    Path | None,
    typer.Option("--site", envvar="VIGIL_SITE", help="Folder that `vigil-provision write` fills for containers."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@keys.callback()
def by_default(context: typer.Context) -> None:
    """Add, list, rotate and remove API keys and tenants; alone it lists the keys.

    A change is in effect within two seconds, without a restart. A key is shown once, when it is made: the key file
    has only its SHA-256. With --site the NATS of the containers is told of new and removed tenants.

    \b
    Examples:
      vigil keys add pager --tenant acme --role viewer --expires 90d
      vigil keys rotate pager --tenant acme --overlap 1h
      vigil keys remove pager --tenant acme
      vigil keys tenants
    """
    if context.invoked_subcommand is None:
        run_by_default(context, "list")


@keys.command()
def add(
    name: NewName,
    tenant: Tenant = TENANT,
    role: Role = KeyRole.OPERATOR,
    expires: Expires = None,
    data_dir: DataDir = DATA_DIR,
    file: KeyFile = None,
    site: SiteFolder = None,
) -> None:
    """Make a key and print it: on standard output there is nothing but the key."""
    now = _now()
    ends = None if expires is None else now + expires
    entry = ApiKey("", _token(tenant, "tenant"), KeyRole(role), _token(name, "name"), now, ends)
    _show_made(Place(data_dir, file, site).change(lambda keys: added(keys, entry)), "added")


@keys.command("list")
def list_keys(
    tenant: OneTenant = "",
    data_dir: DataDir = DATA_DIR,
    file: KeyFile = None,
    site: SiteFolder = None,
    as_json: AsJson = False,
) -> None:
    """List the keys: never the keys themselves, which nobody can read again."""
    found = [key for key in Place(data_dir, file, site).stored() if tenant in ("", key.tenant)]
    if as_json:
        _plain(json.dumps([_as_json(key) for key in found], indent=2))
        return
    table = Table("tenant", "name", "role", "id", "created", "expires", box=None, pad_edge=False)
    for key in sorted(found, key=lambda key: (key.tenant, key.name)):
        table.add_row(key.tenant, key.name or "-", key.role, key.id, _day(key.created), _expiry(key))
    show_table(table)


@keys.command()
def rotate(
    name: Name,
    tenant: Tenant = TENANT,
    overlap: Overlap = None,
    data_dir: DataDir = DATA_DIR,
    file: KeyFile = None,
    site: SiteFolder = None,
) -> None:
    """Replace a key by a new one with the same name, role and expiry, and print it."""
    place = Place(data_dir, file, site)
    made = place.change(lambda keys: rotated(keys, tenant, name, _now(), overlap or timedelta()))
    _show_made(made, "rotated")


@keys.command()
def remove(
    name: Annotated[str, typer.Argument(help="Name or id of the key; leave it out with --all.")] = "",
    tenant: Tenant = TENANT,
    everything: Annotated[bool, typer.Option("--all", help="Every key of the tenant, and so the tenant.")] = False,
    data_dir: DataDir = DATA_DIR,
    file: KeyFile = None,
    site: SiteFolder = None,
) -> None:
    """Remove a key, or with --all a tenant. What was opened with it ends within two seconds; sessions go on."""
    if bool(name) == everything:
        raise ProvisionError("which key?", "give the name of a key, or --all to remove every key of the tenant")

    def left(before: Keys) -> Keys:
        return without_tenant(before, tenant) if everything else removed(before, tenant, name)

    Place(data_dir, file, site).change(left)
    stderr.print(f"removed  {tenant}/{name or '*'}", highlight=False)


@keys.command()
def tenants(
    data_dir: DataDir = DATA_DIR, file: KeyFile = None, site: SiteFolder = None, as_json: AsJson = False
) -> None:
    """List the tenants, and the NATS address by which a tenant's downstream systems hear its events and no others."""
    place = Place(data_dir, file, site)
    found = place.stored()
    rows = [
        {
            "tenant": tenant,
            "keys": sum(key.tenant == tenant for key in found),
            "nats_url": place.nats_url(tenant_user(tenant)),
        }
        for tenant in tenants_of(found)
    ]
    if as_json:
        _plain(json.dumps(rows, indent=2))
        return
    table = Table("tenant", "keys", "NATS address", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(str, row.values()))
    show_table(table)


def _token(value: str, what: str) -> str:
    try:
        return token(value, what)
    except InvalidToken as error:
        raise ProvisionError(str(error), f"choose another {what}") from None


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _show_made(made: Made, deed: str) -> None:
    entry = made.entry
    until = _expiry(entry)
    stderr.print(f"{deed}  {entry.tenant}/{entry.name}  role {entry.role}, expires {until}", highlight=False)
    stderr.print("keep the key: it is shown this once", highlight=False)
    _plain(made.key)


def _plain(text: str) -> None:
    """Print for programs: as it is, whatever the terminal."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _as_json(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant,
        "role": key.role,
        "created": key.created and key.created.isoformat(),
        "expires": key.expires and key.expires.isoformat(),
    }


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "-"


def _expiry(key: ApiKey) -> str:
    if key.expires is None:
        return "never"
    word = "expired " if key.has_expired(datetime.now(UTC)) else ""
    return f"{word}{key.expires.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
