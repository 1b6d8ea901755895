"""A site: the folder of configuration and credentials from which the containers of a deployment start.

    secrets.json, site.json     passwords and addresses, for `vigil-provision` alone
    modules.json                the modules that have a NATS user, for `vigil-provision modules`
    nats/nats.conf              for NATS, mounted at /etc/vigil/nats
    redis/redis.conf, users.acl for Redis, mounted at /etc/vigil/redis
    <service>/nats_url, …       for one service, mounted at /run/secrets/vigil (`VIGIL_SECRETS_DIR`)
    streams/nats_url            for `vigil-provision streams`: NATS with the operator's rights
    keys/api-keys.json          for the gateway and `vigil-provision keys`
    cli/endpoints.json, …       for the `vigil` command: the key and the reader of the site's own tenant

With TLS, certificates lie beside these (`vigil_provision.site_tls`).

Each folder is a volume, which is mounted where its reader runs and nowhere else. Pure: values in, texts out.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from vigil.contract.modules import ModuleId
from vigil.contract.permissions import OPERATOR, tenant_user
from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import GATEWAY, SERVICES
from vigil_client.endpoints import Endpoints
from vigil_provision import nats_config, redis_config
from vigil_provision.nats_config import NatsServer
from vigil_provision.redis_config import RedisServer
from vigil_provision.secrets import TENANT, Secrets

# The keys of a site, in its folder; the gateway reads them.
KEYS = PurePosixPath("keys/api-keys.json")
NATS_CONFIG = PurePosixPath("nats/nats.conf")
REDIS_USERS = PurePosixPath("redis/users.acl")
# The folder of the `vigil` command.
COMMAND = "cli"
# The folder of what makes the streams, and brings them up to date.
STREAMS = "streams"
# Where the containers of NATS and Redis find their folders.
_NATS_FOLDER = "/etc/vigil/nats"
_REDIS_FOLDER = "/etc/vigil/redis"


@dataclass(frozen=True, slots=True)
class Site:
    """Where the processes of a deployment reach each other, as `host:port`. `public_nats` is NATS as downstream systems
    reach it from outside; `tenant` is the one whose key and reader the `vigil` command of the site gets; `nats_store`
    and `redis_store` are where the containers of the servers have their volumes. With `tls` NATS, Redis and the gateway
    speak TLS alone; `public_hosts` are the names and addresses, separated by commas, by which clients outside reach
    the gateway and NATS."""

    nats: str = "nats:4222"
    redis: str = "redis:6379"
    gateway: str = f"gateway:{GATEWAY.http_port}"
    gateway_grpc: str = f"gateway:{GATEWAY.grpc_port}"
    engine: str = "engine:8000"
    public_nats: str = "127.0.0.1:4222"
    tenant: str = TENANT
    model: str = ""
    profile: str = ""
    nats_store: str = "/data/jetstream"
    redis_store: str = "/data"
    tls: bool = False
    public_hosts: str = ""


def files(
    site: Site, secrets: Secrets, tenants: Iterable[str], modules: Iterable[ModuleId] = ()
) -> dict[PurePosixPath, str]:
    """The files of a site by their place in it, without the keys, when these tenants and the site's own have a key."""
    made = {NATS_CONFIG: nats_file(site, secrets, tenants, modules)}
    certificates = _REDIS_FOLDER if site.tls else ""
    redis = RedisServer("* -::*", _port(site.redis), site.redis_store, f"{_REDIS_FOLDER}/users.acl", certificates)
    made[PurePosixPath("redis/redis.conf")] = redis_config.render(redis)
    made[PurePosixPath(STREAMS, "nats_url")] = nats_url(site.nats, secrets, OPERATOR, tls=site.tls)
    made[REDIS_USERS] = redis_config.users(secrets.redis_password_of)
    for row in SERVICES:
        made |= _of_service(site, secrets, row)
    return made | _of_command(site, secrets)


def nats_file(site: Site, secrets: Secrets, tenants: Iterable[str], modules: Iterable[ModuleId] = ()) -> str:
    """The text of NATS's configuration file when these tenants and the site's own have a key, and these modules."""
    certificates = _NATS_FOLDER if site.tls else ""
    # Its state (who is connected, from where, to which subjects) asks for no password: for its own health check alone.
    server = NatsServer("0.0.0.0", _port(site.nats), "127.0.0.1:8222", site.nats_store, certificates=certificates)
    wanted = tuple(modules)
    return nats_config.render(server, {site.tenant, *tenants}, secrets.nats_passwords(wanted), wanted)


def nats_url(place: str, secrets: Secrets, user: str, *, tls: bool = False, salt: str = "") -> str:
    """The address of NATS at `place` (`host:port`) for one user; a module's password has a salt."""
    return f"{'tls' if tls else 'nats'}://{user}:{secrets.nats_password_of(user, salt)}@{place}"


def redis_url(place: str, secrets: Secrets, user: str = OPERATOR, *, tls: bool = False) -> str:
    """The address of Redis at `place` (`host:port`) for one user."""
    return f"{'rediss' if tls else 'redis'}://{user}:{secrets.redis_password_of(user)}@{place}/0"


def _of_service(site: Site, secrets: Secrets, row: ServiceSpec) -> dict[PurePosixPath, str]:
    """The settings of a service that are secret, each in a file of its name."""
    folder = PurePosixPath(row.name)
    made = {folder / "nats_url": nats_url(site.nats, secrets, row.name, tls=site.tls)}
    if row.uses_redis:
        made[folder / "redis_url"] = redis_url(site.redis, secrets, row.name, tls=site.tls)
    return made


def _of_command(site: Site, secrets: Secrets) -> dict[PurePosixPath, str]:
    """What the `vigil` command finds as if `vigil up` had written it, and the same as plain files."""
    reader = nats_url(site.nats, secrets, tenant_user(site.tenant), tls=site.tls)
    http = "https" if site.tls else "http"
    endpoints = Endpoints(
        gateway_url=f"{http}://{site.gateway}",
        nats_url=reader,
        api_key=secrets.api_key,
        tenant=site.tenant,
        engine_url=f"http://{site.engine}" if site.engine else "",
        model=site.model,
        profile=site.profile,
        gateway_grpc=site.gateway_grpc,
        ca_file="ca.crt" if site.tls else "",
        ready_urls={row.name: f"http://{row.name}:{row.scraped_port}{row.ready_path}" for row in SERVICES},
    )
    folder = PurePosixPath(COMMAND)
    texts = {"endpoints.json": json.dumps(asdict(endpoints), indent=2), "api_key": secrets.api_key, "nats_url": reader}
    return {folder / name: text for name, text in texts.items()}


def _port(place: str) -> int:
    return int(place.rpartition(":")[2])
