"""`vigil-provision write`: the configuration and the credentials of a deployment of containers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vigil_client.commands.running import stderr
from vigil_provision import site as sites
from vigil_provision import site_folder
from vigil_provision.commands.place import tell_nats, tell_redis
from vigil_provision.site import Site

USUAL = Site()

SiteFolder = Annotated[
    Path, typer.Option("--site", envvar="VIGIL_SITE", help="Folder to fill; the containers mount its parts.")
]


def write(
    site: SiteFolder,
    nats: Annotated[str, typer.Option("--nats", help="NATS, as the containers reach it.")] = USUAL.nats,
    redis: Annotated[str, typer.Option("--redis", help="Redis, as the containers reach it.")] = USUAL.redis,
    gateway: Annotated[str, typer.Option("--gateway", help="The gateway's HTTP port.")] = USUAL.gateway,
    gateway_grpc: Annotated[str, typer.Option("--gateway-grpc", help="The gateway's gRPC port.")] = USUAL.gateway_grpc,
    engine: Annotated[str, typer.Option("--engine", help="The engine; empty: not known here.")] = USUAL.engine,
    public_nats: Annotated[
        str, typer.Option("--public-nats", help="NATS, as downstream systems reach it from outside.")
    ] = USUAL.public_nats,
    tenant: Annotated[str, typer.Option("--tenant", help="Tenant of the key for the site's own commands.")] = "demo",
    model: Annotated[str, typer.Option("--model", help="Model that the engine serves.")] = USUAL.model,
    profile: Annotated[str, typer.Option("--profile", help="Prompt profile of that model.")] = USUAL.profile,
    tls: Annotated[
        bool, typer.Option("--tls", envvar="VIGIL_SITE_TLS", help="NATS, Redis and the gateway speak TLS alone.")
    ] = False,
    public_hosts: Annotated[
        str,
        typer.Option(
            "--public-hosts",
            envvar="VIGIL_PUBLIC_HOSTS",
            help="Names and addresses, separated by commas, by which clients outside reach the gateway and NATS: they "
            "stand in the certificates.",
        ),
    ] = USUAL.public_hosts,
) -> None:
    """Fill a folder with what the containers of a deployment start from: the configuration of NATS and Redis with a
    user for each service, each service's addresses, the key file, and the addresses and the key for `vigil`.

    What is there already stays: passwords, keys, and files that are what they should be. NATS and Redis that
    run are told of a configuration that has changed. All files may be read by their owner only. With --tls an authority
    of the site's own makes certificates; one that holds for less than 90 days is renewed.

    \b
    Example:
      vigil-provision write --site /site --public-nats 127.0.0.1:4222
    """
    ran_before = (site / sites.NATS_CONFIG).exists()
    wanted = Site(
        *(nats, redis, gateway, gateway_grpc, engine, public_nats, tenant, model, profile),
        tls=tls,
        public_hosts=public_hosts,
    )
    written = site_folder.write(site, wanted, datetime.now(UTC).replace(microsecond=0))
    stderr.print(f"{site}: {len(written)} files written", highlight=False, soft_wrap=True)
    if ran_before and any(place.startswith("nats/") for place in written):  # a new certificate, too
        tell_nats(site)
    if ran_before and str(sites.REDIS_USERS) in written:
        tell_redis(site)
