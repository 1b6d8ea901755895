"""The gateway's process: settings, ports, server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from uuid import uuid4

import aiohttp
from redis.asyncio import Redis

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.grpc_server import bound_grpc
from vigil.runtime.process.health import Health
from vigil.runtime.process.http_endpoint import serve_http
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.service import Service, run_service
from vigil.runtime.process.startup import StartupError
from vigil.runtime.process.tls import ServerCertificate, trusted_by
from vigil.runtime.store import redis_client
from vigil.runtime.store.agent_tasks import AgentTasks
from vigil.runtime.store.approvals import ApprovalStore
from vigil.runtime.store.logins import LoginStore
from vigil.runtime.store.names import SessionNames
from vigil.runtime.store.oidc_flows import OidcFlows
from vigil.runtime.store.overview import Overviews
from vigil.runtime.store.pushed import PushedSessions
from vigil.runtime.store.sessions import SessionStore
from vigil.runtime.store.tally import Tally
from vigil.runtime.store.tasks import TaskStore
from vigil.runtime.store.turn_lease import TurnLeases
from vigil.runtime.store.turn_pictures import TurnPictures
from vigil.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server
from vigil_gateway.agent.doors import agent_routes
from vigil_gateway.alerts.reading import AlertReader
from vigil_gateway.api.auth import KeyRing
from vigil_gateway.api.key_file import KeyFile, KeyFileInvalid
from vigil_gateway.api.request_rate import RequestRate
from vigil_gateway.api.sizes import MAX_CHAT_BODY_BYTES
from vigil_gateway.audit.outbox import AuditOutbox
from vigil_gateway.config import GatewaySettings
from vigil_gateway.http.app import create_app
from vigil_gateway.http.server import MAX_CONNECTIONS, Listening, serve
from vigil_gateway.live.history import answer_history
from vigil_gateway.live.looks import Looks
from vigil_gateway.live.streams import PREVIEWS, QUOTA, StreamSlots
from vigil_gateway.login.attempts import LoginAttempts
from vigil_gateway.login.logins import Logins
from vigil_gateway.login.oidc.person import PersonRules
from vigil_gateway.login.oidc.provider import Client, Provider
from vigil_gateway.login.oidc.sign_in import SignIn
from vigil_gateway.ports import Ports
from vigil_gateway.preview.shows import Shows
from vigil_gateway.pushed.idle import end_idle
from vigil_gateway.pushed.pixel_budget import PixelBudget
from vigil_gateway.pushed.quota import IN_FLIGHT, PER_S, PushQuota
from vigil_gateway.replicas import Replicas
from vigil_gateway.rpc.calls import admitting, refusing
from vigil_gateway.rpc.service import NAME, GatewayService
from vigil_gateway.sessions.probe import SourceProbe, channel_to
from vigil_gateway.sessions.quota import SessionQuota
from vigil_gateway.sessions.unheld import Unheld
from vigil_gateway.stores import measure_stores
from vigil_gateway.wall.board import Board
from vigil_gateway.wall.boards import Boards

log = get_log()


@asynccontextmanager
async def build(service: Service[GatewaySettings]) -> AsyncIterator[None]:
    """Open the ports and serve; NATS and Redis may come later, until then the gateway is up and not ready."""
    settings = service.settings
    key_file = KeyFile(settings.api_keys_file)
    keys = _loaded(key_file)
    tls, certificate = trusted_by(settings.ca_file), _certificate(settings)
    config = BusConfig(settings.nats_url, "gateway", settings.stream_replicas, updates_streams=False, tls=tls)
    async with (
        Bus.connect(config) as bus,
        redis_client.open_redis(settings.redis_url, tls) as redis,
        channel_to(settings.ingestion_grpc) as channel,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        service.health.register("nats", lambda: _usable(bus))
        service.health.register("redis", lambda: redis_client.ping(redis))
        probe = SourceProbe(channel, settings.probe_deadline_s)
        replicas = Replicas()
        sign_in = _sign_in(settings, Provider(_client(settings), http, tls), redis)
        ports = _ports(settings, keys, bus, redis, probe, service.health, replicas, sign_in)
        uses = {
            QUOTA: ports.streams.open,
            PREVIEWS: ports.previews.open,
            IN_FLIGHT: ports.pushes.open,
            PER_S: ports.pushes.rates,
        }
        service.spawn("quotas", replicas.exchange(Tally(redis, uuid4().hex), uses))
        service.spawn("history", answer_history(replace(config, name="gateway history")))
        service.spawn("API keys", key_file.follow(keys))
        service.spawn("idle pushed sessions", end_idle(ports, settings.push_idle_s))
        service.spawn("sessions without a worker", Unheld(ports).run())
        service.spawn("sizes of the stores", measure_stores(bus, redis))
        service.spawn("audit", ports.audit.run())
        try:
            async with _endpoints(ports, certificate):
                yield
        finally:
            await ports.audit.flush()


@asynccontextmanager
async def _endpoints(ports: Ports, certificate: ServerCertificate | None) -> AsyncIterator[None]:
    """Serve HTTP and gRPC for as long as the block runs, over TLS where there is a certificate, and metrics without."""
    settings = ports.settings
    credentials, tls = (certificate.credentials(), certificate.context()) if certificate is not None else (None, None)
    async with (
        agent_routes(ports) as of_agents,
        serve_http(ports.health, settings.host, settings.metrics_port, endpoint="metrics") as metrics_port,
        bound_grpc(
            settings.host,
            settings.grpc_port,
            MAX_CHAT_BODY_BYTES,
            MAX_CONNECTIONS,
            refusing(ports),
            admitting(ports, NAME),
            credentials,
        ) as rpc,
        serve(create_app(ports, of_agents), Listening.of(settings, tls), ports.draining) as port,
    ):
        add_GatewayServiceServicer_to_server(GatewayService(ports), rpc.server)
        await rpc.start((NAME,))
        opened = {"port": port, "grpc_port": rpc.port, "metrics_port": metrics_port}
        log.info("ports opened", host=settings.host, **opened, tls=tls is not None)
        try:
            yield
        finally:
            await rpc.drain()


def _ports(
    settings: GatewaySettings,
    keys: KeyRing,
    bus: Bus,
    redis: Redis,
    probe: SourceProbe,
    health: Health,
    replicas: Replicas,
    sign_in: SignIn | None,
) -> Ports:
    store, placement = SessionStore(redis), Placement(redis)
    interval_s = settings.status_interval_s
    return Ports(
        settings=settings,
        keys=keys,
        bus=bus,
        alerts=AlertReader(bus),
        store=store,
        placement=placement,
        probe=probe,
        streams=StreamSlots(settings.streams_per_tenant, replicas),
        health=health,
        draining=asyncio.Event(),
        pushed=PushedSessions(redis),
        turns=TurnLeases(redis),
        pictures=TurnPictures(redis),
        tasks=TaskStore(redis),
        approvals=ApprovalStore(redis),
        previews=StreamSlots.of_previews(settings.previews_per_tenant, replicas),
        shows=Shows(bus),
        looks=Looks(store, interval_s),
        walls=Boards(partial(Board, bus=bus, overviews=Overviews(redis), placement=placement, interval_s=interval_s)),
        names=SessionNames(redis),
        quota=SessionQuota(store, settings.sessions_per_tenant),
        pushes=PushQuota(settings.pushes_in_flight_per_tenant, settings.pushes_per_tenant_s, replicas),
        pixels=PixelBudget(),
        rates=RequestRate(settings.requests_per_key_s),
        logins=Logins(
            LoginStore(redis),
            keys,
            hours=settings.login_hours,
            most=settings.logins_per_tenant,
            issuer=settings.oidc_issuer,
        ),
        attempts=LoginAttempts(settings.login_attempts_per_minute),
        audit=AuditOutbox(bus),
        sign_in=sign_in,
        agent_tasks=AgentTasks(redis),
    )


def _sign_in(settings: GatewaySettings, provider: Provider, redis: Redis) -> SignIn | None:
    """The way to the identity provider; None where none is configured."""
    rules = PersonRules(settings.oidc_tenant_claim, settings.oidc_role_claim, settings.oidc_roles)
    return SignIn(provider, OidcFlows(redis), rules) if settings.oidc_issuer else None


def _client(settings: GatewaySettings) -> Client:
    return Client(
        issuer=settings.oidc_issuer,
        id=settings.oidc_client_id,
        secret=settings.oidc_client_secret.get_secret_value(),
        redirect_url=settings.oidc_redirect_url,
        scope=settings.oidc_scope,
    )


async def _usable(bus: Bus) -> None:
    """Return when NATS answers and the streams are there, for without them no session can be announced."""
    await bus.ping()
    await bus.connected()


def _certificate(settings: GatewaySettings) -> ServerCertificate | None:
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return ServerCertificate(settings.tls_cert_file, settings.tls_key_file)


def _loaded(key_file: KeyFile) -> KeyRing:
    try:
        return key_file.load()
    except KeyFileInvalid as error:
        raise StartupError(f"VIGIL_API_KEYS_FILE: {error}") from None


def main() -> None:
    """Run the gateway until it is told to stop."""
    run_service("gateway", GatewaySettings, build)
