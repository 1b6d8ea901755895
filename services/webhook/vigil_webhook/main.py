"""Wires the webhook bridge: endpoints, bus, sender, a courier for each endpoint."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.process.http_endpoint import serve_http
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.service import Service, run_service
from vigil.runtime.process.startup import StartupError
from vigil.runtime.process.tls import trusted_by
from vigil_webhook.config import WebhookSettings
from vigil_webhook.consumer_check import ConsumerCheck
from vigil_webhook.courier import Courier, feeds
from vigil_webhook.dead_letters import PATH, listing
from vigil_webhook.endpoints import Endpoint, EndpointsInvalid, load
from vigil_webhook.sender import sending

log = get_log()


@asynccontextmanager
async def build(service: Service[WebhookSettings]) -> AsyncIterator[None]:
    """Deliver to every endpoint. NATS may start later than this process. A receiver that is down does not change the
    bridge's readiness."""
    settings = service.settings
    endpoints = _endpoints(settings)
    name, tls = f"vigil-webhook {settings.worker}", trusted_by(settings.ca_file)
    config = BusConfig(settings.nats_url, name, settings.stream_replicas, updates_streams=False, tls=tls)
    async with (
        Bus.connect(config) as bus,
        serve_http(service.health, settings.host, settings.http_port, [web.get(PATH, listing(bus))]) as http_port,
        sending(settings.webhook_timeout_s, allow_local=settings.webhook_allow_local) as sender,
    ):
        couriers = [
            Courier(bus, sender, endpoint, feed, settings.patience, settings.ack_wait_s)
            for endpoint in endpoints
            for feed in feeds(endpoint)
        ]
        service.health.register("nats", bus.ping)
        service.health.register("endpoints", lambda: _are_there(couriers))
        checks = [ConsumerCheck(courier.consumer, courier.feed.label, settings.webhook_check_s) for courier in couriers]
        service.health.register("consumers", lambda: _are_unchanged(checks))
        for courier in couriers:
            service.spawn(f"courier {courier.feed.label}", courier.run())
        for check in checks:
            service.spawn(f"check {check.label}", check.run())
        log.info(
            "ports opened",
            host=settings.host,
            http_port=http_port,
            endpoints=[_shown(endpoint) for endpoint in endpoints],
        )
        yield


async def _are_there(couriers: Sequence[Courier]) -> None:
    missing = [courier.feed.label for courier in couriers if not courier.is_there]
    if missing:
        raise RuntimeError(f"no consumer yet for {', '.join(missing)}")


async def _are_unchanged(checks: Sequence[ConsumerCheck]) -> None:
    if changed := [check.changed for check in checks if check.changed]:
        raise RuntimeError("; ".join(changed))


def _endpoints(settings: WebhookSettings) -> tuple[Endpoint, ...]:
    try:
        return load(settings.webhooks_file, allow_local=settings.webhook_allow_local)
    except EndpointsInvalid as error:
        raise StartupError(f"VIGIL_WEBHOOKS_FILE: {error}") from None


def _shown(endpoint: Endpoint) -> dict[str, str]:
    return {"name": endpoint.name, "tenant": endpoint.tenant, "host": endpoint.host}


def main() -> None:
    """Run the bridge until it is told to stop."""
    run_service("webhook", WebhookSettings, build)


if __name__ == "__main__":
    main()
