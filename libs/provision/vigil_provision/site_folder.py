"""A site on disk: written from nothing, brought up to date, and kept in step with the keys."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path, PurePosixPath

from vigil.contract.api_keys import tenants_of
from vigil_provision import key_file, module_file, secrets, site_tls
from vigil_provision import site as sites
from vigil_provision.errors import ProvisionError
from vigil_provision.keys import SITE_KEY, Keys, with_own
from vigil_provision.private_file import write_private
from vigil_provision.secrets import Secrets
from vigil_provision.site import Site

FILE = "site.json"
FOLDER_MODE = 0o700
_PUBLIC_MODE = 0o644


def write(folder: Path, site: Site, now: datetime) -> tuple[str, ...]:
    """Write the files of a site; those that are what they should be stay as they are, and so do passwords and keys.
    Returns the places of the files that were written. Raises `ProvisionError`."""
    _make(folder)
    made = secrets.load_or_create(folder / secrets.FILE)
    changed: list[str] = []

    def rest(keys: Keys) -> None:
        modules = module_file.read(folder / module_file.FILE)
        texts = sites.files(site, made, tenants_of(keys), modules) | site_tls.files(folder, site, now)
        changed.extend(str(place) for place, text in texts.items() if put(folder / place, text, _mode(place)))

    _make((folder / sites.KEYS).parent)
    put(folder / FILE, json.dumps(asdict(site), indent=2))
    key_file.change(folder / sites.KEYS, lambda keys: with_own(keys, made.api_key, site.tenant, now, SITE_KEY), rest)
    return tuple(changed)


def read(folder: Path) -> tuple[Site, Secrets]:
    """The addresses and the passwords of a site. Raises `ProvisionError`."""
    path = folder / FILE
    try:
        site = Site(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise ProvisionError(f"{folder} is no site: {path} is not there", "run `vigil-provision write`") from None
    except (ValueError, TypeError):
        raise ProvisionError(f"{path} is not what vigil-provision writes", "run `vigil-provision write`") from None
    return site, secrets.load(folder / secrets.FILE)


def follower(folder: Path, tell: Callable[[], None]) -> Callable[[Keys], None]:
    """What is to see the keys of a site whenever they or its modules change: NATS gets the users of exactly these
    tenants and modules. `tell` is called when its configuration has changed."""
    site, made = read(folder)

    def follow(keys: Keys) -> None:
        modules = module_file.read(folder / module_file.FILE)
        if put(folder / sites.NATS_CONFIG, sites.nats_file(site, made, tenants_of(keys), modules)):
            tell()

    return follow


def put(path: Path, text: str, mode: int = 0o600) -> bool:
    """Have the file hold this text; whether it had to be written, then with this mode."""
    _make(path.parent)
    if path.exists() and path.read_text() == text:
        return False
    write_private(path, text, mode)
    return True


def _mode(place: PurePosixPath) -> int:
    return _PUBLIC_MODE if place == site_tls.PUBLIC else 0o600


def _make(folder: Path) -> None:
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
