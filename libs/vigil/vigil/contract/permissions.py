"""The NATS accounts and users, and what each may publish and subscribe to, made from the rows and the tenants.

Whoever configures a NATS server (`vigil up`, compose, the chart) makes these accounts and users with these lists. NATS
refuses everything that is not listed.

An account is a space of subjects of its own. The services share one. Each tenant has another, into which NATS carries
that tenant's events and nothing else, and out of which it carries nothing but questions for past events. So a tenant's
reader is kept from all others twice: by its account, and by the lists of its user.

A tenant's modules, which see its pictures, share a third kind of account: into it NATS carries the tenant's frames and
the life of its sessions, out of it what they notice. So a reader comes near no picture, and a module near no alert,
utterance or question. A module speaks under its own name alone, because that is the last token of its subject.

Reading must not be writing. A downstream system reads its tenant's events as they are published, and asks for past
ones with a message to the gateway. It has no right in JetStream at all: whoever may make a consumer, or ask one for
messages, chooses where the server publishes them (`deliver_subject`, the reply subject), and so can forge events.

Every service may make the streams that are missing, because every service does so when it connects. None may change
one that is there: whoever may can have its own messages stored there as others' (`subjects`, `subject_transform`), or
all of them discarded. None may delete or purge one; the exceptions are the buckets of
snapshots and of artefacts, where replacing or removing an object purges its old parts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.modules import ModuleId, names_of
from vigil.contract.service_spec import BucketAccess, ServiceSpec
from vigil.contract.services import SERVICES
from vigil.contract.streams import (
    ALERTS,
    APPROVALS,
    ARTEFACTS,
    BUCKETS,
    DELEGATIONS,
    MEMORY_EVENTS,
    SESSIONS,
    SNAPSHOTS,
    SPEECH,
    STREAMS,
    TRANSCRIPTS,
    UTTERANCES,
    BucketSpec,
    StreamSpec,
)

_API = "$JS.API"
# Where answers to our services come.
INBOXES = "_VIGIL_INBOX"
_USER = re.compile(r"[A-Za-z0-9_-]{1,64}")

# The streams whose events a tenant's downstream systems may ask for.
HISTORY_STREAMS = (ALERTS, UTTERANCES, SESSIONS, DELEGATIONS, APPROVALS, MEMORY_EVENTS, TRANSCRIPTS, SPEECH)

OPERATOR = "operator"
# Who may have the server read its configuration again and look into its state, and may hear and say nothing of ours.
SYSTEM = "system"

SERVICES_ACCOUNT = "VIGIL"
SYSTEM_ACCOUNT = "SYS"


@dataclass(frozen=True, slots=True)
class Permissions:
    """The subjects that a user may publish and subscribe to; nothing else."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NatsUser:
    """A user by its name; without `allowed` it may do everything."""

    name: str
    allowed: Permissions | None


@dataclass(frozen=True, slots=True)
class NatsAccount:
    """Users that share a space of subjects. From the account of the services it `hears` and `asks` on these subjects:
    what is published there on the former is carried into this account, and what is published here on the latter is
    carried there. Nothing else passes. `is_of_modules` is said of one whose users send observations."""

    name: str
    users: tuple[NatsUser, ...]
    hears: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    is_of_modules: bool = False


def inbox_prefix(user: str) -> str:
    """Where answers to a NATS user come: each service has a place of its own that no other may listen to."""
    return f"{INBOXES}.{user}" if _USER.fullmatch(user) else INBOXES


def of_service(row: ServiceSpec) -> Permissions:
    """What the NATS user of a service may do: what its row says, and what that takes of JetStream."""
    bus = row.bus
    own_inbox = f"{inbox_prefix(row.name)}.>"
    # To its own inbox a service writes to see that the connection works; what asks for JetStream's state sees that too.
    # Whoever hears something may answer in any inbox, whose name only the asker knows. NATS's `allow_responses` would
    # let it answer anywhere: it could send itself a message, and name any subject as the place of the answer.
    inboxes = f"{INBOXES}.>" if bus.hears else own_inbox
    publish = [*bus.publishes, inboxes, f"{_API}.INFO", *_declaring()]
    for stream in bus.consumes:
        publish += _reading(stream)
    publish += [f"{_API}.STREAM.MSG.GET.{stream.name}" for stream in bus.looks_up]
    publish += [f"{_API}.DIRECT.GET.{stream.name}" for stream in bus.reads]
    publish += [f"{_API}.STREAM.INFO.{stream.name}" for stream in bus.measures]
    publish += [*_bucket(SNAPSHOTS, bus.snapshots), *_bucket(ARTEFACTS, bus.artefacts)]
    return Permissions(tuple(publish), (*bus.hears, own_inbox))


