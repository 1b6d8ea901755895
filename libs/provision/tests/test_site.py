"""A site: what each container gets, what stays, and what is said when it is something else."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from vigil.contract.api_keys import ApiKey
from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import SERVICES
from vigil.runtime.process.config import ServiceSettings, load
from vigil_client.endpoints import read as read_endpoints
from vigil_provision import key_file, secrets, site, site_folder
from vigil_provision.errors import ProvisionError
from vigil_provision.keys import SITE_KEY, added
from vigil_provision.site import KEYS, Site
from vigil_provision.testing.command import provision

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
BY_NAME = pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_written_once_and_stays(tmp_path: Path) -> None:
    written = site_folder.write(tmp_path, Site(), NOW)
    assert {"nats/nats.conf", "redis/redis.conf", "redis/users.acl", "gateway/nats_url", "cli/api_key"} <= set(written)
    before = contents(tmp_path)
    assert site_folder.write(tmp_path, Site(), NOW + timedelta(days=1)) == ()
    assert contents(tmp_path) == before


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    site_folder.write(tmp_path / "site", Site(), NOW)
    for path in (tmp_path / "site").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_what_nats_shows_without_a_password_is_for_its_own_container(tmp_path: Path) -> None:
    """Its state names every user, address and subject; whoever runs beside it, or on the host, reaches its networks."""
    site_folder.write(tmp_path, Site(), NOW)
    lines = (tmp_path / "nats" / "nats.conf").read_text().splitlines()
    assert [line for line in lines if line.startswith("http")] == ['http: "127.0.0.1:8222"']


def test_a_new_address_changes_the_files_that_name_it_and_no_password(tmp_path: Path) -> None:
    site_folder.write(tmp_path, Site(), NOW)
    made = secrets.load(tmp_path / secrets.FILE)
    changed = site_folder.write(tmp_path, Site(redis="store:6380"), NOW)
    assert set(changed) == {"redis/redis.conf", *(f"{row.name}/redis_url" for row in SERVICES if row.uses_redis)}
    assert (tmp_path / "gateway/redis_url").read_text().endswith("@store:6380/0")
    assert secrets.load(tmp_path / secrets.FILE).redis_password == made.redis_password


@BY_NAME
def test_a_service_reads_its_addresses_from_its_folder(
    tmp_path: Path, row: ServiceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    site_folder.write(tmp_path, Site(), NOW)
    monkeypatch.setenv("VIGIL_SECRETS_DIR", str(tmp_path / row.name))
    settings = load(ServiceSettings)
    assert settings.nats_url.startswith(f"nats://{row.name}:")
    assert settings.nats_url.endswith("@nats:4222")
    assert settings.redis_url.startswith(f"redis://{row.name}:" if row.uses_redis else "redis://127.0.0.1")
    assert {path.name for path in (tmp_path / row.name).iterdir()} <= set(ServiceSettings.model_fields)


def test_no_reader_finds_the_password_of_another(tmp_path: Path) -> None:
    site_folder.write(tmp_path, Site(), NOW)
    made = secrets.load(tmp_path / secrets.FILE)
    of_user = {row.name: (made.nats_password_of(row.name), made.redis_password_of(row.name)) for row in SERVICES}
    roots = {"operator": (made.nats_password, made.redis_password), **of_user}
    for row in SERVICES:
        text = "".join(path.read_text() for path in (tmp_path / row.name).iterdir())
        assert not [user for user, found in roots.items() if user != row.name and any(word in text for word in found)]
    users = (tmp_path / "redis/users.acl").read_text()
    assert not [word for found in roots.values() for word in found if word in users], "only their SHA-256"
    command = "".join(path.read_text() for path in (tmp_path / "cli").iterdir())
    assert not [word for found in roots.values() for word in found if word in command]


def test_the_commands_of_the_site_have_a_key_and_the_reader_of_its_tenant(tmp_path: Path) -> None:
    site_folder.write(tmp_path, Site(model="vigil-small"), NOW)
    found = read_endpoints(tmp_path / "cli/endpoints.json")
    (key,) = key_file.read(tmp_path / KEYS)
    assert (key.name, key.tenant) == (SITE_KEY, "demo")
    assert (tmp_path / "cli/api_key").read_text() == found.api_key
    assert (tmp_path / "cli/nats_url").read_text() == found.nats_url
    assert found.nats_url.startswith("nats://tenant-demo:")
    assert (found.gateway_url, found.gateway_grpc, found.model) == (
        "http://gateway:8080",
        "gateway:9200",
        "vigil-small",
    )


def test_keys_that_are_there_stay_and_their_tenants_have_a_reader(tmp_path: Path) -> None:
    site_folder.write(tmp_path, Site(), NOW)
    key_file.change(tmp_path / KEYS, lambda keys: added(keys, ApiKey("", "acme", name="pager")))
    assert site_folder.write(tmp_path, Site(), NOW) == ("nats/nats.conf",)
    assert '"tenant-acme"' in (tmp_path / "nats/nats.conf").read_text()
    assert {key.tenant for key in key_file.read(tmp_path / KEYS)} == {"demo", "acme"}


def test_a_folder_that_is_no_site_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="is no site") as caught:
        site_folder.read(tmp_path)
    assert caught.value.next_step == "run `vigil-provision write`"
    (tmp_path / site_folder.FILE).write_text("[]")
    with pytest.raises(ProvisionError, match="not what vigil-provision writes"):
        site_folder.read(tmp_path)
    (tmp_path / site_folder.FILE).write_text(json.dumps({}))
    with pytest.raises(ProvisionError, match=r"secrets\.json is not there"):
        site_folder.read(tmp_path)


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = secrets.load_or_create(path)
    assert secrets.load_or_create(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({made.nats_password, made.redis_password, made.api_key}) == 3
    assert made.api_key not in repr(made)
    path.write_text("[]")
    with pytest.raises(ProvisionError, match="holds no passwords of Vigil"):
        secrets.load_or_create(path)


def test_every_place_is_inside_of_the_site() -> None:
    made = secrets.Secrets("n", "r", "k")
    places = [*site.files(Site(), made, ()), KEYS]
    assert not [place for place in places if place.is_absolute() or ".." in place.parts]
    assert PurePosixPath("webhook/nats_url") in places
    assert PurePosixPath("webhook/redis_url") not in places


async def test_the_command_writes_a_site_and_says_so(tmp_path: Path) -> None:
    done = await provision("write", "--site", str(tmp_path), "--public-nats", "10.0.0.1:4222")
    assert done.status == 0, done.output
    again = await provision("write", "--site", str(tmp_path), "--public-nats", "10.0.0.1:4222")
    assert again.status == 0, again.output
    listed = await provision("keys", "tenants", "--site", str(tmp_path), "--json")
    (row,) = json.loads(listed.output)
    assert row["nats_url"].endswith("@10.0.0.1:4222")
    missing = await provision("write")
    assert (missing.status, "--site" in missing.output) == (2, True)
