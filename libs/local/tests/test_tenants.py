"""The NATS users follow the tenants of the key file and the modules, while NATS runs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of
from vigil.contract.modules import ModuleId
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil_local.supervisor.tenants import follow_tenants
from vigil_local.testing.servers import UpNats
from vigil_provision import key_file, module_file
from vigil_provision.keys import added, without_tenant


@pytest.fixture
async def keys(up_nats: UpNats, tmp_path: Path) -> AsyncIterator[Path]:
    """A key file that the server's users follow."""
    path = tmp_path / key_file.FILE
    key_file.change(path, lambda keys: (*keys, ApiKey(digest_of("own"), "demo")))
    following = asyncio.create_task(follow_tenants(tmp_path, up_nats.config, up_nats.render, up_nats.system_url))
    yield path
    following.cancel()
    await asyncio.wait({following})


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


async def test_a_new_tenant_gets_a_user_and_a_removed_one_loses_it_and_nobody_else_notices(
    up_nats: UpNats, keys: Path
) -> None:
    losses: list[str] = []

    async def lost() -> None:
        losses.append("lost")

    url = up_nats.tenant_url("acme")
    stranger = await nats.connect(up_nats.open_url, disconnected_cb=lost)
    heard = await stranger.subscribe("vigil.v1.alert.demo.>")
    service = await nats.connect(
        up_nats.url_of("interaction"), inbox_prefix="_VIGIL_INBOX.interaction", disconnected_cb=lost
    )
    assert not await may_connect(url)
    entry = ApiKey("", "acme", KeyRole.VIEWER, "pager", datetime.now(UTC))
    key_file.change(keys, lambda before: added(before, entry))
    await eventually(lambda: may_connect(url), what="the user of the new tenant")
    key_file.change(keys, lambda before: without_tenant(before, "acme"))
    await eventually(lambda: refused(url), what="the user is gone")
    await service.publish("vigil.v1.alert.demo.lobby.opened", b"{}")
    assert (await heard.next_msg(timeout=DEADLINE_S)).data == b"{}"
    assert losses == []
    await stranger.close()
    await service.close()


async def test_a_new_module_gets_a_user_and_a_removed_one_is_disconnected_and_nobody_else_is(
    up_nats: UpNats, keys: Path
) -> None:
    losses: list[str] = []

    async def lost() -> None:
        losses.append("lost")

    service = await nats.connect(
        up_nats.url_of("interaction"), inbox_prefix="_VIGIL_INBOX.interaction", disconnected_cb=lost
    )
    url, modules = up_nats.module_url("demo", "zones"), keys.with_name(module_file.FILE)
    assert not await may_connect(url)
    module_file.write(modules, (ModuleId("demo", "zones"), ModuleId("nobody", "zones")))
    await eventually(lambda: may_connect(url), what="the user of the new module")
    gone = asyncio.Event()

    async def end() -> None:
        gone.set()

    module = await nats.connect(url, allow_reconnect=False, closed_cb=end)
    modules.write_text("{")  # what cannot be read changes nothing
    module_file.write(modules, ())
    async with asyncio.timeout(DEADLINE_S):
        await gone.wait()
    assert not await may_connect(url)
    assert losses == []
    await module.close()
    await service.close()


async def test_what_the_first_module_tells_reaches_the_service_that_was_there_before(
    up_nats: UpNats, keys: Path
) -> None:
    service = await nats.connect(up_nats.url_of("interaction"), inbox_prefix="_VIGIL_INBOX.interaction")
    heard = await service.subscribe("vigil.v1.observation.demo.s-1.*")
    url, modules = up_nats.module_url("demo", "zones"), keys.with_name(module_file.FILE)
    module_file.write(modules, (ModuleId("demo", "zones"),))
    await eventually(lambda: may_connect(url), what="the user of the new module")
    module = await nats.connect(url)

    async def told() -> bool:
        """Whether a word arrives; the user may be there a moment before its words pass."""
        await module.publish("vigil.v1.observation.demo.s-1.zones", b"a word")
        try:
            return bool(await heard.next_msg(timeout=0.2))
        except NatsTimeout:
            return False

    await eventually(told, what="what the module tells")
    await module.close()
    await service.close()


async def refused(url: str) -> bool:
    return not await may_connect(url)
