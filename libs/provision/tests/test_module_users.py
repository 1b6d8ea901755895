"""A module's NATS user at the NATS of each deployment: it sees its tenant's pictures, speaks as itself, and no more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from vigil.contract import subjects
from vigil.contract.permissions import inbox_prefix
from vigil.contract.services import CODEC, GATEWAY, INTERACTION, SERVICES
from vigil.contract.streams import ALERTS, STREAMS
from vigil.contract.subject_tokens import Kind
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.handled import handled
from vigil_provision.nats_config import MODULE_LIMITS
from vigil_provision.testing.deployments import of_a_site, of_accounts_alone
from vigil_provision.testing.servers import ConfiguredNats

KEY, RIVAL = SessionKey("demo", "s-1"), SessionKey("acme", "s-1")
OWN = subjects.observation(KEY, "zones")
PICTURES, LIFE = "vigil.v1.frame.raw.demo.s-1", "vigil.v1.session.started.demo.s-1"
# What runs on the bus of the services that is none of a module's business, in its own tenant and in another.
SECRETS = (
    *(f"vigil.v1.{kind}.demo.s-1" for kind in Kind if kind is not Kind.RAW_FRAMES),
    "vigil.v1.alert.demo.lobby.opened",
    "vigil.v1.delegation.opened.demo.s-1",
    "vigil.v1.approval.requested.demo.s-1",
    "vigil.v1.memory.ready.demo.s-1",
    "vigil.v1.speech.started.demo.s-1",
    "vigil.v1.history.answer.demo.x",
    "vigil.v1.audit.demo",
    "vigil.v1.dlq.codec",
    OWN,  # nor what modules tell: not even its own words come back
    subjects.observation(KEY, "faces"),
    subjects.raw_frames(RIVAL),
    "vigil.v1.session.started.acme.s-1",
)
# Where it may not speak: as another module, of another tenant, or as anybody of Vigil.
FOREIGN = (
    subjects.observation(KEY, "faces"),
    subjects.observation(RIVAL, "zones"),
    "vigil.v1.observation.demo.s-1",
    "vigil.v1.observation.demo.s-1.zones.more",
    *SECRETS[: len(Kind) + 7],
    subjects.raw_frames(KEY),
    LIFE,
    "vigil.v1.history.ask.demo",
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    f"$JS.API.STREAM.INFO.{ALERTS.name}",
    f"$JS.API.CONSUMER.CREATE.{ALERTS.name}",
    f"$JS.API.STREAM.DELETE.{ALERTS.name}",
    "$SYS.REQ.USER.INFO",
    "_VIGIL_INBOX.gateway.x",
)


class User:
    """A connection, what it heard, and what the server refused it."""

    def __init__(self) -> None:
        self.nats = Nats()
        self.heard: list[Msg] = []
        self.denials: list[str] = []

    async def hear(self, message: Msg) -> None:
        self.heard.append(message)

    async def note(self, error: Exception) -> None:
        self.denials.append(str(error).lower())

    def was_refused(self, deed: str, subject: str) -> bool:
        """Whether the server refused to let it publish or subscribe there."""
        return any(f'violation for {deed} to "{subject.lower()}"' in denial for denial in self.denials)


def _has_heard(user: User, count: int) -> bool:
    return len(user.heard) >= count


@contextlib.asynccontextmanager
async def connected(url: str, *heard: str, user: str = "") -> AsyncIterator[User]:
    """A connection that hears these subjects already."""
    made = User()
    await made.nats.connect(url, error_cb=made.note, inbox_prefix=inbox_prefix(user), allow_reconnect=False)
    for subject in heard:
        await made.nats.subscribe(subject, cb=made.hear)
    await handled(made.nats)
    yield made
    await made.nats.close()


@pytest.fixture
async def operator(server: ConfiguredNats) -> AsyncIterator[User]:
    """One with every right who hears everything."""
    async with connected(server.operator_url, "vigil.v1.>") as user:
        yield user


@pytest.fixture
async def zones(server: ConfiguredNats) -> AsyncIterator[User]:
    """The module `zones` of the tenant `demo`, which hears what it may."""
    url = server.module_url("demo", "zones")
    async with connected(url, subjects.raw_frames_of("demo"), subjects.lifecycles_of("demo")) as user:
        yield user


async def say(user: User, *said: str) -> None:
    """Publish a word on each of these subjects, and return when the server has them."""
    for subject in said:
        await user.nats.publish(subject, subject.encode())
    await handled(user.nats)


async def test_it_hears_its_tenants_pictures_and_the_life_of_its_sessions_and_nothing_else(
    operator: User, zones: User
) -> None:
    await say(operator, *SECRETS, PICTURES, LIFE)  # what it may hear comes last
    await eventually(lambda: len(zones.heard) >= 2, what="what it may hear")
    assert [message.subject for message in zones.heard] == [PICTURES, LIFE]


async def test_it_may_not_even_try_to_hear_anything_else(server: ConfiguredNats, zones: User) -> None:
    wide = ("vigil.v1.>", ">", "vigil.v1.frame.>", "vigil.v1.frame.raw.*.*", "vigil.v1.session.>", "_INBOX.>", "$JS.>")
    others = (*SECRETS, *wide, "$SYS.>", "_VIGIL_INBOX.>")
    for subject in others:
        await zones.nats.subscribe(subject, cb=zones.hear)
    await handled(zones.nats)
    assert [subject for subject in others if not zones.was_refused("subscription", subject)] == []


async def test_what_it_notices_reaches_the_worker_of_the_session(server: ConfiguredNats, zones: User) -> None:
    async with connected(
        server.url_of(INTERACTION.name), subjects.observations_of(KEY), user=INTERACTION.name
    ) as worker:
        assert worker.denials == []
        await say(zones, OWN)
        await eventually(lambda: worker.heard, what="the observation")
    assert [(message.subject, message.data) for message in worker.heard] == [(OWN, OWN.encode())]
    assert zones.denials == []


async def test_it_speaks_as_itself_to_its_own_tenant_and_nobody_hears_anything_else(
    operator: User, zones: User
) -> None:
    await say(zones, *FOREIGN, OWN)
    await eventually(lambda: operator.heard, what="what it may say")
    assert [message.subject for message in operator.heard] == [OWN]
    assert [subject for subject in FOREIGN if not zones.was_refused("publish", subject)] == []


async def test_it_cannot_have_an_answer_or_a_trace_sent_anywhere(operator: User, zones: User) -> None:
    forged = "vigil.v1.alert.demo.forged.opened"
    for wanted in (forged, PICTURES, subjects.command(KEY)):
        await zones.nats.publish(OWN, b"{}", reply=wanted)
        await zones.nats.publish(OWN, b"{}", headers={"Nats-Trace-Dest": wanted})
    await say(zones, OWN)
    await eventually(lambda: any(message.data == OWN.encode() for message in operator.heard), what="the last word")
    assert {message.subject for message in operator.heard} == {OWN}
    assert not {message.reply for message in operator.heard} & {forged, PICTURES, subjects.command(KEY)}


async def test_two_modules_of_a_tenant_cannot_hear_each_other_nor_those_of_another(
    server: ConfiguredNats, operator: User, zones: User
) -> None:
    both = (subjects.raw_frames_of("demo"), subjects.raw_frames_of("acme"), "vigil.v1.observation.demo.s-1.zones")
    async with (
        connected(server.module_url("demo", "faces"), *both) as faces,
        connected(server.module_url("acme", "zones"), *both) as rival,
    ):
        await say(zones, OWN)
        await say(operator, subjects.raw_frames(RIVAL), PICTURES)
        await eventually(lambda: faces.heard and rival.heard, what="their pictures")
        assert [message.subject for message in faces.heard] == [PICTURES]
        assert [message.subject for message in rival.heard] == [subjects.raw_frames(RIVAL)]


async def test_the_readers_of_the_tenant_hear_nothing_new_and_cannot_speak_as_a_module(
    server: ConfiguredNats, operator: User, zones: User
) -> None:
    wanted = (
        subjects.raw_frames_of("demo"),
        subjects.observations_of(KEY),
        OWN,
        subjects.observations_of_tenant("demo"),
    )
    alert = "vigil.v1.alert.demo.lobby.opened"
    async with connected(server.tenant_url("demo"), *wanted, alert) as reader:
        assert [subject for subject in wanted if not reader.was_refused("subscription", subject)] == []
        await say(zones, OWN)
        await say(operator, PICTURES, alert)
        await eventually(lambda: reader.heard, what="the alert")
        assert [message.subject for message in reader.heard] == [alert]
        await say(reader, OWN)
        assert reader.was_refused("publish", OWN)


@pytest.mark.parametrize("deployment", [of_accounts_alone()], indirect=True, ids=lambda deployment: deployment.name)
async def test_the_account_alone_keeps_modules_and_readers_apart(server: ConfiguredNats, operator: User) -> None:
    """The lists of the users are the second wall; this is the first."""
    async with (
        connected(server.module_url("demo", "zones"), ">") as module,
        connected(server.tenant_url("demo"), ">") as reader,
    ):
        await say(operator, *SECRETS, PICTURES, LIFE)
        await eventually(lambda: {message.subject for message in module.heard} == {PICTURES, LIFE}, what="the pictures")
        await eventually(lambda: LIFE in {message.subject for message in reader.heard}, what="the tenant's events")
        assert not {PICTURES, OWN, subjects.raw_frames(RIVAL)} & {message.subject for message in reader.heard}
        operator.heard.clear()
        await say(reader, OWN, PICTURES)
        await say(module, *FOREIGN, OWN)
        await eventually(lambda: OWN in {message.subject for message in operator.heard}, what="what modules may say")
        own_tenants = {OWN, subjects.observation(KEY, "faces")}
        assert {message.subject for message in operator.heard} == own_tenants, "the list says under which name"


async def test_no_service_but_gateway_and_modules_may_speak_as_one(server: ConfiguredNats) -> None:
    for row in SERVICES:
        async with connected(server.url_of(row.name), user=row.name) as service:
            await say(service, OWN)
            assert service.was_refused("publish", OWN) == (row is not GATEWAY), row.name


async def test_nothing_that_a_module_says_is_stored(server: ConfiguredNats, zones: User) -> None:
    async with Bus.connect(BusConfig(server.operator_url, "operator")) as bus:
        await bus.connected()
        await say(zones, OWN)
        async with connected(server.operator_url) as operator:
            infos = await operator.nats.jetstream().streams_info()
            assert {info.config.name: info.state.messages for info in infos} == dict.fromkeys(
                [*(stream.name for stream in STREAMS), "OBJ_VIGIL_SNAPSHOTS", "OBJ_VIGIL_ARTEFACTS"], 0
            )


async def test_a_module_that_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    """Pictures wait for it in the server's memory up to a bound; then the server ends its connection."""
    server = ConfiguredNats(tmp_path / "nats", of_a_site().nats_config)
    await server.start()
    user, _, password = server.module_url("demo", "zones").partition("//")[2].partition("@")[0].partition(":")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    login = f'{{"user": "{user}", "pass": "{password}", "verbose": false}}'
    writer.write(f"CONNECT {login}\r\nSUB vigil.v1.frame.raw.demo.* 1\r\nPING\r\n".encode())
    await reader.readuntil(b"PONG\r\n")
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    async with (
        connected(server.url_of(CODEC.name), "vigil.v1.frame.raw.>", user=CODEC.name) as codec,
        connected(server.url_of(GATEWAY.name), user=GATEWAY.name) as gateway,
    ):
        for number in range(1, 101):  # 100 MB; the codec reads each
            await gateway.nats.publish(PICTURES, b"x" * 1_000_000)
            await eventually(partial(_has_heard, codec, number), what=f"the codec heard {number}")
    transport.resume_reading()
    async with asyncio.timeout(DEADLINE_S):
        with contextlib.suppress(ConnectionError):
            while await reader.read(1 << 20):
                pass  # what was on its way; then the end
    writer.close()
    await server.kill()


@pytest.mark.parametrize(
    ("size", "is_ended"), [(20_000, False), (MODULE_LIMITS["max_payload"] + 1, True), (9 << 20, True)]
)
async def test_what_is_far_too_large_ends_the_connection(tmp_path: Path, size: int, is_ended: bool) -> None:
    server = ConfiguredNats(tmp_path / "nats", of_a_site().nats_config)
    await server.start()
    async with (
        connected(server.operator_url, "vigil.v1.>") as operator,
        connected(server.module_url("demo", "zones")) as module,
    ):
        module.nats._max_payload = size  # a client that does not check by itself
        with contextlib.suppress(NatsError, OSError):
            await module.nats.publish(OWN, b"x" * size)
            await module.nats.flush()
        if is_ended:
            await eventually(lambda: module.nats.is_closed, what="the connection is closed")
            await handled(operator.nats)
            assert operator.heard == []
        else:
            await eventually(lambda: operator.heard, what="it is for the worker to refuse")
    await server.kill()
