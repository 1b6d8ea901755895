"""NATS reads its configuration again when it is asked over its system account."""

import json
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError

from vigil.contract.modules import ModuleId
from vigil.contract.permissions import OPERATOR, inbox_prefix
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.handled import handled
from vigil_provision import nats_config, secrets, site_folder
from vigil_provision.errors import ProvisionError
from vigil_provision.nats_config import NatsServer
from vigil_provision.nats_reload import reload
from vigil_provision.site import NATS_CONFIG, Site
from vigil_provision.testing.command import provision
from vigil_provision.testing.servers import SECRETS, ConfiguredNats

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SERVER = NatsServer("127.0.0.1", 4222, "127.0.0.1:8222", "/data", "tenant-demo")


def config(*tenants: str, modules: tuple[ModuleId, ...] = ()) -> str:
    return nats_config.render(SERVER, tenants, SECRETS.nats_password_of, modules)


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


async def test_a_tenant_comes_and_goes_and_nobody_else_is_disconnected(tmp_path: Path) -> None:
    server = ConfiguredNats(tmp_path / "nats", config("demo"))
    await server.start()
    losses: list[str] = []

    async def lost() -> None:
        losses.append("lost")

    reader = await nats.connect(server.url, disconnected_cb=lost)
    heard = await reader.subscribe("vigil.v1.alert.demo.>")
    service = await nats.connect(
        server.url_of("interaction"), inbox_prefix=inbox_prefix("interaction"), disconnected_cb=lost
    )
    url = server.tenant_url("acme")
    assert not await may_connect(url)
    server.configure(config("demo", "acme"))
    assert await reload(server.system_url) == ("vigil",)
    newcomer = await nats.connect(url)
    of_newcomer = await newcomer.subscribe("vigil.v1.alert.acme.>")
    await handled(newcomer)
    await service.publish("vigil.v1.alert.acme.yard.opened", b"theirs")
    assert (await of_newcomer.next_msg(timeout=DEADLINE_S)).data == b"theirs"
    await newcomer.close()
    server.configure(config("demo"))
    await reload(server.system_url)
    assert not await may_connect(url)
    await service.publish("vigil.v1.alert.demo.lobby.opened", b"ours")
    assert (await heard.next_msg(timeout=DEADLINE_S)).data == b"ours"
    assert losses == []
    await reader.close()
    await service.close()
    await server.kill()


async def test_what_a_new_tenant_asks_and_its_first_module_tells_reaches_the_services(tmp_path: Path) -> None:
    server = ConfiguredNats(tmp_path / "nats", config("demo"))
    await server.start()
    services = await nats.connect(server.url_of(OPERATOR))
    heard = await services.subscribe("vigil.v1.>")
    await handled(services)
    said = {
        server.tenant_url("acme"): "vigil.v1.history.ask.acme",
        server.module_url("acme", "zones"): "vigil.v1.observation.acme.s-1.zones",
        server.module_url("demo", "zones"): "vigil.v1.observation.demo.s-1.zones",
    }
    server.configure(config("demo", "acme", modules=(ModuleId("acme", "zones"), ModuleId("demo", "zones"))))
    await reload(server.system_url)
    for url, subject in said.items():
        client = await nats.connect(url)
        await client.publish(subject, b"a word")
        assert (await heard.next_msg(timeout=DEADLINE_S)).subject == subject
        await client.close()
    await services.close()
    await server.kill()


async def test_a_configuration_that_nats_refuses_is_told(tmp_path: Path) -> None:
    server = ConfiguredNats(tmp_path / "nats", config("demo"))
    await server.start()
    server.configure("port: [")
    with pytest.raises(ProvisionError, match="NATS refuses its new configuration"):
        await reload(server.system_url)
    assert await may_connect(server.tenant_url("demo")), "the old configuration holds"
    await server.kill()


async def test_only_the_system_user_may_have_it_read(tmp_path: Path) -> None:
    server = ConfiguredNats(tmp_path / "nats", config("demo"))
    await server.start()
    for user in ("operator", "gateway", "tenant-demo"):
        with pytest.raises(ProvisionError):
            await reload(server.url_of(user))
    await server.kill()


async def test_a_server_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(ProvisionError, match=r"NATS at 127\.0\.0\.1:1 was not told") as caught:
        await reload("nats://system:sesame@127.0.0.1:1")
    assert "sesame" not in caught.value.message


async def test_the_keys_command_of_a_site_gives_a_new_tenant_its_reader(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    site_folder.write(folder, Site(nats_store=str(tmp_path / "nats/jetstream")), NOW)
    made = secrets.load(folder / secrets.FILE)
    server = ConfiguredNats(tmp_path / "nats", (folder / NATS_CONFIG).read_text(), made)
    await server.start()
    place = f"127.0.0.1:{server.port}"
    site_folder.write(folder, Site(nats=place, public_nats=place, nats_store=str(tmp_path / "nats/jetstream")), NOW)
    server.config_file.unlink()
    server.config_file.symlink_to(folder / NATS_CONFIG)
    made_key = await provision("keys", "add", "pager", "--tenant", "acme", "--role", "viewer", "--site", str(folder))
    assert made_key.status == 0, made_key.output
    listed = await provision("keys", "tenants", "--json", "--site", str(folder))
    (row,) = [row for row in json.loads(listed.output) if row["tenant"] == "acme"]
    assert await may_connect(row["nats_url"])
    removed = await provision("keys", "remove", "--tenant", "acme", "--all", "--site", str(folder))
    assert removed.status == 0, removed.output
    await eventually(lambda: is_refused(row["nats_url"]), what="the user is gone")
    await server.kill()


async def is_refused(url: str) -> bool:
    return not await may_connect(url)
