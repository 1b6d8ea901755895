"""The rows of the services agree with each other, with the subjects and streams, and with the keys of the store."""

import re
from fnmatch import fnmatchcase

import pytest

from vigil.contract import permissions, subjects
from vigil.contract.errors import InvalidSubject
from vigil.contract.modules import ModuleId
from vigil.contract.service_spec import BucketAccess, ServiceKind, ServiceSpec, variable
from vigil.contract.services import CODEC, GATEWAY, INGESTION, INTERACTION, SERVICES, WEBHOOK, service
from vigil.contract.streams import ARTEFACTS, SNAPSHOTS, STREAMS, stream_of
from vigil.contract.subject_tokens import SESSION_DELEGATIONS
from vigil.core.alert import AlertState
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.store.keys import index_key, session_keys

BY_NAME = pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)
LIVE = (
    "vigil.v1.frame.raw.>",
    "vigil.v1.frame.coded.>",
    "vigil.v1.frame.asked.>",
    "vigil.v1.command.>",
    "vigil.v1.turn.dropped.>",
    "vigil.v1.signalling.>",
    "vigil.v1.preview.asked.>",
    "vigil.v1.preview.shown.>",
    "vigil.v1.delegation.cancelling.>",
    "vigil.v1.memory.recall.>",
    "vigil.v1.audio.in.>",
    "vigil.v1.audio.out.>",
    "vigil.v1.audio.activity.>",
    "vigil.v1.transcript.partial.>",
    "vigil.v1.announcement.>",
    subjects.ALL_OBSERVATIONS,
    subjects.ALL_HISTORY_ANSWERS,
)
KEY = SessionKey("demo", "s-1")


def stored(subject: str) -> bool:
    """Whether a stream stores it."""
    try:
        stream_of(subject)
    except InvalidSubject:
        return False
    return True


def test_no_two_services_share_a_name_or_a_port() -> None:
    ports = [port for row in SERVICES for port in (row.http_port, row.grpc_port, row.metrics_port) if port is not None]
    assert len(set(ports)) == len(ports)
    assert len({row.name for row in SERVICES}) == len(SERVICES)
    assert [service(row.name) for row in SERVICES] == list(SERVICES)


def test_the_gateway_comes_last_because_clients_wait_for_it() -> None:
    assert [row.name for row in SERVICES if row.kind is ServiceKind.GATEWAY] == [SERVICES[-1].name]


def test_there_is_a_claimer_for_every_role() -> None:
    assert {row.name for row in SERVICES if row.kind is ServiceKind.CLAIMER} == {str(role) for role in Role}


@BY_NAME
def test_a_row_is_complete(row: ServiceSpec) -> None:
    assert re.fullmatch(r"[a-z]+", row.name)
    assert (row.program, row.module) == (f"vigil-{row.name}", f"vigil_{row.name}.main")
    assert row.settings.startswith(f"vigil_{row.name}.config:")
    assert row.purpose
    assert {"nats_url", "http_port"} <= set(row.wiring)
    assert ("redis_url" in row.wiring) == row.uses_redis
    assert ("grpc_port" in row.wiring) == (row.grpc_port is not None)
    assert len(row.variables) == len(set(row.variables)) == len(row.wiring)
    assert row.resources.cpu > 0
    assert row.resources.memory_mib >= 128


def test_a_variable_is_the_setting_in_upper_case() -> None:
    assert variable("nats_url") == "VIGIL_NATS_URL"
    assert WEBHOOK.variables[-1] == "VIGIL_WEBHOOK_ALLOW_LOCAL"


@BY_NAME
def test_what_a_service_publishes_is_live_or_stored(row: ServiceSpec) -> None:
    for subject in row.bus.publishes:
        assert subject in LIVE or stored(subject), subject


@BY_NAME
def test_what_a_service_hears_some_service_publishes(row: ServiceSpec) -> None:
    said = {subject for other in SERVICES for subject in other.bus.publishes}
    said |= {subjects.ALL_HISTORY_ASKED, subjects.ALL_NUMBERED}  # downstream systems say it; the server itself does
    for heard in row.bus.hears:
        assert any(subject.startswith(heard.removesuffix(">")) for subject in said), heard


def test_every_stream_is_written_by_somebody() -> None:
    said = {subject for row in SERVICES for subject in row.bus.publishes}
    written = {stream_of(subject).name for subject in said if stored(subject)}
    assert written == {stream.name for stream in STREAMS}


def test_decisions_and_alerts_have_one_author() -> None:
    """Only the interaction model speaks: no other service can put a decision, an utterance, an alert or a
    delegation on the bus."""
    alerts = subjects.all_alert_events(AlertState)
    delegations = (*subjects.all_delegations(*SESSION_DELEGATIONS), subjects.ALL_TASKS)
    for subject in (
        subjects.ALL_DECISIONS,
        subjects.ALL_UTTERANCES,
        subjects.ALL_MEMORY_REQUESTS,
        *alerts,
        *delegations,
    ):
        assert [row.name for row in SERVICES if subject in row.bus.publishes] == [INTERACTION.name]


@BY_NAME
def test_the_claimers_hear_of_the_life_of_sessions(row: ServiceSpec) -> None:
    assert (row.kind is not ServiceKind.CLAIMER) or subjects.ALL_LIFECYCLE in row.bus.hears


def test_the_keys_of_a_session_are_among_those_of_who_runs_its_scripts() -> None:
    for row in (GATEWAY, INGESTION, CODEC, INTERACTION):
        for key in session_keys(KEY):
            assert any(fnmatchcase(key, pattern) for pattern in row.redis_keys), (row.name, key)
    indexed = [row.name for row in SERVICES if any(fnmatchcase(index_key("demo"), key) for key in row.redis_keys)]
    assert indexed == ["ingestion", "gateway"]
    assert not WEBHOOK.uses_redis


