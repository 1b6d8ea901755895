"""What stands before and behind the workers: the gateway with a client, the webhook bridge with a receiver."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from bench.load_plan import TENANT
from bench.stack import Stack
from vigil.testing.ports import free_port

_KEY = "a-key-of-the-bench"
_SECRET = "whsec_" + "dmlnaWwtYmVuY2gtc2VjcmV0LW9mLTMyLWJ5dGVzISE="


@asynccontextmanager
async def ingestion_and_gateway(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    """Both before the workers of `stack`, and a client of the tenant."""
    keys = stack.folder / "keys.json"
    keys.write_text(json.dumps({"keys": [{"sha256": hashlib.sha256(_KEY.encode()).hexdigest(), "tenant": TENANT}]}))
    grpc, http = free_port(), free_port()
    await stack.start("ingestion", variables={"VIGIL_GRPC_PORT": str(grpc)})
    variables = {
        "VIGIL_HTTP_PORT": str(http),
        "VIGIL_API_KEYS_FILE": str(keys),
        "VIGIL_INGESTION_GRPC": f"127.0.0.1:{grpc}",
    }
    await stack.start("gateway", variables=variables)
    headers = {"Authorization": f"Bearer {_KEY}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{http}", headers=headers) as client:
        yield client


class Receiver:
    """Takes what the bridge posts, and counts it."""

    def __init__(self) -> None:
        self.received = 0

    async def take(self, request: web.Request) -> web.Response:
        """aiohttp's handler."""
        await request.read()
        self.received += 1
        return web.Response(status=204)


@asynccontextmanager
async def webhook(stack: Stack) -> AsyncIterator[Receiver]:
    """The bridge, and the receiver of all the tenant's alerts."""
    receiver, port = Receiver(), free_port()
    application = web.Application()
    application.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        endpoint = {"name": "bench", "tenant": TENANT, "url": f"http://127.0.0.1:{port}/hook", "secret": _SECRET}
        webhooks = stack.folder / "webhooks.json"
        webhooks.write_text(json.dumps({"endpoints": [endpoint]}))
        await stack.start(
            "webhook", variables={"VIGIL_WEBHOOKS_FILE": str(webhooks), "VIGIL_WEBHOOK_ALLOW_LOCAL": "true"}
        )
        yield receiver
    finally:
        await runner.cleanup()
