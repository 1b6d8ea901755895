"""`vigil-provision streams`: the streams and the bucket, made before any service needs them."""

import asyncio
import ssl

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.process.config import ConfigInvalid, ServiceSettings, load
from vigil.runtime.process.startup import StartupError
from vigil.runtime.process.tls import trusted_by
from vigil_client.commands.running import run, stderr
from vigil_provision.errors import ProvisionError

READY_S = 60.0


def streams() -> None:
    """Make the streams and the bucket of NATS, or bring them up to date; it may run again and again.

    It takes the settings of a service: VIGIL_NATS_URL or VIGIL_SECRETS_DIR, and VIGIL_STREAM_REPLICAS.
    """
    try:
        settings = load(ServiceSettings)
        tls = trusted_by(settings.ca_file)
    except (ConfigInvalid, StartupError) as error:
        raise ProvisionError(str(error), "correct the variable") from None
    run(_made(settings, tls))


async def _made(settings: ServiceSettings, tls: ssl.SSLContext | None) -> bool:
    await make_streams(settings.nats_url, settings.stream_replicas, tls)
    stderr.print(f"streams are made, each kept by {settings.stream_replicas} servers", highlight=False)
    return True


async def make_streams(nats_url: str, replicas: int = 1, tls: ssl.SSLContext | None = None) -> None:
    """Make the streams and the bucket, or bring them up to date: no service has the right to. `nats_url` is that of the
    operator; it is waited for. Raises `ProvisionError`."""
    async with Bus.connect(BusConfig(nats_url, "vigil-provision", replicas, tls=tls)) as bus:
        try:
            async with asyncio.timeout(READY_S):
                await bus.connected()
        except TimeoutError:
            raise ProvisionError(
                f"NATS took no streams within {READY_S:.0f} s: {bus.fault}",
                "check that it runs, its address, and that it has as many servers as VIGIL_STREAM_REPLICAS",
            ) from None