@BY_NAME
def test_a_claimer_touches_the_placement_of_its_own_role(row: ServiceSpec) -> None:
    if row.kind is ServiceKind.CLAIMER:
        assert any(fnmatchcase(f"vigil:v1:{{placement}}:{row.name}:owner", key) for key in row.redis_keys)


@BY_NAME
def test_a_service_may_say_and_hear_no_more_than_its_row_and_jetstream(row: ServiceSpec) -> None:
    allowed = permissions.of_service(row)
    ours = [subject for subject in allowed.publish if not subject.startswith(("$JS.", "$O."))]
    inboxes = permissions.INBOXES if row.bus.hears else permissions.inbox_prefix(row.name)
    assert ours == [*row.bus.publishes, f"{inboxes}.>"]
    assert allowed.subscribe == (*row.bus.hears, f"_VIGIL_INBOX.{row.name}.>")
    assert not {">", "$JS.>", "$JS.API.>"} & {*allowed.publish, *allowed.subscribe}
    assert not [subject for subject in allowed.publish if ".STREAM.DELETE." in subject]
    purged = [subject for subject in allowed.publish if ".STREAM.PURGE." in subject]
    written = {SNAPSHOTS: row.bus.snapshots, ARTEFACTS: row.bus.artefacts}
    buckets = [bucket for bucket, access in written.items() if access in (BucketAccess.WRITE, BucketAccess.ERASE)]
    assert purged == [f"$JS.API.STREAM.PURGE.OBJ_{bucket.name}" for bucket in buckets]


def test_a_downstream_system_reads_its_tenant_and_has_no_right_in_jetstream() -> None:
    allowed = permissions.of_tenant("acme")
    assert allowed.publish == ("vigil.v1.history.ask.acme",)
    assert allowed.subscribe == (
        "vigil.v1.alert.acme.>",
        "vigil.v1.utterance.acme.>",
        "vigil.v1.session.*.acme.>",
        "vigil.v1.delegation.*.acme.>",
        "vigil.v1.approval.*.acme.>",
        "vigil.v1.memory.ready.acme.>",
        "vigil.v1.memory.failed.acme.>",
        "vigil.v1.transcript.final.acme.>",
        "vigil.v1.speech.*.acme.>",
        "vigil.v1.history.answer.acme.>",
    )


def test_there_is_a_user_for_each_service_and_one_who_may_do_everything_among_the_services() -> None:
    services, system, *_ = permissions.accounts(())
    assert [user.name for user in services.users] == [*(row.name for row in SERVICES), "operator"]
    assert [user.name for user in (*services.users, *system.users) if user.allowed is None] == ["operator", "system"]
    assert (services.hears, services.asks, system.hears, system.asks) == ((), (), (), ())


def test_each_tenant_has_an_account_with_one_user_who_reads_what_is_carried_into_it() -> None:
    _, _, *tenants = permissions.accounts(("acme", "gateway"))
    assert [account.name for account in tenants] == ["TENANT_acme", "TENANT_gateway"]
    for account, tenant in zip(tenants, ("acme", "gateway"), strict=True):
        (user,) = account.users
        assert user == permissions.NatsUser(f"tenant-{tenant}", permissions.of_tenant(tenant))
        assert account.hears == permissions.of_tenant(tenant).subscribe
        assert account.asks == (f"vigil.v1.history.ask.{tenant}",)


def test_a_module_hears_pictures_and_the_life_of_sessions_and_speaks_under_its_own_name_alone() -> None:
    allowed = permissions.of_module(ModuleId("acme", "zones"))
    assert allowed.publish == ("vigil.v1.observation.acme.*.zones",)
    assert allowed.subscribe == ("vigil.v1.frame.raw.acme.*", "vigil.v1.session.*.acme.*")


def test_the_modules_of_a_tenant_have_an_account_beside_that_of_its_readers() -> None:
    modules = (ModuleId("acme", "zones"), ModuleId("demo", "faces"), ModuleId("acme", "faces"), ModuleId("gone", "x"))
    _, _, *tenants, of_acme, of_demo = permissions.accounts(("acme", "demo", "rival"), modules)
    assert tenants == [permissions.tenant_account(tenant) for tenant in ("acme", "demo", "rival")], "as without modules"
    assert [(account.name, account.is_of_modules) for account in (of_acme, of_demo)] == [
        ("MODULES_acme", True),
        ("MODULES_demo", True),
    ]
    assert [user.name for user in of_acme.users] == ["module.acme.faces", "module.acme.zones"]
    assert of_acme.hears == permissions.of_module(modules[0]).subscribe
    assert of_acme.asks == ("vigil.v1.observation.acme.*.*",)
    assert not set(of_acme.hears) & set(of_demo.hears)


def test_nobody_but_the_gateway_says_what_only_it_may_answer() -> None:
    for row in SERVICES:
        may = any("history.answer" in subject for subject in permissions.of_service(row).publish)
        assert may == (row is GATEWAY)


@pytest.mark.parametrize(
    ("user", "prefix"),
    [("gateway", "_VIGIL_INBOX.gateway"), ("", "_VIGIL_INBOX"), ("a.b", "_VIGIL_INBOX"), (">", "_VIGIL_INBOX")],
)
def test_every_user_has_inboxes_of_its_own(user: str, prefix: str) -> None:
    assert permissions.inbox_prefix(user) == prefix
