"""Logins over a real Redis: what they stand on, and that they end with it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec
import pytest
from redis.asyncio import Redis

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of
from vigil.runtime.store.logins import FORM, Login, LoginStore
from vigil.testing.eventually import DEADLINE_S
from vigil_gateway.api.auth import KeyRing
from vigil_gateway.api.errors import LoginEnded
from vigil_gateway.login import cookie
from vigil_gateway.login.logins import Logins

EXPIRES = datetime.now(UTC) + timedelta(hours=2)
OPERATOR = ApiKey(digest_of("one"), "demo", KeyRole.OPERATOR, "desk")
SHORT = ApiKey(digest_of("two"), "demo", KeyRole.VIEWER, expires=EXPIRES)
RIVAL = ApiKey(digest_of("three"), "rival")


class Clock:
    """The time, which a test moves on."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing((OPERATOR, SHORT, RIVAL))


@pytest.fixture
def logins(redis: Redis, ring: KeyRing, clock: Clock) -> Logins:
    return Logins(LoginStore(redis), ring, hours=12, most=3, now=clock)


async def test_a_login_speaks_for_its_key_at_every_replica(redis: Redis, ring: KeyRing, logins: Logins) -> None:
    opened = await logins.open(OPERATOR)
    other = Logins(LoginStore(redis), ring, hours=1, most=3)
    for replica in (logins, other):
        holder = await replica.holder(opened.token)
        assert holder == opened.holder
        assert (holder.tenant, holder.role, holder.name, holder.sha256) == (
            "demo",
            KeyRole.OPERATOR,
            "desk",
            OPERATOR.sha256,
        )


async def test_redis_holds_nothing_that_opens_anything(redis: Redis, logins: Logins) -> None:
    opened = await logins.open(OPERATOR)
    kept = [str(key, "utf-8") for key in cast(list[bytes], await redis.keys("*"))]
    stored = [str(await redis.get(key)) for key in kept if ":login:" in key]
    assert len(stored) == 1
    for text in (*kept, *stored):
        assert opened.token not in text
        assert cookie.csrf_of(opened.token) not in text


@pytest.mark.parametrize("token", ["", cookie.new_token()], ids=["empty", "made up"])
async def test_a_cookie_that_nobody_was_given_opens_nothing(logins: Logins, token: str) -> None:
    await logins.open(OPERATOR)
    with pytest.raises(LoginEnded):
        await logins.holder(token)


async def test_it_ends_when_somebody_logs_out(logins: Logins) -> None:
    opened, kept = await logins.open(OPERATOR), await logins.open(OPERATOR)
    await logins.close(opened.holder)
    with pytest.raises(LoginEnded, match="somebody logged out"):
        await logins.holder(opened.token)
    await logins.holder(kept.token)


async def test_it_ends_by_itself_and_with_its_key(redis: Redis, logins: Logins, clock: Clock) -> None:
    usual, short = await logins.open(OPERATOR), await logins.open(SHORT)
    for opened, hours in ((usual, 12), (short, 2)):
        left_ms = await redis.pttl(f"vigil:v1:{{gateway}}:login:{opened.holder.digest}")
        assert left_ms == pytest.approx(hours * 3_600_000, abs=600_000)
    clock.now = EXPIRES
    with pytest.raises(LoginEnded, match="it ran out"):
        await logins.holder(short.token)
    await logins.holder(usual.token)
    clock.now += timedelta(hours=11)
    with pytest.raises(LoginEnded, match="it ran out"):
        await logins.holder(usual.token)


@pytest.mark.parametrize(
    "keys",
    [
        (RIVAL,),
        (msgspec.structs.replace(OPERATOR, role=KeyRole.ADMIN),),
        (msgspec.structs.replace(OPERATOR, tenant="rival"),),
        (msgspec.structs.replace(OPERATOR, expires=EXPIRES),),
    ],
)
async def test_it_holds_only_while_its_key_is_as_it_was(
    ring: KeyRing, logins: Logins, keys: tuple[ApiKey, ...]
) -> None:
    opened = await logins.open(OPERATOR)
    waiting = asyncio.create_task(logins.withdrawn(opened.holder))
    ring.replace(keys)
    with pytest.raises(LoginEnded, match="its key was removed or changed"):
        await logins.holder(opened.token)
    with pytest.raises(LoginEnded):
        async with asyncio.timeout(DEADLINE_S):
            await waiting


async def test_what_is_open_learns_that_somebody_logged_out(logins: Logins) -> None:
    opened = await logins.open(OPERATOR)
    waiting = asyncio.create_task(logins.withdrawn(opened.holder))
    await logins.close(opened.holder)
    with pytest.raises(LoginEnded, match="somebody logged out"):
        async with asyncio.timeout(DEADLINE_S):
            await waiting


async def test_a_tenant_has_so_many_logins_and_no_more(redis: Redis, logins: Logins, clock: Clock) -> None:
    opened = []
    for _ in range(5):
        opened.append(await logins.open(OPERATOR))
        clock.now += timedelta(seconds=1)
    rival = await logins.open(RIVAL)
    for displaced in opened[:2]:
        with pytest.raises(LoginEnded):
            await logins.holder(displaced.token)
    for kept in (*opened[2:], rival):
        await logins.holder(kept.token)
    assert len([key for key in await redis.keys("*") if b":login:" in key]) == 4
    assert await redis.zcard("vigil:v1:{gateway}:logins:demo") == 3


async def test_logins_that_ended_take_no_place(redis: Redis) -> None:
    store = LoginStore(redis)
    now_ms = round(datetime.now(UTC).timestamp() * 1_000)
    gone = Login("demo", KeyRole.VIEWER, "", now_ms, now_ms - 1)
    assert await store.open("a" * 64, gone, 1) == 0
    assert await store.find("a" * 64) is None
    held = Login("demo", KeyRole.VIEWER, "", now_ms, now_ms + 60_000)
    assert [await store.open("b" * 64, held, 1) for _ in range(2)] == [0, 0]  # a repeated call changes nothing
    assert await store.open("c" * 64, held, 1) == 1
    assert await store.find("b" * 64) is None


@pytest.mark.parametrize("stored", [b"{}", b"nothing", msgspec.json.encode({"form": FORM + 1, "tenant": "demo"})])
async def test_a_login_that_cannot_be_read_has_ended(redis: Redis, stored: bytes) -> None:
    await redis.set("vigil:v1:{gateway}:login:" + "d" * 64, stored)
    assert await LoginStore(redis).find("d" * 64) is None
