"""The page of the services, from their rows."""

from collections.abc import Iterable

from reference.table import code, table
from vigil.contract import permissions, store_permissions
from vigil.contract.modules import ModuleId
from vigil.contract.service_spec import BucketAccess, ServiceSpec
from vigil.contract.services import SERVICES

INTRODUCTION = """\
# Services

This page is generated from the rows in `vigil.contract.services`: change those, then run `make docs`. A test compares
the two.

A row says all that others must know of a service. `vigil up` makes the processes and their environment from it, every
deployment its NATS and Redis users (`vigil_provision`), `vigil doctor` its checks. `/readyz` of the HTTP port answers
200 when the service can work and 503 with the reasons when it cannot, `/healthz` says that the process runs, `/metrics`
is for Prometheus ([metrics](metrics.md)). The gateway has `/metrics` on another port alone, as clients reach its HTTP
port.
A *claimer* holds sessions by leases in Redis, a *consumer* takes messages from a stream.
"""

BUS = """\
## What each says and hears on NATS

Each service has a NATS user of its own, called like the service, that may do what stands here and nothing else: NATS
refuses the rest. Every one of them may also make streams that are missing, and change none, and listens for answers at
an inbox of its own.
Streams and snapshots stand for what reading or writing them takes of JetStream (`vigil.contract.permissions`).
"""

DOWNSTREAM = """\
Each tenant has a NATS account of its own with one user for its downstream systems, `tenant-<tenant>`. That of the
tenant `demo` subscribes to {heard}, and publishes on {asked} alone: there it asks the gateway for past events of
{streams} (`vigil.contract.history`). It has no right in JetStream: whoever may make a consumer chooses where the server
publishes.

The [modules](modules.md) of a tenant share another account, with a user each, `module.<tenant>.<module>`. The module
`zones` of the tenant `demo` subscribes to {seen}, and publishes on {noticed} alone.
"""

REDIS = """\
## What each does in Redis

Each service that uses Redis has a user of its own there, called like the service. It may touch the keys that stand here
(`*` stands for any text) and give the commands of its level, also within a script, and no others
(`vigil.contract.store_permissions`):

{levels}

There is one more user, `operator`, who may do everything; whoever gives no name may do nothing.
"""

WIRING = """\
## What whoever starts it must give

Every other setting has a default that suits ([settings](settings.md)).
"""


def page() -> str:
    """The text of docs/services.md."""
    parts = [
        INTRODUCTION,
        _lines(table(("service", "kind", "does", "HTTP", "gRPC", "CPU cores", "memory, MiB"), map(_row, SERVICES))),
        WIRING,
        _lines(table(("service", "variables"), ((code(row.name), _codes(row.variables)) for row in SERVICES))),
        BUS,
        _lines(table(("service", "publishes", "subscribes to", "streams", "snapshots"), map(_bus, SERVICES))),
        _downstream(),
        _redis(),
        _lines(table(("service", "sessions", "keys"), map(_store, SERVICES))),
    ]
    return "\n".join(parts)


def _row(row: ServiceSpec) -> tuple[str, ...]:
    asked = " (only where it is asked for)" if row.on_request else ""
    grpc = "none" if row.grpc_port is None else str(row.grpc_port)
    metrics = "" if row.metrics_port is None else f", metrics {row.metrics_port}"
    resources = row.resources
    return (
        code(row.name),
        row.kind,
        row.purpose + asked,
        f"{row.http_port}{metrics}",
        grpc,
        f"{resources.cpu:g}",
        f"{resources.memory_mib:,}",
    )


def _bus(row: ServiceSpec) -> tuple[str, ...]:
    bus = row.bus
    streams = [f"consumes {code(stream.name)}" for stream in bus.consumes]
    streams += [f"newest of {code(stream.name)}" for stream in bus.looks_up]
    streams += [f"reads {code(stream.name)}" for stream in bus.reads]
    streams += ["size of each"] if bus.measures else []
    snapshots = {
        BucketAccess.NONE: "",
        BucketAccess.READ: "reads",
        BucketAccess.WRITE: "writes",
        BucketAccess.ERASE: "reads, removes",
    }
    return (code(row.name), _codes(bus.publishes), _codes(bus.hears), ", ".join(streams), snapshots[bus.snapshots])


def _store(row: ServiceSpec) -> tuple[str, ...]:
    return (code(row.name), f"{row.store} them" if row.uses_redis else "none", _codes(row.redis_keys) or "none")


def _downstream() -> str:
    allowed = permissions.of_tenant("demo")
    streams = _codes(stream.name for stream in permissions.HISTORY_STREAMS)
    module = permissions.of_module(ModuleId("demo", "zones"))
    return DOWNSTREAM.format(
        heard=_codes(allowed.subscribe),
        asked=_codes(allowed.publish),
        streams=streams,
        seen=_codes(module.subscribe),
        noticed=_codes(module.publish),
    )


def _redis() -> str:
    lines, known = [], set[str]()
    for level, commands in store_permissions.COMMANDS.items():
        also = "also " if known else ""
        lines.append(f"- who {level} sessions: {also}{_codes(name for name in commands if name not in known)}")
        known.update(commands)
    return REDIS.format(levels="\n".join(lines))


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(map(code, texts))


def _lines(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
