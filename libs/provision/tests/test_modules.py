"""The modules of a deployment: changed by a command, followed by the NATS of a site."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError

from vigil.contract.api_keys import ApiKey, digest_of
from vigil.contract.modules import MAX_MODULES, ModuleId
from vigil.testing.eventually import eventually
from vigil_client import endpoints
from vigil_client.endpoints import Endpoints
from vigil_client.testing.command import invoked
from vigil_provision import key_file, module_file, secrets, site_folder
from vigil_provision.errors import ProvisionError
from vigil_provision.modules import added, removed
from vigil_provision.site import NATS_CONFIG, Site
from vigil_provision.testing.command import provision
from vigil_provision.testing.servers import ConfiguredNats

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ZONES, FACES = ModuleId("demo", "zones"), ModuleId("demo", "faces")


def test_modules_are_added_in_order_and_removed() -> None:
    both = added(added((), ZONES, ["demo"]), FACES, ["demo"])
    assert both == (FACES, ZONES)
    assert removed(both, ZONES) == (FACES,)


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(ProvisionError, match="there is a module demo/zones"):
        added((ZONES,), ZONES, ["demo"])
    with pytest.raises(ProvisionError, match="there is no tenant demo"):
        added((), ZONES, ["acme"])
    with pytest.raises(ProvisionError, match="there is no module demo/zones"):
        removed((FACES,), ZONES)
    many = tuple(ModuleId("demo", f"m{number:02}") for number in range(MAX_MODULES))
    with pytest.raises(ProvisionError, match="17 modules: 16 are taken") as caught:
        added(many, ZONES, ["demo"])
    assert caught.value.next_step == "remove one with `vigil modules remove`"


def command(*arguments: str) -> str:
    """What `vigil modules` prints; it succeeds."""
    done = invoked("modules", *arguments)
    assert done.status == 0, done.output
    return done.output


def test_the_command_from_the_first_module_to_the_last(tmp_path: Path) -> None:
    place = ("--data-dir", str(tmp_path))
    key_file.change(tmp_path / key_file.FILE, lambda keys: (*keys, ApiKey(digest_of("own"), "demo")))
    secrets.load_or_create(tmp_path / secrets.FILE)
    endpoints.write(tmp_path / endpoints.FILE, Endpoints("http://127.0.0.1:1", "nats://127.0.0.1:2", "own"))
    said, address = command("add", "zones", *place).splitlines()
    assert said == "added  demo/zones"
    assert address.startswith("nats://module.demo.zones:")
    assert address.endswith("@127.0.0.1:2")
    (row,) = json.loads(command("list", "--json", *place))
    assert row == {"tenant": "demo", "module": "zones", "nats_url": address}
    assert address in command("list", *place), "whole, to be copied"
    assert command("url", "zones", *place) == f"{address}\n"
    assert module_file.read(tmp_path / module_file.FILE) == (ZONES,)
    assert (tmp_path / module_file.FILE).stat().st_mode & 0o777 == 0o600
    assert command("remove", "zones", *place) == "removed  demo/zones\n"
    assert module_file.read(tmp_path / module_file.FILE) == ()
    _, again = command("add", "zones", *place).splitlines()
    assert again != address, "whoever had the old address is locked out"
    assert command("url", "zones", *place) == f"{again}\n"


def test_an_address_that_is_not_known_yet_is_said_and_no_program_gets_half_of_it(tmp_path: Path) -> None:
    place = ("--data-dir", str(tmp_path))
    key_file.change(tmp_path / key_file.FILE, lambda keys: (*keys, ApiKey(digest_of("own"), "demo")))
    secrets.load_or_create(tmp_path / secrets.FILE)
    assert "`vigil up` does not run here, or is not ready" in command("add", "zones", *place).replace("\n", " ")
    done = invoked("modules", "url", "zones", *place)
    assert done.status == 1
    assert "vigil modules url zones --tenant demo" in done.output.replace("\n", " ")
    assert "nats://" not in done.output
    assert module_file.read(tmp_path / module_file.FILE) == (ZONES,), "it is added all the same"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "my zones"), "module 'my zones' is not allowed"),
        (("add", "zones", "--tenant", "x.y"), "tenant 'x.y' is not allowed"),
        (("add", "zones", "--tenant", "acme"), "there is no tenant acme"),
        (("remove", "zones"), "there is no module demo/zones"),
        (("url", "zones"), "there is no module demo/zones"),
    ],
)
def test_a_command_that_cannot_be_done_changes_nothing(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    key_file.change(tmp_path / key_file.FILE, lambda keys: (*keys, ApiKey(digest_of("own"), "demo")))
    done = invoked("modules", *arguments, "--data-dir", str(tmp_path))
    assert (done.status, said in done.output) == (1, True), done.output
    assert not (tmp_path / module_file.FILE).exists()


def test_a_file_that_cannot_be_used_is_named_and_stays(tmp_path: Path) -> None:
    path = tmp_path / module_file.FILE
    path.write_text("{")
    done = invoked("modules", "list", "--data-dir", str(tmp_path))
    assert done.status == 1
    assert "the file of modules" in done.output.replace("\n", " ")
    assert path.read_text() == "{"


def test_a_site_that_is_written_again_keeps_its_modules(tmp_path: Path) -> None:
    site_folder.write(tmp_path, Site(), NOW)
    module_file.write(tmp_path / module_file.FILE, (ZONES,))
    assert site_folder.write(tmp_path, Site(), NOW) == (str(NATS_CONFIG),)
    assert '"module.demo.zones"' in (tmp_path / NATS_CONFIG).read_text()
    assert site_folder.write(tmp_path, Site(), NOW) == ()


def test_a_change_of_the_keys_keeps_the_modules_of_tenants_that_stay(tmp_path: Path) -> None:
    site_folder.write(tmp_path, Site(), NOW)
    module_file.write(tmp_path / module_file.FILE, (ModuleId("acme", "zones"), ZONES))
    site_folder.write(tmp_path, Site(), NOW)
    text = (tmp_path / NATS_CONFIG).read_text()
    assert '"module.demo.zones"' in text
    assert "module.acme" not in text, "the tenant has no key"


async def may_connect(url: str) -> bool:
    client = Nats()
    try:
        await client.connect(url, allow_reconnect=False)
    except NatsError:
        return False
    else:
        return True
    finally:
        await client.close()


async def is_refused(url: str) -> bool:
    return not await may_connect(url)


async def test_the_modules_command_of_a_site_gives_a_module_its_user_and_takes_it_away(tmp_path: Path) -> None:
    folder, store = tmp_path / "site", str(tmp_path / "nats/jetstream")
    site_folder.write(folder, Site(nats_store=store), NOW)
    made = secrets.load(folder / secrets.FILE)
    server = ConfiguredNats(tmp_path / "nats", (folder / NATS_CONFIG).read_text(), made)
    await server.start()
    place = f"127.0.0.1:{server.port}"
    site_folder.write(folder, Site(nats=place, public_nats=place, nats_store=store), NOW)
    server.config_file.unlink()
    server.config_file.symlink_to(folder / NATS_CONFIG)
    made_user = await provision("modules", "add", "zones", "--site", str(folder))
    assert made_user.status == 0, made_user.output
    url = made_user.output.split()[-1]
    assert await may_connect(url)
    taken = await provision("modules", "remove", "zones", "--site", str(folder))
    assert taken.status == 0, taken.output
    await eventually(lambda: is_refused(url), what="the user is gone")
    added_again = await provision("modules", "add", "zones", "--site", str(folder))
    assert added_again.status == 0, added_again.output
    assert await may_connect(added_again.output.split()[-1])
    assert not await may_connect(url), "it has another password"
    await server.kill()


def test_a_module_that_an_older_release_added_keeps_its_password(tmp_path: Path) -> None:
    site_folder.write(tmp_path, Site(), NOW)
    (tmp_path / module_file.FILE).write_text('{"modules": ["demo/zones"]}')
    site_folder.write(tmp_path, Site(), NOW)
    password = secrets.load(tmp_path / secrets.FILE).nats_password_of("module.demo.zones")
    assert password in (tmp_path / NATS_CONFIG).read_text()
    done = invoked("modules", "url", "zones", "--site", str(tmp_path))
    assert password in done.output


def test_the_command_alone_lists_the_modules_of_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site_folder.write(tmp_path, Site(), NOW)
    module_file.write(tmp_path / module_file.FILE, (ModuleId("demo", "zones"),))
    monkeypatch.setenv("VIGIL_SITE", str(tmp_path))
    assert command() == command("list")
    assert "zones" in command()
