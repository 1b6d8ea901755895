"""The certificates in a site's folder: made when it is written with TLS, kept while they hold, renewed before they end.

tls/ca.crt, ca.key          the site's own authority, for `vigil-provision` alone
<server>/tls.crt, tls.key   of NATS, Redis and the gateway
<reader>/ca.crt             what each service, Redis's own check, and the commands `vigil` and `vigil-provision streams`
                            verify them with
trust/ca.crt                the same for everybody: a certificate without its key is no secret
"""

from datetime import datetime
from pathlib import Path, PurePosixPath

from vigil.contract.services import GATEWAY, SERVICES
from vigil_provision.certificates import Pair, issued, new_authority, still_holds
from vigil_provision.site import COMMAND, STREAMS, Site

_AUTHORITY = PurePosixPath("tls")
# What others than the containers of Vigil may read, such as Prometheus.
PUBLIC = PurePosixPath("trust/ca.crt")
_LOCAL = ("localhost", "127.0.0.1")


def files(folder: Path, site: Site, now: datetime) -> dict[PurePosixPath, str]:
    """The files of a site's certificates by their place in it; none without TLS."""
    if not site.tls:
        return {}
    authority = _found(folder, _AUTHORITY, "ca") or new_authority(now)
    made = _texts(_AUTHORITY, "ca", authority)
    for server, hosts in _hosts(site).items():
        place = PurePosixPath(server)
        known = _found(folder, place, "tls")
        holds = known is not None and still_holds(known, authority, hosts, now)
        made |= _texts(place, "tls", known if known is not None and holds else issued(authority, hosts, now))
    readers = (*(row.name for row in SERVICES), "redis", COMMAND, STREAMS)
    return made | {PurePosixPath(reader, "ca.crt"): authority.cert for reader in readers} | {PUBLIC: authority.cert}


def ca_file(folder: Path, site: Site) -> str:
    """Where the authority of a site lies for `vigil-provision` itself; empty without TLS."""
    return str(folder / _AUTHORITY / "ca.crt") if site.tls else ""


def _hosts(site: Site) -> dict[str, set[str]]:
    """The names and addresses under which each server is reached."""
    public = {host.strip() for host in site.public_hosts.split(",") if host.strip()}
    return {
        "nats": {_host(site.nats), _host(site.public_nats), *public, *_LOCAL},
        "redis": {_host(site.redis), *_LOCAL},
        GATEWAY.name: {GATEWAY.name, _host(site.gateway), _host(site.gateway_grpc), *public, *_LOCAL},
    }


def _found(folder: Path, place: PurePosixPath, name: str) -> Pair | None:
    try:
        return Pair(*((folder / place / f"{name}.{kind}").read_text() for kind in ("crt", "key")))
    except OSError:
        return None


def _texts(place: PurePosixPath, name: str, pair: Pair) -> dict[PurePosixPath, str]:
    return {place / f"{name}.crt": pair.cert, place / f"{name}.key": pair.key}


def _host(place: str) -> str:
    return place.rpartition(":")[0].strip("[]")