def of_tenant(tenant: str) -> Permissions:
    """What a downstream system of a tenant may do: hear the tenant's alerts, utterances, the life of its sessions, its
    delegated questions, approvals, memories, what was said to them and what they spoke, and ask the gateway for past
    ones. Nothing that it says reaches anybody else."""
    return Permissions((subjects.history_asked(tenant),), (*subjects.stored_of(tenant), subjects.answers_of(tenant)))


def tenant_user(tenant: str) -> str:
    """The NATS user of a tenant's downstream systems. No service can be called like it."""
    return f"tenant-{tenant}"


def of_module(module: ModuleId) -> Permissions:
    """What a module may do: hear the pictures and the life of its tenant's sessions, and tell these sessions what it
    notices, under its own name."""
    return Permissions(
        (subjects.observations_of_tenant(module.tenant, module.name),),
        (subjects.raw_frames_of(module.tenant), subjects.lifecycles_of(module.tenant)),
    )


def module_user(module: ModuleId) -> str:
    """The NATS user of a module. No service and no tenant can be called like it: no token has a dot."""
    return f"module.{module.tenant}.{module.name}"


def accounts(tenants: Iterable[str], modules: Iterable[ModuleId] = ()) -> tuple[NatsAccount, ...]:
    """Every account: that of the services and the operator, that of the server itself, one for each tenant, and one for
    the modules of each of these tenants that has some."""
    services = tuple(NatsUser(row.name, of_service(row)) for row in SERVICES)
    named, known = tuple(tenants), tuple(modules)
    return (
        NatsAccount(SERVICES_ACCOUNT, (*services, NatsUser(OPERATOR, None))),
        NatsAccount(SYSTEM_ACCOUNT, (NatsUser(SYSTEM, None),)),
        *map(tenant_account, named),
        *(modules_account(tenant, names) for tenant in named if (names := names_of(tenant, known))),
    )


def tenant_account(tenant: str) -> NatsAccount:
    """The account of a tenant's downstream systems: one user, who may do there what the account may do at all."""
    allowed = of_tenant(tenant)
    user = NatsUser(tenant_user(tenant), allowed)
    return NatsAccount(f"TENANT_{tenant}", (user,), hears=allowed.subscribe, asks=allowed.publish)


def modules_account(tenant: str, names: Iterable[str]) -> NatsAccount:
    """The account of a tenant's modules: into it comes what they may hear, and out of it what they notice."""
    modules = [ModuleId(tenant, name) for name in names]
    return NatsAccount(
        f"MODULES_{tenant}",
        tuple(NatsUser(module_user(module), of_module(module)) for module in modules),
        hears=(subjects.raw_frames_of(tenant), subjects.lifecycles_of(tenant)),
        asks=(subjects.observations_of_tenant(tenant),),
        is_of_modules=True,
    )


def _declaring() -> list[str]:
    """What making the streams and the buckets takes where they are missing: also to look whether they are there."""
    names = [*(stream.name for stream in STREAMS), *(bucket.stream for bucket in BUCKETS)]
    return [f"{_API}.STREAM.{deed}.{name}" for name in names for deed in ("CREATE", "INFO")]


def _reading(stream: StreamSpec) -> list[str]:
    """What reading a stream takes: look it up, make a consumer, ask that for messages, acknowledge them."""
    return [
        f"{_API}.STREAM.INFO.{stream.name}",
        f"{_API}.CONSUMER.CREATE.{stream.name}",
        f"{_API}.CONSUMER.CREATE.{stream.name}.>",
        f"{_API}.CONSUMER.DURABLE.CREATE.{stream.name}.*",
        f"{_API}.CONSUMER.INFO.{stream.name}.*",
        f"{_API}.CONSUMER.MSG.NEXT.{stream.name}.*",
        f"{_API}.CONSUMER.DELETE.{stream.name}.*",  # one that somebody changed is made again
        f"$JS.ACK.{stream.name}.>",
    ]


def _bucket(bucket: BucketSpec, access: BucketAccess) -> list[str]:
    """What a bucket takes: an object is messages of a stream, its newest description names its parts."""
    described = f"{_API}.STREAM.MSG.GET.{bucket.stream}"
    match access:
        case BucketAccess.NONE:
            return []
        case BucketAccess.WRITE:
            parts = [f"$O.{bucket.name}.C.>", f"$O.{bucket.name}.M.>"]
            return [*parts, described, f"{_API}.STREAM.PURGE.{bucket.stream}"]
        case BucketAccess.READ | BucketAccess.ERASE:
            consumer = [f"{_API}.CONSUMER.CREATE.{bucket.stream}{rest}" for rest in ("", ".>")]
            ended = f"{_API}.CONSUMER.DELETE.{bucket.stream}.*"
            reading = [described, f"{_API}.STREAM.NAMES", *consumer, ended, f"$JS.FC.{bucket.stream}.>"]
            removing = [f"$O.{bucket.name}.M.>", f"{_API}.STREAM.PURGE.{bucket.stream}"]
            return [*reading, *(removing if access is BucketAccess.ERASE else ())]
