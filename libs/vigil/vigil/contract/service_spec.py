"""What one row of a service says: how it gets its work, what it needs, and what it may do on NATS and in Redis.

A row is data: nothing here imports a service.
"""

from dataclasses import dataclass
from enum import StrEnum

from vigil.contract.streams import StreamSpec

ENV_PREFIX = "VIGIL_"


class ServiceKind(StrEnum):
    """How a service gets its work."""

    GATEWAY = "gateway"  # clients ask for it
    CLAIMER = "claimer"  # it claims sessions and holds each while the session lives
    CONSUMER = "consumer"  # it takes one message after the other from a stream


class BucketAccess(StrEnum):
    """What a service does with a bucket of objects."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    ERASE = "erase"  # it reads objects and removes them


class StoreAccess(StrEnum):
    """What a service does with sessions in Redis; each level does all that those before it do."""

    NONE = "none"  # it does not use Redis
    CLAIM = "claims"  # it holds sessions by leases, and looks at what they are asked to be
    WORK = "works on"  # it also writes their state, status and end
    MANAGE = "manages"  # it also makes, lists and forgets them


@dataclass(frozen=True, slots=True)
class Resources:
    """What one process of a service should be given: CPU cores, and MiB of memory, with as many sessions as its default
    capacity.

    Measured without a session: ingestion 122 MiB, codec 83, interaction 85, webhook 74, gateway 97. A session adds 10
    MiB to ingestion (the decoder of a 640 by 384 picture; larger ones take more), or 30 (a WebRTC client that sends 854
    by 480), 0.2 to interaction, 0.05 to codec.
    The largest picture that a client may push takes up to 120 MiB of the gateway while it is decoded; three are at most
    at once.
    """

    cpu: float
    memory_mib: int


@dataclass(frozen=True, slots=True)
class BusAccess:
    """What a service says and hears on NATS. Subjects may hold wildcards.

    `publishes` is what it may publish, live or into a stream; `hears` what it may subscribe to. `consumes` are the
    streams that it reads with durable consumers, `looks_up` those whose newest message it may ask for, `reads` those
    of which it may ask for any messages, without a consumer, `measures` those whose size it may ask for. Every
    service makes the streams that are missing. None may change one: whoever can has NATS store there what he likes.
    """

    publishes: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    consumes: tuple[StreamSpec, ...] = ()
    looks_up: tuple[StreamSpec, ...] = ()
    reads: tuple[StreamSpec, ...] = ()
    measures: tuple[StreamSpec, ...] = ()
    snapshots: BucketAccess = BucketAccess.NONE
    artefacts: BucketAccess = BucketAccess.NONE


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service.

    `module` has its `main`; `settings` is its settings class, as `module:class`. `wiring` are the settings that depend
    on where it runs, so whoever starts it gives them; every other setting has a default that suits. A service without a
    `grpc_port` has no gRPC endpoint. One with a `metrics_port` shows its metrics there alone, as its `http_port` is
    for clients. `redis_keys` are the patterns of the keys that it touches, `store` what it
    does there. One that is `on_request` runs only where somebody asks for it.
    """

    name: str
    kind: ServiceKind
    purpose: str
    module: str
    settings: str
    wiring: tuple[str, ...]
    http_port: int
    grpc_port: int | None
    bus: BusAccess
    redis_keys: tuple[str, ...]
    resources: Resources
    store: StoreAccess = StoreAccess.NONE
    on_request: bool = False
    ready_path: str = "/readyz"
    metrics_port: int | None = None

    @property
    def program(self) -> str:
        """The command that runs it."""
        return f"vigil-{self.name}"

    @property
    def scraped_port(self) -> int:
        """Where Prometheus asks for `/metrics`."""
        return self.http_port if self.metrics_port is None else self.metrics_port

    @property
    def uses_redis(self) -> bool:
        """Whether it needs Redis to be ready."""
        return self.store is not StoreAccess.NONE

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables of `wiring`."""
        return tuple(variable(name) for name in self.wiring)


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return f"{ENV_PREFIX}{setting.upper()}"
