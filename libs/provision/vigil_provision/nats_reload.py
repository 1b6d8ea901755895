"""NATS reads its configuration again: asked for over its system account, so that nobody needs its process."""

import asyncio
import contextlib
import json

from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout

from vigil_client.nats_connection import GuardedNats
from vigil_client.trust import trusting
from vigil_provision.errors import ProvisionError

REQUEST_S = 3.0
# Every server of a cluster answers a call to all; who has not answered by then is away.
GATHER_S = 0.5
# An account that is new to a running server (2.15.1) may hear at once, but what it publishes for the services reaches
# nobody until the server has read its configuration once more.
READINGS = 2
_ALL = "$SYS.REQ.SERVER.PING"


async def reload(url: str, ca_file: str = "") -> tuple[str, ...]:
    """Have every server that can be reached from `url` read its configuration again; their names.

    `url` names the user of the system account, `ca_file` the authority behind a `tls://` address. Nobody who is
    connected and still may be is disconnected. Raises `ProvisionError`.
    """
    client = GuardedNats()
    try:
        async with asyncio.timeout(REQUEST_S + GATHER_S):
            await client.connect(url, allow_reconnect=False, error_cb=_ignored, tls=trusting(ca_file))
            found = await _servers(client)
            for server in [*found] * READINGS:
                answer = await client.request(f"$SYS.REQ.SERVER.{server}.RELOAD", b"", timeout=REQUEST_S)
                _check(json.loads(answer.data))
            return tuple(found.values())
    except (NatsError, OSError, TimeoutError, ValueError) as error:
        raise ProvisionError(
            f"NATS at {url.rpartition('@')[2]} was not told of its new configuration: {str(error) or 'no answer'}",
            "it reads it when it starts; if it runs, check the address in site.json and run the command again",
        ) from None
    finally:
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            await client.close()


async def _servers(client: Nats) -> dict[str, str]:
    """The servers by their id, with their name."""
    inbox = await client.subscribe(client.new_inbox())
    await client.publish(_ALL, b"", reply=inbox.subject)
    found: dict[str, str] = {}
    with contextlib.suppress(NatsTimeout):
        while True:
            server = json.loads((await inbox.next_msg(timeout=GATHER_S)).data)["server"]
            found[server["id"]] = server["name"]
    if not found:
        raise ProvisionError("no server answers over the system account", "check that the user `system` is in it")
    return found


def _check(answer: dict[str, object]) -> None:
    if error := answer.get("error"):
        raise ProvisionError(f"NATS refuses its new configuration: {error}", "report it, with the server's log")


async def _ignored(_: Exception) -> None:
    """What the server says goes into the error of the call that it is about."""
